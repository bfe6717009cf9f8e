"""Rows of the table of costs: what was measured, against what, and the command that measures it again."""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes
    ----------
    what : what was measured
    median, worst : of all its runs, with their unit
    against : what it is compared with, and by how much; "" for nothing
    limit : what it has to keep to; "" for no limit
    kept : whether it does; None without a limit
    command : measures this row alone
    """

    what: str
    median: str
    worst: str = ""
    against: str = ""
    limit: str = ""
    kept: bool | None = None
    command: str = ""


def row(
    what: str, figures: Sequence[float], unit: str = "", *, digits: int = 1, against: str = "", limit: str = "",
    kept: bool | None = None,
) -> Row:  # fmt: skip
    """A row of many figures."""
    shown = [f"{value:,.{digits}f} {unit}".strip() for value in (statistics.median(figures), max(figures))]
    return Row(what, shown[0], shown[1] if len(figures) > 1 else "", against, limit, kept)


def options(description: str | None) -> argparse.ArgumentParser:
    """The options that every benchmark has."""
    parser = argparse.ArgumentParser(description=(description or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a small run")
    parser.add_argument("--json", action="store_true", help="one JSON object a row")
    return parser


def show(rows: Sequence[Row], as_json: bool) -> None:
    """Print rows for people or for the whole table."""
    for line in rows:
        if as_json:
            print(json.dumps(asdict(line)), flush=True)
            continue
        worst = f", worst {line.worst}" if line.worst else ""
        notes = [text for text in (line.against, line.limit and f"limit {line.limit}") if text]
        verdict = {True: " (kept)", False: " (NOT KEPT)", None: ""}[line.kept]
        print(f"{line.what}: {line.median}{worst}{'; ' if notes else ''}{'; '.join(notes)}{verdict}", flush=True)


def markdown(rows: Sequence[Row]) -> str:
    """All rows as a table."""
    head = ["| what | median | worst | against | limit | alone |", "|---|---|---|---|---|---|"]
    verdict = {True: "", False: " **not kept**", None: ""}
    return "\n".join(
        head
        + [
            f"| {r.what} | {r.median} | {r.worst} | {r.against} | {r.limit}{verdict[r.kept]} | `{r.command}` |"
            for r in rows
        ]
    )
