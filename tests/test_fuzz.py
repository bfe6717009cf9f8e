"""Bad input of every kind: a documented exit code, one clear line, no traceback, no secret."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from freqtrade_fundhedge.cli import COMMANDS, run
from freqtrade_fundhedge.journal import Journal

SECRETS = ("k3y-never-shown", "s3cret-never-shown", "passw0rd-never-shown", "spot-k3y-never-shown")
NOWHERE = "http://127.0.0.1:9"
CONFIG: dict[str, Any] = {
    "bot_name": "fuzz",
    "trading_mode": "futures",
    "margin_mode": "isolated",
    "stake_currency": "USDT",
    "stake_amount": 100,
    "max_open_trades": 2,
    "dry_run": False,
    "db_url": "sqlite:///trades.sqlite",
    "exchange": {
        "name": "binance",
        "key": SECRETS[0],
        "secret": SECRETS[1],
        "password": SECRETS[2],
        "pair_whitelist": ["BTC/USDT:USDT"],
        "ccxt_config": {"httpProxy": NOWHERE, "timeout": 1000},
    },
    "fundhedge": {
        "db_url": "sqlite:///journal.sqlite",
        "spot": {"key": SECRETS[3], "secret": SECRETS[1]},
        "carry": {}, "hedge": {}, "transfer": {}, "margin": {}, "paper": {},
    },
}  # fmt: skip
KEYS = (
    "trading_mode", "margin_mode", "stake_currency", "stake_amount", "max_open_trades", "dry_run", "db_url", "bot_name",
    "exchange", "exchange.name", "exchange.key", "exchange.secret", "exchange.pair_whitelist", "exchange.ccxt_config",
    "exchange.ccxt_config.timeout", "exchange.unknown_key", "fundhedge", "fundhedge.db_url", "fundhedge.spot",
    "fundhedge.spot.key", "fundhedge.spot.password", "fundhedge.carry", "fundhedge.carry.entry_apr",
    "fundhedge.carry.exit_apr", "fundhedge.carry.max_breakeven_hours", "fundhedge.carry.pairlist_file",
    "fundhedge.hedge.max_slippage", "fundhedge.hedge.unhedged_timeout_s", "fundhedge.hedge.orphans",
    "fundhedge.transfer", "fundhedge.transfer.enabled", "fundhedge.transfer.keep_usdt", "fundhedge.transfer.min_usdt",
    "fundhedge.transfer.max_attempts", "fundhedge.margin.leverage", "fundhedge.margin.stress_move",
    "fundhedge.paper.spot_usdt", "fundhedge.tranfer", "fundhedge.transfer.keep", "unknown_top", "timeframe",
    "user_data_dir", "strategy_path", "datadir",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, "", "x", "0", -1, 0, 1e308, -1e-308, 10**40, "1e999", "NaN", "Infinity", [], [1, "a"], {}, {"a": {}},
    "日本語\u202e", "\x00\x1b[2J", "a\nb", "sqlite:///nowhere/x.sqlite", "postgresql://u:passw0rd-never-shown@127.0.0.1:9/x",
    "../../../../etc/passwd", "%s%n{0}", "🦄" * 300,
)  # fmt: skip
TEXTS = (
    "", " ", "x", "-1", "0", "1e400", "9" * 50, "2026-13-45", "2026-02-30T25:00", "0001-01-01", "9999-12-31", "日本語",
    "BTC/USDT", "btc/usdt:usdt", "/", ":", "B%TC/USDT", "--", "\x00", "\x1b[31m", "a\nb", "../..", "/dev/null", ".",
    "config.json", "{}", "${HOME}", "%(x)s", "🦄", "true", "2026-01-01", "20260101-", "1",
)  # fmt: skip
INSIDE = tuple(text for text in TEXTS if not text.startswith((".", "/")))  # for what makes files
OPTIONS = {
    "status": ("--json", "--exchange", "--bogus"),
    "journal": ("--since", "--until", "--pair", "--kind", "--limit", "--csv", "--json", "--tax"),
    "scan": ("--min-volume", "--top", "--history", "--pairlist", "--json"),
    "report": ("--backtest", "--strategy", "--userdir", "--datadir", "--trades", "--json"),
    "download": ("--pairs", "--days", "--timerange", "--timeframe", "--userdir"),
    "sweep": ("--dry-run", "--json", "--bogus"),
    "doctor": ("--json", "--bogus"),
    "init": ("--userdir", "--bogus"),
}
FLAGS = {"--json", "--exchange", "--tax", "--trades", "--dry-run", "--bogus"}
Case = tuple[str, ...]


def changed(config: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """A copy with one key, dotted, changed."""
    copy: dict[str, Any] = json.loads(json.dumps(config))
    parts, at = key.split("."), copy
    for part in parts[:-1]:
        if not isinstance(at.get(part), dict):
            at[part] = {}
        at = at[part]
    at[parts[-1]] = value
    return copy


class Input:
    """A folder with a configuration and a journal, and a judge of what came out."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        self.faults: list[str] = []
        self.cases = 0

    def config(self, config: Any) -> None:
        text = config if isinstance(config, str) else json.dumps(config)
        (self.folder / "config.json").write_text(text, encoding="utf-8", errors="surrogatepass")

    def play(self, *arguments: str, note: object = "", codes: tuple[int, ...] = (0, 1, 2)) -> None:
        """Run one command line and remember what is wrong with its answer."""
        self.cases += 1
        try:
            code: int | str = run(arguments)
        except BaseException as error:  # noqa: BLE001 - that is what is looked for
            code = f"{type(error).__name__}: {error}"
        out, err = self.capsys.readouterr()
        if fault := verdict(code, out, err, codes, arguments):
            self.faults.append(f"{arguments} {str(note)[:200]}: {fault}")

    def done(self, at_least: int) -> None:
        assert self.cases >= at_least
        assert not self.faults, "\n".join([f"{len(self.faults)} of {self.cases}", *self.faults[:20]])


def verdict(code: int | str, out: str, err: str, codes: tuple[int, ...], arguments: Sequence[str]) -> str:
    """What is wrong with an answer, or ""."""
    if code not in codes:
        return f"ended with {code!r}, {err[-300:]!r}"
    if "Traceback" in out + err:
        return "a traceback"
    if any(secret in out + err for secret in SECRETS):
        return "a secret"
    # The doctor lists what is wrong with a configuration beside all else that it found.
    if (
        code == 2
        and not (out and arguments[0] == "doctor")
        and (out or err.count("\n") != 1 or not err.startswith("fundhedge: "))
    ):
        return f"not one line: {out[:100]!r} {err[:300]!r}"
    if code == 1 and not (out or err.count("\n") == 1):
        return f"not one line: {err[:300]!r}"
    if "\x1b[2J" in out + err or "\x1b[31m" in out + err or "\u202e" in out + err:
        return "what a terminal would obey"
    if "--json" in arguments and code == 0:
        try:
            json.loads(out)
        except ValueError:
            return f"not JSON: {out[:200]!r}"
    return ""


@pytest.fixture
def bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Input:
    monkeypatch.chdir(tmp_path)
    Journal("sqlite:///journal.sqlite", "fuzz").close()
    made = Input(tmp_path, capsys)
    made.config(CONFIG)
    return made


def quick() -> list[Case]:
    """Command lines that read the configuration and, with a good one, ask nobody but a closed port."""
    lines: list[Case] = [("status",), ("status", "--json"), ("journal", "--json"), ("journal", "--tax"), ("report",)]
    lines += [(name,) for name in ("sweep", "doctor") if name in COMMANDS]
    return [(line[0], "-c", "config.json", *line[1:]) for line in lines]


def test_config_values(bad: Input) -> None:
    """Any value at any key of both sections, with every command that reads them."""
    chance = random.Random(1)
    lines = quick()
    for number in range(220):
        key, value = chance.choice(KEYS), chance.choice(VALUES)
        bad.config(changed(CONFIG, key, value))
        bad.play(*lines[number % len(lines)], note=(key, value))
    bad.done(220)


def test_arguments(bad: Input) -> None:
    """Any text after any option."""
    chance = random.Random(2)
    names = [name for name in OPTIONS if name in COMMANDS and name not in {"scan", "download"}]
    for number in range(160):
        name = names[number % len(names)]
        line = [name] if name == "init" else [name, "-c", "config.json"]
        for option in chance.sample(OPTIONS[name], chance.randint(1, min(3, len(OPTIONS[name])))):
            line += [option] if option in FLAGS else [option, chance.choice(INSIDE if name == "init" else TEXTS)]
        if chance.random() < 0.2:
            line.append(chance.choice(TEXTS))
        bad.play(*line)
    bad.done(160)


@pytest.mark.parametrize("name", ["scan", "download"])
def test_arguments_of_what_asks_the_exchange(bad: Input, name: str) -> None:
    """Wrong options are told before a request; with good ones a closed port is one line."""
    chance = random.Random(3)
    for _ in range(12):
        line = [name, "-c", "config.json"]
        for option in chance.sample(OPTIONS[name], 2):
            line += [option] if option in FLAGS else [option, chance.choice(TEXTS)]
        bad.play(*line, codes=(1, 2))
    bad.done(12)


def test_environment(bad: Input, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables of Freqtrade's kind, good and bad, are part of the configuration."""
    for name, value, codes in (
        ("FREQTRADE__FUNDHEDGE__TRANSFER__KEEP_USDT", "5", (0,)),
        ("FREQTRADE__FUNDHEDGE__TRANSFER__KEEP_USDT", "five", (2,)),
        ("FREQTRADE__FUNDHEDGE__TRANSFER__KEEP_USD", "5", (2,)),
        ("FREQTRADE__FUNDHEDGE__TRANFER__KEEP_USDT", "5", (2,)),
        ("FREQTRADE__FUNDHEDGE", "5", (2,)),
        ("FREQTRADE__FUNDHEDGE__SPOT__KEY", SECRETS[3], (0,)),
        ("FREQTRADE__FUNDHEDGE__SPOT", SECRETS[3], (2,)),
        ("FREQTRADE__EXCHANGE", "binance", (2,)),
        ("FREQTRADE__DRY_RUN", "perhaps", (2,)),
        ("FREQTRADE__STAKE_AMOUNT", "-3", (0, 2)),
    ):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            bad.play("status", "-c", "config.json", note=(name, value), codes=codes)
    bad.done(10)


def broken_files(folder: Path) -> list[tuple[str, Callable[[], object]]]:
    """Names of broken inputs, and how each is made."""
    config, journal, result = folder / "config.json", folder / "journal.sqlite", folder / "result.zip"

    def link(path: Path, to: str) -> None:
        path.unlink()
        path.symlink_to(to)

    def folder_there(path: Path) -> None:
        path.unlink(missing_ok=True)
        path.mkdir()

    def half_a_database() -> None:
        content = journal.read_bytes()
        journal.write_bytes(content[: len(content) // 2])

    def another_database() -> None:
        journal.unlink()
        with sqlite3.connect(journal) as db:
            db.execute("create table hedges (id text)")
        db.close()

    def half_a_zip() -> None:
        with zipfile.ZipFile(result, "w") as file:
            file.writestr("result.json", "{" * 1000)
        result.write_bytes(result.read_bytes()[:60])

    return [
        ("config empty", lambda: config.write_text("")),
        ("config binary", lambda: config.write_bytes(bytes(range(256)))),
        ("config half", lambda: config.write_text(json.dumps(CONFIG)[:200])),
        ("config a list", lambda: config.write_text("[1]")),
        ("config deep", lambda: config.write_text("[" * 100_000)),
        ("config a folder", lambda: folder_there(config)),
        ("config shut", lambda: link(config, "/proc/self/mem")),
        ("config a loop", lambda: link(config, "config.json")),
        ("config gone", config.unlink),
        ("journal empty", lambda: journal.write_bytes(b"")),
        ("journal text", lambda: journal.write_text("not a database at all" * 100)),
        ("journal half", half_a_database),
        ("journal of others", another_database),
        ("journal a folder", lambda: folder_there(journal)),
        ("journal a loop", lambda: link(journal, "journal.sqlite")),
        ("journal gone", journal.unlink),
        ("zip half", half_a_zip),
        ("zip empty", lambda: result.write_bytes(b"")),
        ("zip a folder", lambda: folder_there(result)),
        ("zip gone", lambda: result.unlink(missing_ok=True)),
    ]  # fmt: skip


@pytest.mark.parametrize("number", range(20))
def test_broken_files(bad: Input, number: int) -> None:
    """Whatever lies where a file is expected."""
    what, make = broken_files(bad.folder)[number]
    make()
    for line in quick():
        arguments = (*line, "--backtest", "result.zip") if line[0] == "report" else line
        # The doctor goes on without a journal, and a result of a backtest concerns its report alone.
        needed = line[0] != "doctor" and (not what.startswith("zip") or line[0] == "report")
        bad.play(*arguments, note=what, codes=(1, 2) if needed else (0, 1, 2))
    bad.done(5)


@pytest.mark.parametrize(
    "arguments",
    [
        ["status", "-c", "nowhere.json"],
        ["journal", "-c", "config.json", "--since", "yesterday"],
        ["scan", "-c", "config.json"],
        ["nonsense\x1b[2J"],
        ["status", "-c", "config.json", "--watch", "-1"],
    ],
)
def test_real_processes(bad: Input, arguments: list[str]) -> None:
    """What the console script prints: no library adds a line, a warning or a traceback of its own."""
    done = subprocess.run(
        [sys.executable, "-c", "from freqtrade_fundhedge.cli import main; main()", *arguments],
        check=False, capture_output=True, text=True, timeout=60, cwd=bad.folder, env={**os.environ, "COLUMNS": "80"},
    )  # fmt: skip
    assert verdict(done.returncode, done.stdout, done.stderr, (1, 2), arguments) == ""
    assert done.stderr.count("\n") == 1
