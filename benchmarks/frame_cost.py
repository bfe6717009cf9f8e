"""CPU of `populate_indicators` of one pair, beside that of Freqtrade's sample strategy on the same candles.

Made-up candles of as many hours as a live bot has at a start. Freqtrade does this once a candle for each pair.

    python -m benchmarks.frame_cost [--repeat 50]
"""

from __future__ import annotations

import importlib.util
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import freqtrade
import numpy as np
import pandas as pd

from benchmarks.rows import options, row, show
from freqtrade_fundhedge.core.carry import CarryParams
from freqtrade_fundhedge.frames import hedge_frame, startup_candles

HOUR = pd.Timedelta(hours=1)


def candles(count: int, seed: int) -> pd.DataFrame:
    """A random walk of hourly candles."""
    dice = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(dice.normal(0, 0.005, count)))
    dates = pd.date_range("2026-01-01", periods=count, freq=HOUR, tz="UTC")
    frame = pd.DataFrame({"date": dates, "open": close, "high": close * 1.002, "low": close * 0.998, "close": close})
    return frame.assign(volume=dice.uniform(1, 2, count))


def sample() -> Any:
    """Freqtrade's sample strategy."""
    path = Path(freqtrade.__file__).parent / "templates" / "sample_strategy.py"
    spec = importlib.util.spec_from_file_location("sample_strategy", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["sample_strategy"] = module
    spec.loader.exec_module(module)
    return module.SampleStrategy({"candle_type_def": "futures"})


def timed(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return (time.process_time() - begun) * 1000


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--repeat", type=int, default=50)
    wanted = parser.parse_args()
    repeat = 10 if wanted.quick else wanted.repeat
    count = startup_candles("1h")
    perp, spot, mark = (candles(count, seed) for seed in (1, 1, 1))
    settled = perp[perp["date"].dt.hour % 8 == 0][["date"]]
    rates = settled.assign(**dict.fromkeys(("open", "high", "low", "close"), 0.0002), volume=0.0)
    theirs, params = sample(), CarryParams()
    steps = {
        "ours": lambda: hedge_frame(perp.copy(), 1.0, "1h", rates, mark, spot, params),
        "sample": lambda: theirs.populate_indicators(perp.copy(), {"pair": "BTC/USDT:USDT"}),
    }
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(repeat):
        for name, step in steps.items():
            times[name].append(timed(step))
    other = statistics.median(times["sample"])
    ratio = statistics.median(times["ours"]) / other
    against = f"{other:.1f} ms of Freqtrade's sample strategy: {ratio:.1f} x"
    show(
        [row(f"populate_indicators of a pair, {count:,} candles: CPU", times["ours"], "ms", against=against)],
        wanted.json,
    )


if __name__ == "__main__":
    main()
