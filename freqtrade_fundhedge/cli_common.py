"""What the commands share: options, Freqtrade's configuration, and output for people and for machines."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
from freqtrade.config_schema.config_schema import CONF_SCHEMA, SCHEMA_TRADE_REQUIRED
from freqtrade.configuration.config_validation import validate_config_consistency
from freqtrade.configuration.environment_vars import environment_vars_to_dict
from freqtrade.configuration.load_config import load_config_file, load_from_files
from freqtrade.constants import DEFAULT_CONFIG, DEFAULT_DB_DRYRUN_URL, DEFAULT_DB_PROD_URL
from freqtrade.enums import RunMode
from freqtrade.exceptions import OperationalException
from freqtrade.misc import deep_merge_dicts
from jsonschema import Draft4Validator
from jsonschema.exceptions import best_match
from rich.console import Console
from rich.table import Table

from freqtrade_fundhedge.config import FundHedgeConfig, check_freqtrade, parse
from freqtrade_fundhedge.errors import ConfigError, redact

ConfigOption = Annotated[
    list[str] | None,
    typer.Option(
        "--config",
        "-c",
        metavar="PATH",
        help="Freqtrade configuration; repeatable, later files win. Default: user_data/config.json, else config.json.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of tables.")]

# Freqtrade's schema says nothing about these.
PATHS = ("user_data_dir", "datadir", "strategy_path")
_SECRET_KEYS = re.compile(r"key|secret|password|uid|token|account|address", re.IGNORECASE)


@dataclass(frozen=True)
class Loaded:
    """A whole Freqtrade configuration, with `db_url` and `dry_run` filled in, and its fundhedge section."""

    config: dict[str, Any]
    section: FundHedgeConfig


def load(files: Sequence[str] | None) -> Loaded:
    """Read a configuration as Freqtrade does: files merged in order, then `FREQTRADE__...` variables.

    Parameters
    ----------
    files : as given with -c, "-" for standard input; empty: the file that Freqtrade itself would take

    Raises
    ------
    ConfigError : one line that names the file or key and what would be right
    """
    chosen = config_files(files)
    try:
        config: dict[str, Any] = deep_merge_dicts(environment_vars_to_dict(), load_from_files(chosen))
    except (OperationalException, OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ConfigError(_blame(chosen, error)) from None
    _check_schema(config)
    for key in PATHS:
        if not isinstance(config.get(key, ""), str | None):
            raise ConfigError(f"{key}: a path is expected")
    config["dry_run"] = config.get("dry_run", True)
    config["db_url"] = _database(config)
    section = parse(config)
    check_freqtrade(config, section)
    return Loaded(config, section)


def freqtrade_fault(config: dict[str, Any]) -> str:
    """What Freqtrade itself would refuse at its start, in its own words; "" when it would not.

    What the strategy brings with it counts as there.
    """
    known = CONF_SCHEMA["properties"]
    whole = {"timeframe": "1h", "stoploss": -0.99, "minimal_roi": {}, **without_secrets(config)}
    whole["runmode"] = RunMode.DRY_RUN if config["dry_run"] else RunMode.LIVE
    missing = [key for key in SCHEMA_TRADE_REQUIRED if key not in whole and "default" not in known.get(key, {})]
    if missing:
        return f"{missing[0]} is missing"
    try:
        validate_config_consistency(whole)
    except OperationalException as error:
        return str(error).splitlines()[0][:200]
    return ""


def without_secrets(value: dict[str, Any]) -> dict[str, Any]:
    """A copy for checks that may log what they check; as long as they are, or checks of their length would fail."""
    return {
        name: without_secrets(part)
        if isinstance(part, dict)
        else "*" * len(part)
        if isinstance(part, str) and _SECRET_KEYS.search(name)
        else copy.deepcopy(part)
        for name, part in value.items()
    }


def origin(config: dict[str, Any], *keys: str) -> str:
    """Where a setting (`"exchange.key"`; the first of several that is there) comes from; "" when it is empty."""

    def in_it(source: dict[str, Any], key: str) -> bool:
        value: Any = source
        for part in key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return bool(value)

    if not any(in_it(config, key) for key in keys):
        return ""
    if any(in_it(environment_vars_to_dict(), key) for key in keys):
        return "the environment"
    files = [name for name in config.get("config_files", []) if name != "-"]
    return next((name for name in files if any(in_it(load_config_file(name), k) for k in keys)), "standard input")


def print_json(value: object) -> None:
    """Print a value as JSON; decimals and everything else that JSON lacks become text."""
    typer.echo(json.dumps(value, indent=2, default=str))


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows as a table; columns of numbers only are aligned to the right."""
    body = [list(row) for row in rows]
    table = Table(title=title, title_justify="left")
    for index, column in enumerate(columns):
        numbers = bool(body) and all(isinstance(row[index], int | float | Decimal) for row in body)
        table.add_column(column, justify="right" if numbers else "left", overflow="fold")
    for row in body:
        table.add_row(*(f"{cell:f}" if isinstance(cell, Decimal) else str(cell) for cell in row))
    Console().print(table)


def config_files(files: Sequence[str] | None) -> list[str]:
    """The files that were named, else the one that Freqtrade itself would take."""
    beside_data = Path("user_data") / DEFAULT_CONFIG
    return list(files or [str(beside_data) if beside_data.is_file() else DEFAULT_CONFIG])


def _database(config: dict[str, Any]) -> str:
    """Freqtrade's own rule: a dry-run never uses the default live database."""
    url = config.get("db_url") or DEFAULT_DB_PROD_URL
    return str(DEFAULT_DB_DRYRUN_URL if config["dry_run"] and url == DEFAULT_DB_PROD_URL else url)


def _blame(files: Sequence[str], error: Exception) -> str:
    """One line about the first file that is at fault, else about what was said."""
    for name in files:
        fault = "" if name == "-" else _fault(Path(name))
        if fault:
            return f"{name}: {fault}"
    if isinstance(error, OperationalException):
        return str(error).splitlines()[0]
    return "configuration files and FREQTRADE__ variables don't fit together: a value where an object is expected"


def _fault(path: Path) -> str:
    try:
        content = load_config_file(str(path))
    except OperationalException as error:
        if not path.exists():
            return "no such file"
        offset = re.search(r"offset (\d+)", str(error))
        line = path.read_bytes()[: int(offset[1])].count(b"\n") + 1 if offset else 1
        return f"not valid JSON, line {line}"
    except OSError as error:
        return (error.strerror or type(error).__name__).lower()
    except (ValueError, RecursionError):
        return "not valid JSON"
    return "" if isinstance(content, dict) else "an object like {...} is expected"


def _check_schema(config: dict[str, Any]) -> None:
    """Freqtrade's own schema, in one line with the key's name, and never with a credential in it."""
    error = best_match(Draft4Validator(CONF_SCHEMA).iter_errors(config))
    if error is None:
        return
    where = ".".join(str(part) for part in error.absolute_path)
    if any(_SECRET_KEYS.search(str(part)) for part in error.absolute_path):
        raise ConfigError(f"{where}: not of the {error.validator} that Freqtrade expects")
    message = redact(error.message.splitlines()[0])[:200]
    raise ConfigError(f"{where}: {message}" if where else message)
