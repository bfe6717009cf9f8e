"""Double-entry books: every change of a balance has a reason, and what one side gets another gives."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from freqtrade_fundhedge.sandbox.numbers import ZERO

SPOT = "spot"
FUTURES = "futures"
FUNDING_WALLET = "funding"
OWN = (SPOT, FUTURES, FUNDING_WALLET)
REASONS = ("DEPOSIT", "TRADE", "COMMISSION", "TRANSFER", "REALIZED_PNL", "FUNDING_FEE", "INSURANCE_CLEAR")


@dataclass(frozen=True)
class Entry:
    """One change of one balance of the user."""

    time: int
    wallet: str
    asset: str
    amount: Decimal
    reason: str
    ref: str


class Ledger:
    """Balances of the user's wallets and of everyone else, with the list of changes that made them."""

    def __init__(self) -> None:
        self.balances: defaultdict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
        self.entries: list[Entry] = []

    def balance(self, wallet: str, asset: str) -> Decimal:
        """Read a balance."""
        return self.balances.get((wallet, asset), ZERO)

    def post(self, time: int, wallet: str, asset: str, amount: Decimal, reason: str, ref: object) -> None:
        """Give ``amount`` (or take it, when negative) and book the other side under the reason."""
        self.move(time, reason.lower(), wallet, asset, amount, reason, ref)

    def move(self, time: int, source: str, target: str, asset: str, amount: Decimal, reason: str, ref: object) -> None:
        """Move an amount from one account to another."""
        if reason not in REASONS:
            raise ValueError(f"no such reason: {reason}")
        for wallet, change in ((source, -amount), (target, amount)):
            self.balances[wallet, asset] += change
            if wallet in OWN:
                self.entries.append(Entry(time, wallet, asset, change, reason, str(ref)))

    def faults(self) -> list[str]:
        """Say where the books do not balance; nothing when they do."""
        sums: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
        replayed: defaultdict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
        for (_, asset), amount in self.balances.items():
            sums[asset] += amount
        for entry in self.entries:
            replayed[entry.wallet, entry.asset] += entry.amount
        found = [f"{asset}: {amount} from nowhere" for asset, amount in sums.items() if amount]
        for (wallet, asset), amount in self.balances.items():
            if wallet in OWN and amount != replayed[wallet, asset]:
                found.append(f"{wallet} {asset}: balance {amount}, entries {replayed[wallet, asset]}")
        return found
