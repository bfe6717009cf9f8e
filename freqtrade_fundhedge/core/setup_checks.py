"""What is installed, and Freqtrade's configuration against ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from freqtrade_fundhedge.config import FundHedgeConfig
from freqtrade_fundhedge.core.checks import Finding, fail, ok, warn

WATCHED: Final = ("freqtrade", "ccxt", "pandas", "ta-lib")
STRATEGY: Final = "FundHedgeStrategy"
SLOW_LOOP_S: Final = 30


def version_findings(
    python: str, wanted_python: str, requirements: Sequence[str], installed: Mapping[str, str]
) -> Iterator[Finding]:
    """Python and packages against the range that this release was tested with.

    Parameters
    ----------
    python : its version
    wanted_python, requirements : as the package's metadata has them (`>=3.11`, `ccxt<4.6,>=4.5.90`)
    installed : versions by lower-case name; a package that is not there is missing from it
    """
    if wanted_python and not _fits(python, SpecifierSet(wanted_python)):
        yield fail("python", f"Python {python}, {wanted_python} is needed", "install it and make a new environment")
    else:
        yield ok("python", f"Python {python}")
    shown = []
    for requirement in _parsed(requirements):
        name, version = requirement.name.lower(), installed.get(requirement.name.lower(), "")
        if version and _fits(version, requirement.specifier):
            if name in WATCHED:
                shown.append(f"{requirement.name} {version}")
            continue
        what = f"{requirement.name} {version or 'is not installed'}, {requirement.specifier} is supported"
        yield fail(f"package {name}", what, f"pip install '{requirement.name}{requirement.specifier}'")
    yield ok("packages", ", ".join(shown) if shown else "no other package is needed")


def _parsed(requirements: Sequence[str]) -> Iterator[Requirement]:
    for line in requirements:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate():
            yield requirement


def _fits(version: str, specifier: SpecifierSet) -> bool:
    try:
        return specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return False


def config_findings(config: Mapping[str, Any], section: FundHedgeConfig) -> Iterator[Finding]:
    """Settings that are valid each for itself, and do not fit together."""
    mode = "dry-run" if config.get("dry_run", True) else "LIVE"
    margin, stake = _text(config.get("margin_mode")), config.get("stake_currency")
    yield ok("config", f"valid: {mode}, {margin} margin, {stake}, leverage {section.margin.leverage:g}")
    yield from _exit_findings(config)
    yield from _order_findings(config)
    if section.carry.maker_entries and not config.get("cancel_open_orders_on_exit"):
        text = "fundhedge.carry.maker_entries is true: an entry that waits could fill while the bot is stopped"
        yield fail("maker_entries", text, "set cancel_open_orders_on_exit to true")
    yield from _section_findings(config, section, margin)


def _exit_findings(config: Mapping[str, Any]) -> Iterator[Finding]:
    if config.get("use_exit_signal") is False:
        text = "use_exit_signal is false: a short whose spot leg failed would stay open"
        yield fail("use_exit_signal", text, "set it to true")
    if config.get("exit_profit_only"):
        text = "exit_profit_only is true: a hedged short also has to close at a loss of its own"
        yield fail("exit_profit_only", text, "set it to false")


def _order_findings(config: Mapping[str, Any]) -> Iterator[Finding]:
    types = config.get("order_types") or {}
    for side in ("entry", "exit"):
        if types.get(side) == "limit":
            text = f"order_types.{side} is limit: a leg that waits in the book leaves the other one naked"
            yield warn(f"order_types.{side}", text, 'set it to "market"')
    pause = (config.get("internals") or {}).get("process_throttle_secs", 5)
    if isinstance(pause, int | float) and pause > SLOW_LOOP_S:
        text = f"internals.process_throttle_secs is {pause:g}: a hedge is looked after only that often"
        yield warn("process_throttle_secs", text, "5 is a good value")


def _section_findings(config: Mapping[str, Any], section: FundHedgeConfig, margin_mode: str) -> Iterator[Finding]:
    margin = section.margin
    if margin.fund_entries and not section.transfer.enabled:
        text = "fundhedge.margin.fund_entries has no effect while fundhedge.transfer.enabled is false"
        yield warn("fund_entries", text, "bring margin to the futures wallet yourself, or switch transfers on")
    room = 1 / Decimal(str(margin.leverage))
    if margin_mode == "isolated" and margin.min_liquidation_distance >= room:
        text = (
            f"fundhedge.margin.min_liquidation_distance is {margin.min_liquidation_distance:.0%}: with leverage "
            f"{margin.leverage:g} each short is closer than that from the start"
        )
        yield warn("min_liquidation_distance", text, f"stay well below {room:.0%}, or lower the leverage")
    remote = any(item.get("method") == "RemotePairList" for item in config.get("pairlists") or [])
    if section.carry.pairlist_file and not remote:
        text = "fundhedge.carry.pairlist_file is written, but no RemotePairList reads it"
        yield warn("pairlist_file", text, "add RemotePairList to pairlists, or leave the file out")


def keys_finding(source: str, spot_source: str, dry_run: bool, complete: bool) -> Finding:
    """Where the keys come from, never what they are.

    Parameters
    ----------
    source : of Freqtrade's key, "" without one
    spot_source : of `fundhedge.spot`, "" without one
    complete : Freqtrade's key has its secret
    """
    both = f"; spot and transfers by one of its own, from {spot_source}" if spot_source else ""
    if source and complete:
        note = "; not used in a dry-run" if dry_run else ""
        return ok("keys", f"exchange.key from {source}{both}{note}")
    if dry_run:
        return ok("keys", "none, and a dry-run needs none")
    if source:
        return fail("keys", "exchange.key is set, exchange.secret is not", "set both")
    remedy = "put it into a file of its own (-c keys.json) or into FREQTRADE__EXCHANGE__KEY and __SECRET"
    return fail("keys", "no exchange.key, and the bot is to trade live", remedy)


def strategy_finding(name: object, path: str, found: bool, same: bool, looked_in: str) -> Finding:
    """Whether Freqtrade will find the strategy; `same`: as this release ships it."""
    if name and name != STRATEGY:
        return ok("strategy", f"{name}, a strategy of your own")
    if not found:
        return fail("strategy", f"no {STRATEGY}.py in {looked_in}", "fundhedge init puts it there")
    if not same:
        return warn("strategy", f"{path} is not the one of this release", "compare it with that of fundhedge init")
    note = "" if name else f"; not in the configuration, start with --strategy {STRATEGY}"
    return ok("strategy", f"{path}{note}")


def _text(value: object) -> str:
    return str(getattr(value, "value", value))
