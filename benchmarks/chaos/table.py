"""The table: what many scenarios came to, class by class."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from statistics import fmean

from benchmarks.chaos.batch import Day
from benchmarks.chaos.judge import MANY, MIN_USDT
from benchmarks.chaos.plan import CLASSES
from benchmarks.chaos.run import Result

HEAD = (
    "class", "who", "in full", "delivered", "left: mean", "worst", "at send", "taken USDT", "doubled transfers",
    "orders", "liquidated", "requests", "seconds",
)  # fmt: skip

STREAM_HEAD = (
    "stream", "days", "violations", "in full", "delivered", "doubled transfers", "orders", "unknown", "USDT-s unhedged",
)  # fmt: skip


def table(ours: Sequence[Result], snippet: Sequence[Result]) -> str:
    """Markdown that reads well in a terminal too."""
    rows = [HEAD, tuple("---" for _ in HEAD)]
    for klass in CLASSES:
        for who, results in (("fundhedge", ours), ("snippet", snippet)):
            mine = [result for result in results if result.klass == klass]
            if mine:
                rows.append((klass, who, *_row(mine, who)))
    return _aligned(rows)


def _aligned(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |" for row in rows
    )


def stream_table(days: Sequence[Day]) -> str:
    """The same days by what the exchange's stream did."""
    rows = [STREAM_HEAD, tuple("---" for _ in STREAM_HEAD)]
    for results in zip(*(day.streams for day in days), strict=True):
        counted = [r for r in results if r.due >= MANY]
        changed = sum(any(why.startswith(f"{results[0].stream}: ") for why in day.violations) for day in days)
        due = sum((r.due for r in counted), Decimal(0))
        row = (
            results[0].stream,
            str(len(results)),
            str(changed),
            f"{sum(r.left < MIN_USDT for r in counted)}/{len(counted)}",
            _percent(float(sum((r.delivered for r in counted), Decimal(0)) / due) if due else None, 2),
            str(sum(r.doubled_transfers for r in results)),
            str(sum(r.doubled_orders for r in results)),
            str(sum(r.outcome.unknown for r in results if r.outcome is not None)),
            f"{fmean(float(r.naked) for r in results):,.0f}",
        )
        rows.append(row)
    return _aligned(rows)


def _row(results: Sequence[Result], who: str) -> tuple[str, ...]:
    counted = [r for r in results if r.due >= MANY]
    due = sum((r.due for r in counted), Decimal(0))
    delivered = sum((r.delivered for r in counted), Decimal(0))
    left = [float(r.left / r.due) for r in counted]
    sends = [float(max(Decimal(0), after) / before) for r in results for before, after in r.at_send if before >= MANY]
    waits = [wait for r in results for wait in r.waits]
    return (
        f"{sum(r.left < MIN_USDT for r in counted)}/{len(counted)}",
        _percent(float(delivered / due) if due else None, 2),
        _percent(fmean(left) if left else None, 4),
        _percent(max(left, default=None), 3),
        _percent(fmean(sends) if sends else None, 3),
        f"{sum((r.taken for r in results), Decimal(0)):.0f}",
        str(sum(r.doubled_transfers for r in results)),
        str(sum(r.doubled_orders for r in results)) if who == "fundhedge" else "none sent",
        str(sum(r.liquidated for r in results)),
        f"{fmean(r.requests for r in results):.1f}",
        f"{fmean(waits):.1f}" if waits else "-",
    )


def _percent(share: float | None, digits: int) -> str:
    return "-" if share is None else f"{share * 100:.{digits}f} %"
