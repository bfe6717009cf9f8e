"""Time and memory of `fundhedge report` for backtests of many trades.

Made-up results of Freqtrade's shape (a trade is about 2 kB of JSON) and eight pairs with a year of candles. Each report
runs in a process of its own; memory is its highest resident size less that of a report of 100 trades. Trades pass
through in chunks, so a larger result takes longer, not more memory.

    python -m benchmarks.report_cost [--trades 100000 400000] [--repeat 3]
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from synthetic import FIRST_MS, HOUR_MS, write_pair

from benchmarks.rows import Row, options, row, show

FEW = 100
# Seconds for the tables of a hundred thousand trades; megabytes more than for a hundred, of any number.
LIMIT_S, LIMIT_AT, LIMIT_MB = 2.0, 100_000, 30.0
TIMEOUT_S = 120.0
KINDS = {"tables": (), "--json": ("--json",), "--html": ("--html", "page.html")}
COINS = ("BTC", "ETH", "BNB", "SOL", "XRP", "DOGE", "ADA", "LINK")
DAYS = 365
# The rest of what Freqtrade writes for a trade and an order, so that the file has its real weight.
MORE = {f"field_{number}": 1.2345678 for number in range(34)} | {"exchange": "binance", "timeframe": "60"}
MORE_OF_AN_ORDER = {f"field_{number}": 1.2345678 for number in range(8)}
PROGRAM = """
import sys, time
from freqtrade_fundhedge import cli, cli_report
begun, worked = time.perf_counter(), time.process_time()
code = cli.run(sys.argv[1:])
took, worked = time.perf_counter() - begun, time.process_time() - worked
# Not getrusage: that counts what the parent held when it forked.
highest = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(took, worked, int(highest.split()[1]) / 1024, file=sys.stderr)
sys.exit(code)
"""


def trade(number: int) -> dict[str, object]:
    """As Freqtrade writes it."""
    opened = FIRST_MS + number % ((DAYS - 20) * 24) * HOUR_MS
    closed = opened + (24 + number % 400) * HOUR_MS
    fill = {"amount": 10.0, "safe_price": 100.0, "ft_order_tag": "carry", **MORE_OF_AN_ORDER}
    return {
        "pair": f"{COINS[number % len(COINS)]}/USDT:USDT",
        "max_stake_amount": 1000.0,
        "open_timestamp": opened,
        "close_timestamp": closed,
        "fee_open": 0.0005,
        "fee_close": 0.0005,
        "exit_reason": ("funding", "basis", "force_exit")[number % 3],
        "is_short": True,
        "funding_fees": 1.5,
        "orders": [
            fill | {"ft_order_side": "sell", "order_filled_timestamp": opened, "ft_is_entry": True},
            fill | {"ft_order_side": "buy", "order_filled_timestamp": closed, "ft_is_entry": False},
        ],
        **MORE,
    }


def write_result(path: Path, count: int) -> None:
    """A result of a backtest."""
    about = {"timeframe": "1h", "starting_balance": 1e5, "backtest_start_ts": FIRST_MS}
    about["backtest_end_ts"] = FIRST_MS + (DAYS * 24 - 1) * HOUR_MS
    strategy = {"trades": [trade(number) for number in range(count)], "locks": [], **about}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("backtest-result-1.json", json.dumps({"strategy": {"FundHedgeStrategy": strategy}}))


def measured(home: Path, count: int, kind: str) -> tuple[float, float, float]:
    """Seconds and CPU seconds, start of Python and its imports left out, and highest resident size in MB."""
    words = [sys.executable, "-c", PROGRAM, "report", "--backtest", str(home / f"{count}.zip"), *KINDS[kind]]
    done = subprocess.run(
        words, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False, timeout=TIMEOUT_S
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    seconds, cpu, size = map(float, done.stderr.split())
    return seconds, cpu, size


def rows(home: Path, count: int, kind: str, repeat: int, least: float) -> list[Row]:
    """Time and memory of one kind of report."""
    runs = [measured(home, count, kind) for _ in range(repeat)]
    seconds, cpu, sizes = ([run[i] for run in runs] for i in (0, 1, 2))
    more, limited = max(sizes) - least, kind == "tables" and count <= LIMIT_AT
    name = f"report of {count:,} trades, {kind}"
    return [
        row(
            name, seconds, "s", digits=2, against=f"{median(cpu):.2f} s CPU",
            limit=f"{LIMIT_S:.0f} s" if limited else "", kept=median(seconds) <= LIMIT_S if limited else None,
        ),
        row(
            f"{name}: memory", sizes, "MB", digits=0, against=f"{least:.0f} MB for {FEW} trades: {more:+.0f} MB",
            limit=f"{LIMIT_MB:.0f} MB more", kept=more <= LIMIT_MB,
        ),
    ]  # fmt: skip


def prepare(home: Path, counts: list[int]) -> None:
    """Candles, a configuration and results."""
    for seed, coin in enumerate(COINS):
        write_pair(home / "user_data" / "data" / "binance", coin, coin, 1.0, DAYS, seed, 100.0)
    exchange = {"name": "binance", "key": "", "secret": ""}
    config = {"trading_mode": "futures", "margin_mode": "isolated", "stake_currency": "USDT", "exchange": exchange}
    (home / "config.json").write_text(json.dumps(config))
    for count in counts:
        write_result(home / f"{count}.zip", count)


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--trades", type=int, nargs="+", default=[100_000])
    parser.add_argument("--repeat", type=int, default=3)
    wanted = parser.parse_args()
    if wanted.quick:
        wanted.trades, wanted.repeat = [10_000], 1
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        prepare(home, [FEW, *wanted.trades])
        for kind in KINDS:
            least = measured(home, FEW, kind)[2]
            for count in wanted.trades:
                show(rows(home, count, kind, wanted.repeat, least), wanted.json)


if __name__ == "__main__":
    main()
