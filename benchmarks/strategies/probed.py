"""One strategy with and without the mixin, which writes down its loops' CPU and every request with who made it.

Lines of JSON in `probe.jsonl` beside the configuration: `{"loop": CPU seconds of the process so far}` at each beginning
of a loop, and `{"ours": bool, "api": , "path": , "method": , "cost": , "side": }` for each request of ccxt.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any, ClassVar

import ccxt
import ccxt.async_support
from freqtrade.strategy import IStrategy
from pandas import DataFrame

from freqtrade_fundhedge import FundHedgeMixin

LOG = os.environ.get("FUNDHEDGE_PROBE", "probe.jsonl")
LAST = [0.0]  # when the last loop began


def note(**what: Any) -> None:
    """Append one line."""
    with open(LOG, "a") as log:  # noqa: PTH123 - the bot's own thread, many times a second
        log.write(json.dumps({"at": time.time(), **what}) + "\n")


def keep_pace() -> None:
    """Begin a loop so many seconds after the last one as the file `pace` beside the log says, if there is one."""
    path = Path(LOG).with_name("pace")
    if path.exists():
        time.sleep(max(0.0, LAST[0] + float(path.read_text()) - time.monotonic()))
    LAST[0] = time.monotonic()


def is_ours() -> bool:
    """Whether anything of the package is on the stack: Freqtrade's own requests have nothing of it."""
    frame: Any = sys._getframe(2)
    while frame is not None:
        if str(frame.f_globals.get("__name__", "")).startswith("freqtrade_fundhedge."):
            return True
        frame = frame.f_back
    return False


def watch(kind: Any) -> None:
    """Note each request of a class of ccxt's before it leaves."""
    send = kind.fetch2

    def watched(
        self: Any, path: str, api: Any = ("public",), method: str = "GET", params: Any = None, config: Any = None
    ) -> Any:
        params, config = params or {}, config or {}
        cost = self.calculate_rate_limiter_cost(api, method, path, params, config)
        extra = {name: params[name] for name in ("side", "type", "symbol") if name in params}
        note(
            ours=is_ours(),
            api=[api] if isinstance(api, str) else list(api),
            path=path,
            method=method,
            cost=cost,
            **extra,
        )
        return send(self, path, api, method, params, config)

    kind.fetch2 = watched


watch(ccxt.Exchange)
watch(ccxt.async_support.Exchange)


class Plain(IStrategy):
    """Shorts every pair until there is no free slot, and holds."""

    INTERFACE_VERSION = 3
    timeframe = "1h"
    can_short = True
    startup_candle_count = 30
    process_only_new_candles = True
    stoploss = -99.0
    minimal_roi: ClassVar[dict[str, float]] = {}
    order_types: ClassVar[dict[str, Any]] = {
        "entry": "market", "exit": "market", "emergency_exit": "market", "force_entry": "market",
        "force_exit": "market", "stoploss": "market", "stoploss_on_exchange": False,
    }  # fmt: skip

    def bot_loop_start(self, **kwargs: Any) -> None:
        keep_pace()
        note(loop=time.process_time())
        super().bot_loop_start(**kwargs)

    def leverage(self, **_: Any) -> float:
        return 3.0

    def populate_indicators(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        return dataframe.assign(basis_gain=0.0, carry_balance=1.0)  # what the gate on predicted funding looks at

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        return dataframe.assign(enter_short=1, enter_tag="bench")

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        return dataframe.assign(exit_short=0)


class Hedged(FundHedgeMixin, Plain):
    """The same with a spot leg."""

    fundhedge_gate = True  # as the strategy of this package has it
