"""The usual snippet, as it is found in forums and bots."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

ATTEMPTS = 3
SLEEP_S = 2.0


def sweep(api: Any, sleep: Callable[[float], None]) -> None:
    """Send 99 % of the free USDT of the futures wallet to spot."""
    for _ in range(ATTEMPTS):
        try:
            free = api.fetch_balance({"type": "swap"})["USDT"]["free"]
            api.transfer("USDT", free * 0.99, "swap", "spot")
            return
        except Exception:  # noqa: BLE001 - that is how it is done
            sleep(SLEEP_S)
