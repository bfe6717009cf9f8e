"""What coins cost: first in, first out."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal

ZERO = Decimal(0)
DIGITS = Decimal("1e-8")


@dataclass
class Lots:
    """Purchases of one coin that are not sold yet, oldest first: (quantity, cost)."""

    held: deque[tuple[Decimal, Decimal]] = field(default_factory=deque)

    def buy(self, quantity: Decimal, cost: Decimal) -> None:
        """Coins received, after fees, and all that they cost."""
        if quantity > 0:
            self.held.append((quantity, cost))

    def sell(self, quantity: Decimal) -> Decimal | None:
        """What the coins that leave now once cost, to the eighth digit; None when fewer were bought.

        What a part of a lot takes of its cost is never given out again, so all parts add up to the cost exactly.
        """
        cost = ZERO
        while quantity > 0 and self.held:
            lot, paid = self.held.popleft()
            if lot > quantity:
                part = (paid * quantity / lot).quantize(DIGITS)
                self.held.appendleft((lot - quantity, paid - part))
                return cost + part
            cost, quantity = cost + paid, quantity - lot
        return cost if quantity <= 0 else None
