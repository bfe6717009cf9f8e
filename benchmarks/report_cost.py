"""Time and memory of `fundhedge report` for backtests of many trades.

Made-up results of Freqtrade's shape (a trade is about 2 kB of JSON) and eight pairs with a year of candles. Each report
runs in a process of its own; memory is its highest resident size less that of a report of 100 trades. Trades pass
through in chunks, so a larger result takes longer, not more memory.

    python benchmarks/report_cost.py [--trades 10000 100000 400000] [--repeat 3]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from synthetic import FIRST_MS, HOUR_MS, write_pair

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
    about = {"timeframe": "1h", "starting_balance": 1e5, "backtest_start_ts": FIRST_MS}
    about["backtest_end_ts"] = FIRST_MS + (DAYS * 24 - 1) * HOUR_MS
    strategy = {"trades": [trade(number) for number in range(count)], "locks": [], **about}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("backtest-result-1.json", json.dumps({"strategy": {"FundHedgeStrategy": strategy}}))


def measured(home: Path, result: Path, *arguments: str) -> tuple[float, float, float]:
    """Seconds and CPU seconds, start of Python and its imports left out, and highest resident size in MB."""
    words = [sys.executable, "-c", PROGRAM, "report", "--backtest", str(result), *arguments]
    done = subprocess.run(words, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    seconds, cpu, size = map(float, done.stderr.split())
    return seconds, cpu, size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trades", type=int, nargs="+", default=[10_000, 100_000, 400_000])
    parser.add_argument("--repeat", type=int, default=3)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for seed, coin in enumerate(COINS):
            write_pair(home / "user_data" / "data" / "binance", coin, coin, 1.0, DAYS, seed, 100.0)
        exchange = {"name": "binance", "key": "", "secret": ""}
        config = {"trading_mode": "futures", "margin_mode": "isolated", "stake_currency": "USDT", "exchange": exchange}
        (home / "config.json").write_text(json.dumps(config))
        for count in (100, *wanted.trades):
            write_result(home / f"{count}.zip", count)
        for name, arguments in (("tables", ()), ("--json", ("--json",)), ("--html", ("--html", "page.html"))):
            least = measured(home, home / "100.zip", *arguments)[2]
            for count in wanted.trades:
                runs = [measured(home, home / f"{count}.zip", *arguments) for _ in range(wanted.repeat)]
                seconds, cpu = (median(run[i] for run in runs) for i in (0, 1))
                size = max(run[2] for run in runs)
                print(f"{name:8} {count:7,} trades  {seconds:5.2f} s, {cpu:5.2f} s CPU", end="")
                print(f"  {size:6.0f} MB, {size - least:+.0f} MB", flush=True)


if __name__ == "__main__":
    main()
