"""The `scan` command: what every pair with both markets pays now."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from freqtrade_fundhedge.cli_common import ConfigOption, JsonOption, Loaded, load, print_json
from freqtrade_fundhedge.cli_progress import waiting
from freqtrade_fundhedge.client import user_settings
from freqtrade_fundhedge.config import FundHedgeConfig
from freqtrade_fundhedge.core.carry import CarryParams
from freqtrade_fundhedge.errors import FundHedgeError
from freqtrade_fundhedge.pairlist_file import check_target, write_pairlist
from freqtrade_fundhedge.scan import HISTORY, MIN_VOLUME, MOST_HISTORY, TOP, Row, Scan, Wish, patterns
from freqtrade_fundhedge.venue.bulk import public_api
from freqtrade_fundhedge.venue.live import PublicSpot

VolumeOption = Annotated[
    float, typer.Option(help="Least volume in 24 hours on each of both markets, in the stake currency.", min=0)
]
HistoryOption = Annotated[
    int,
    typer.Option(
        help="Pairs, the most promising, whose settled funding is read: one request each.", min=0, max=MOST_HISTORY
    ),
]
PairlistOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Also write the pairs to a file for Freqtrade's RemotePairList.")
]
HEADERS = ("perp\n24 h", "spot\n24 h", "spread", "h", "predict\nApr", "settled\nApr", "basis", "even\nh", "net\n30 d")


class NothingPasses(FundHedgeError):
    """No pair is left to write down."""


def scan_command(
    config: ConfigOption = None,
    min_volume: VolumeOption = MIN_VOLUME,
    top: Annotated[int, typer.Option(help="Pairs to show.", min=1)] = TOP,
    history: HistoryOption = HISTORY,
    pairlist: PairlistOption = None,
    as_machine: JsonOption = False,
) -> None:
    """Rank every pair that has both markets by what a hedge would earn. Public data only, no key.

    \b
    Examples:
      fundhedge scan
      fundhedge scan -c config.json --min-volume 5000000 --top 10
      fundhedge scan -c config.json --pairlist user_data/pairs.json
    """
    if pairlist is not None:
        check_target(pairlist, "--pairlist")
    loaded = _configuration(config)
    exchange, section = loaded.config["exchange"], loaded.section
    blacklist = patterns(exchange.get("pair_blacklist", []))
    wish = Wish(str(loaded.config["stake_currency"]), min_volume, top, history, blacklist)
    api = public_api(str(exchange["name"]), user_settings(exchange))
    scan = Scan(api, PublicSpot(api).funding, CarryParams(**section.carry.thresholds()), wish)
    _run(scan)
    at = time.time()
    if pairlist is not None:
        if not scan.rows:
            raise NothingPasses(f"no pair passes the filters: {pairlist} is left as it was")
        write_pairlist(pairlist, [row.pair for row in scan.rows], at)
    if as_machine:
        print_json(_as_json(scan, str(api.id), at))
    else:
        _print(scan, str(api.id), wish, at, pairlist)


def _configuration(files: Sequence[str] | None) -> Loaded:
    """The user's; without any, Binance and the defaults, since nothing here needs a key."""
    if not files and not any(Path(name).is_file() for name in ("config.json", "user_data/config.json")):
        return Loaded({"exchange": {"name": "binance"}, "stake_currency": "USDT"}, FundHedgeConfig())
    return load(files)


def _run(scan: Scan) -> None:
    with waiting("settled funding") as tell:
        for done, total in scan.steps():
            tell(done, total or None)


def _as_json(scan: Scan, exchange: str, at: float) -> dict[str, Any]:
    return {
        "exchange": exchange,
        "at": datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds"),
        **asdict(scan.counts),
        "pairs": [dict(_fields(row)) for row in scan.rows],
    }


def _fields(row: Row) -> Iterator[tuple[str, object]]:
    """JSON has neither NaN nor infinity: null stands for not known, and for a break-even that never comes."""
    flat = asdict(row)
    for name, value in {**flat, **flat.pop("outlook")}.items():
        if name != "outlook":
            yield name, None if isinstance(value, float) and not math.isfinite(value) else value


LEGEND = (
    "Apr: funding a year; predicted for this interval, and settled (mean of a day). Spread: both books, 1/10000. "
    "Even: hours that earn the round trip at this spread. Net: 30 days of funding less the round trip."
)


def _print(scan: Scan, exchange: str, wish: Wish, at: float, pairlist: Path | None) -> None:
    console, counts = Console(highlight=False), scan.counts
    when = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    console.print(
        f"{exchange}, {when}: {counts.perpetuals} perpetuals in {wish.stake}, {counts.hedgeable} with a spot market, "
        f"{counts.passed} of them with {_short(wish.min_volume)} traded a day on both sides."
    )
    if scan.rows:
        console.print("", _table(scan.rows), "", LEGEND, sep="\n")
    if counts.measured < counts.passed:
        console.print(
            f"Settled funding was read for the {counts.measured} most promising of {counts.passed} (--history): "
            "highest predicted funding less spread."
        )
    if pairlist is not None:
        console.print(f"{len(scan.rows)} pairs written to {pairlist}", soft_wrap=True)


def _table(rows: Sequence[Row]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("pair", overflow="fold", max_width=16)
    for header in HEADERS:
        table.add_column(header, justify="right", no_wrap=True)
    for row in rows:
        out = row.outlook
        table.add_row(
            row.pair.partition(":")[0],
            _short(row.futures_volume),
            _short(row.spot_volume),
            _number(row.spread * 1e4, ".1f"),
            f"{row.interval_h:.0f}",
            _number(row.predicted_apr * 100, ".1f", "%"),
            _number(out.apr_smooth * 100, ".1f", "%"),
            _number(row.basis * 100, ".2f", "%"),
            "never" if math.isinf(out.breakeven_h) else _number(out.breakeven_h, ".0f"),
            _number(out.net_carry * 100, ".2f", "%"),
        )
    return table


def _number(value: float, shape: str, unit: str = "") -> str:
    return f"{value:{shape}}{unit}" if math.isfinite(value) else "-"


def _short(amount: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if amount >= size:
            return f"{amount / size:.3g}{letter}" if amount < size * 1000 else f"{amount / size:.0f}{letter}"
    return f"{amount:.0f}"
