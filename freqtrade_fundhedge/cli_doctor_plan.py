"""What the configuration plans: how many hedges, of what size, in which pairs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from freqtrade_fundhedge.cli_common import Loaded
from freqtrade_fundhedge.core.checks import Finding, Verdict, fail
from freqtrade_fundhedge.scan import patterns
from freqtrade_fundhedge.sizes import entry_leverage, usual_hedge
from freqtrade_fundhedge.venue.port import ZERO

ANY_LEVERAGE: Final = 125.0


def planned_leverage(loaded: Loaded) -> Decimal:
    """Of a pair that allows any."""
    return Decimal(str(entry_leverage(loaded.section, ANY_LEVERAGE)))


def free_slots(config: dict[str, Any], open_hedges: int) -> int | None:
    """Hedges that max_open_trades leaves room for; None: any number."""
    most = config.get("max_open_trades", -1)
    if not isinstance(most, int | float) or most < 0 or math.isinf(most):
        return None
    return max(0, int(most) - open_hedges)


def one_hedge(loaded: Loaded, total: Decimal, slots: int | None) -> tuple[Decimal, Decimal]:
    """Margin and spot cost of the next hedge, as the bot plans them."""
    cross = str(getattr(loaded.config.get("margin_mode"), "value", loaded.config.get("margin_mode"))) == "cross"
    return usual_hedge(loaded.config, loaded.section, total, slots or 1, cross)


def below_minimum(found: Finding, cost: Decimal, minimum: Decimal) -> Finding:
    """The finding, unless a hedge would be too small an order; quote units."""
    if found.verdict is not Verdict.FAIL and ZERO < cost < minimum:
        text = f"a hedge is {cost:,.2f} on each side, the exchange's minimum {minimum:,.2f}"
        return fail(found.topic, text, "raise stake_amount, or lower max_open_trades")
    return found


def whitelist(exchange: dict[str, Any], markets: Mapping[str, Any]) -> list[str]:
    """Names as they are, expressions as the perpetuals that they match; without what is on the blacklist."""
    wanted = [str(name) for name in exchange.get("pair_whitelist", [])]
    names: list[str] = []
    for name in wanted:
        found = patterns([name])[0] if name not in markets else None
        matches = [m for m in markets if found.fullmatch(m) and markets[m].get("swap")] if found else []
        names += [match for match in matches or [name] if match not in names]
    black = patterns([str(name) for name in exchange.get("pair_blacklist", [])])
    return [name for name in names if not any(pattern.fullmatch(name) for pattern in black)]
