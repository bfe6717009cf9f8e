"""The `doctor` command: what stands between this configuration and a hedge, and what to do about it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from freqtrade_fundhedge.cli_common import ConfigOption, JsonOption, Loaded, load, print_json
from freqtrade_fundhedge.cli_doctor_setup import installed
from freqtrade_fundhedge.cli_doctor_steps import Check, Doctor
from freqtrade_fundhedge.cli_progress import waiting
from freqtrade_fundhedge.core.checks import Finding, Verdict
from freqtrade_fundhedge.errors import ConfigError
from freqtrade_fundhedge.trail_text import plain

WIDTH: Final = 80  # of output that goes into a file or a pipe
FITS, NEEDS_A_PERSON, BAD_CONFIG = 0, 1, 2
STYLES: Final = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.FAIL: "bold red", Verdict.SKIPPED: "dim"}


def doctor_command(
    config: ConfigOption = None,
    transfer_test: Annotated[
        bool, typer.Option("--transfer-test", help="Also move 1 USDT from spot to futures and back, journalled.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show what was found good, too.")] = False,
    as_machine: JsonOption = False,
) -> None:
    """Check everything that a hedge needs, from versions to a transfer, and say what to do about it.

    Nothing is changed, and without --transfer-test nothing is moved: safe beside a running bot. Exit code 0 when the
    bot can run, warnings included; 1 when something needs a person; 2 when the configuration can't be used.

    \b
    Examples:
      fundhedge doctor -c config.json
      fundhedge doctor -c config.json -c keys.json --transfer-test
      fundhedge doctor -c config.json --json
    """
    loaded, error = _configuration(config)
    doctor = Doctor(loaded, error, installed(), transfer_test)
    checks = _watched(doctor)
    if as_machine:
        print_json(_as_json(checks))
    else:
        _print(checks, verbose)
    raise typer.Exit(_code(checks))


def _configuration(files: Sequence[str] | None) -> tuple[Loaded | None, str]:
    try:
        return load(files), ""
    except ConfigError as error:
        return None, str(error)


def _watched(doctor: Doctor) -> list[Check]:
    """On a terminal, which question is being asked."""
    checks = []
    with waiting("versions") as tell:
        for check in doctor.checks():
            checks.append(check)
            tell(len(checks), what=f"{check.name} done")
    return checks


def _code(checks: Sequence[Check]) -> int:
    failed = [check.name for check in checks if check.verdict is Verdict.FAIL]
    if "config" in failed:
        return BAD_CONFIG
    return NEEDS_A_PERSON if failed else FITS


def _as_json(checks: Sequence[Check]) -> dict[str, Any]:
    counts = Counter(str(check.verdict) for check in checks)
    return {
        "counts": {str(verdict): counts[str(verdict)] for verdict in Verdict},
        "checks": [
            {
                "check": check.name,
                "verdict": check.verdict,
                "findings": [_fields(finding) for finding in check.findings],
                "details": list(check.details),
            }
            for check in checks
        ],
    }


def _fields(finding: Finding) -> dict[str, str]:
    return {name: value for name, value in asdict(finding).items() if name != "stage"}


def _print(checks: Sequence[Check], verbose: bool) -> None:
    out = Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else WIDTH)
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in checks:
        name = check.name
        for finding in _shown(check, verbose):
            table.add_row(name, Text(str(finding.verdict), style=STYLES[finding.verdict]), Text(plain(finding.text)))
            name = ""
            if finding.remedy:
                table.add_row("", "", Text(f"-> {plain(finding.remedy)}", style="bold"))
        for line in check.details if verbose else ():
            table.add_row("", "", Text(plain(line), style="dim"))
    out.print(table)
    out.print()
    out.print(_summary(checks))


def _shown(check: Check, verbose: bool) -> Sequence[Finding]:
    """All that is not well; where all is, or on request, what was found."""
    troubles = [finding for finding in check.findings if finding.verdict in (Verdict.WARN, Verdict.FAIL)]
    if verbose or not troubles:
        return check.findings
    return troubles


def _summary(checks: Sequence[Check]) -> Text:
    found = Counter(finding.verdict for check in checks for finding in check.findings)
    bad, odd = found[Verdict.FAIL], found[Verdict.WARN]
    left_out = sum(check.verdict is Verdict.SKIPPED for check in checks)
    note = f"; {left_out} {'check' if left_out == 1 else 'checks'} skipped" if left_out else ""
    if bad:
        return Text(f"{bad} to put right, {odd} to look at{note}.", style="bold red")
    if odd:
        return Text(f"Nothing in the way, {odd} to look at{note}.", style="yellow")
    return Text(f"All well{note}.", style="green")
