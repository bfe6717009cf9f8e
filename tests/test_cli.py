"""The `fundhedge` command: exit codes, one-line errors, and configurations read as Freqtrade reads them."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import typer

from freqtrade_fundhedge.cli import COMMANDS, main, run
from freqtrade_fundhedge.cli_common import (
    ConfigOption,
    JsonOption,
    Loaded,
    freqtrade_fault,
    load,
    print_json,
    print_table,
)
from freqtrade_fundhedge.errors import ConfigError, Denied, JournalError, StartRefused

GOOD: dict[str, Any] = {
    "trading_mode": "futures",
    "margin_mode": "isolated",
    "stake_currency": "USDT",
    "exchange": {"name": "binance", "key": "", "secret": ""},
}
HIDDEN = "Zq9-very-private-Zq9"


@pytest.fixture(autouse=True)
def _in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(name: str, content: object) -> str:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return name


def refusal(*files: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(files)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_installed_command_answers() -> None:
    """The console script is there, and its version is the package's."""
    program = Path(sys.executable).parent / "fundhedge"
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"fundhedge {importlib.metadata.version('freqtrade-fundhedge')}\n"
    assert done.stderr == ""


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_help_lists_every_command(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Without arguments the command shows what there is, and each command has a line of its own there."""
    assert run(arguments) == 0
    listed = capsys.readouterr().out
    assert "--version" in listed
    for name in COMMANDS:
        assert f"\n  {name} " in listed


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`fundhedge COMMAND --help` works for all of them."""
    assert run([name, "--help"]) == 0
    assert f"fundhedge {name}" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["hold"], ["--nope"], ["sandbox", "--nope"], ["sandbox", "--port", "x"]])
def test_bad_usage_is_one_line_and_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong command or option is told in one line on standard error."""
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("fundhedge: ")
    assert err.count("\n") == 1


def failing_with(error: BaseException) -> typer.Typer:
    application = typer.Typer(add_completion=False)

    @application.command()
    def fail() -> None:
        raise error

    return application


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("a.b: wrong"), 2),
        (StartRefused("hedge mode: switch it off"), 1),
        (JournalError("locked\nby another"), 1),
        (Denied("binance {}", "-2015"), 1),
        (PermissionError(13, "Permission denied", "journal.sqlite"), 1),
        (KeyboardInterrupt(), 130),
        (typer.Exit(1), 1),
        (SystemExit(3), 3),
    ],
)
def test_an_error_ends_in_its_code(error: BaseException, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Bad configuration is 2, whatever else needs a person is 1, and neither shows a traceback."""
    try:
        ended: object = run(["--"], failing_with(error))
    except SystemExit as left:
        ended = left.code
    assert ended == code
    assert "Traceback" not in capsys.readouterr().err


def test_the_line_names_the_program_and_the_fault(capsys: pytest.CaptureFixture[str]) -> None:
    """A fault of several lines is told in one."""
    run(["--"], failing_with(JournalError("locked\n  by another")))
    assert capsys.readouterr().err == "fundhedge: locked by another\n"


def test_a_fault_of_ours_keeps_its_traceback() -> None:
    """What no user can cause is not dressed up as a user's error."""
    application = failing_with(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        run(["--"], application)


def test_main_leaves_with_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry point hands the code to the shell."""
    monkeypatch.setattr(sys, "argv", ["fundhedge", "--nope"])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2


def test_config_and_json_options_reach_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    """-c may be repeated and --json is a flag, after the command's name as in Freqtrade."""
    application = typer.Typer(add_completion=False)

    @application.command()
    def show(config: ConfigOption = None, as_json: JsonOption = False) -> None:
        typer.echo(f"{config} {as_json}")

    assert run(["-c", "a.json", "--config", "b.json", "--json"], application) == 0
    assert capsys.readouterr().out == "['a.json', 'b.json'] True\n"


def test_later_files_win() -> None:
    """Several files are merged in order, key by key."""
    one = written("one.json", GOOD | {"fundhedge": {"carry": {"entry_apr": 0.2}, "paper": {"spot_usdt": 5}}})
    two = written("two.json", {"fundhedge": {"carry": {"entry_apr": 0.3}}})
    section = load([one, two]).section
    assert section.carry.entry_apr == 0.3
    assert section.paper.spot_usdt == 5


def test_comments_and_further_files_are_read_as_freqtrade_does() -> None:
    """Comments, trailing commas and add_config_files work as in the bot."""
    written("sub/keys.json", {"fundhedge": {"spot": {"key": "k", "secret": "s"}}})
    text = json.dumps(GOOD | {"add_config_files": ["sub/keys.json"]})
    loaded = load([written("main.json", "// mine\n" + text[:-1] + ",}")])
    assert loaded.section.spot.key is not None


def test_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """FREQTRADE__FUNDHEDGE__... overrides the files, as for every other key of Freqtrade's."""
    monkeypatch.setenv("FREQTRADE__FUNDHEDGE__TRANSFER__KEEP_USDT", "12.5")
    name = written("c.json", GOOD | {"fundhedge": {"transfer": {"keep_usdt": 1}}})
    assert load([name]).section.transfer.keep_usdt == Decimal("12.5")


@pytest.mark.parametrize("place", ["config.json", "user_data/config.json"])
def test_without_c_the_file_is_freqtrades_own(place: str) -> None:
    """The default is where Freqtrade looks: user_data/config.json, else config.json."""
    written("config.json", GOOD | {"bot_name": "config.json"})
    written(place, GOOD | {"bot_name": place})
    assert load(None).config["bot_name"] == place


@pytest.mark.parametrize(
    ("given", "dry_run", "database"),
    [
        ({}, True, "sqlite:///tradesv3.dryrun.sqlite"),
        ({"dry_run": True, "db_url": "sqlite:///tradesv3.sqlite"}, True, "sqlite:///tradesv3.dryrun.sqlite"),
        ({"dry_run": False}, False, "sqlite:///tradesv3.sqlite"),
        ({"dry_run": False, "db_url": "sqlite:///mine.sqlite"}, False, "sqlite:///mine.sqlite"),
    ],
)
def test_the_database_is_the_one_the_bot_uses(given: dict[str, Any], dry_run: bool, database: str) -> None:
    """The default database follows dry_run as it does in Freqtrade."""
    loaded: Loaded = load([written("c.json", GOOD | given)])
    assert (loaded.config["dry_run"], loaded.config["db_url"]) == (dry_run, database)


def test_a_missing_file_is_named() -> None:
    """A file that is not there is told by its name."""
    assert refusal("nowhere.json") == "nowhere.json: no such file"


def test_a_missing_further_file_is_named() -> None:
    """So is one that another file asks for."""
    assert "gone.json" in refusal(written("c.json", GOOD | {"add_config_files": ["gone.json"]}))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{\n"a": 1,\n"secret": "' + HIDDEN + '" "b"}', "c.json: not valid JSON, line 3"),
        ("", "c.json: not valid JSON"),
        ("[1]", "c.json: an object like {...} is expected"),
        ("5", "c.json: an object like {...} is expected"),
    ],
)
def test_what_is_not_a_json_object_is_refused(text: str, told: str) -> None:
    """A broken file is named with the line of the fault, and nothing of its content is shown."""
    message = refusal(written("c.json", text))
    assert message.startswith(told)
    assert HIDDEN not in message


def test_a_directory_and_a_binary_are_refused(tmp_path: Path) -> None:
    """A path that is no text file ends in one line, too."""
    assert refusal(str(tmp_path)).endswith(": is a directory")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    assert refusal("binary").startswith("binary: not valid JSON")


def test_the_right_one_of_several_files_is_blamed() -> None:
    """Among several files the message names the one that is broken."""
    assert refusal(written("a.json", GOOD), written("b.json", "{")).startswith("b.json: ")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"stake_amount": "lots"}, "stake_amount: "),
        ({"exchange": []}, "exchange: "),
        ({"trading_mode": "spot"}, 'trading_mode: "futures" is needed'),
        ({"fundhedge": {"tranfer": {}}}, "fundhedge.tranfer: unknown key, did you mean transfer?"),
        ({"margin_mode": ""}, "margin_mode: "),
    ],
)
def test_a_wrong_key_is_named(given: dict[str, Any], told: str) -> None:
    """Freqtrade's schema, the mode and our own section are checked, each in one line that names the key."""
    assert refusal(written("c.json", GOOD | given)).startswith(told)


def test_a_schema_fault_shows_no_credential() -> None:
    """A credential of the wrong type is refused without being printed."""
    message = refusal(written("c.json", GOOD | {"exchange": {"name": "binance", "key": [HIDDEN]}}))
    assert message.startswith("exchange.key: ")
    assert HIDDEN not in message


def test_contradicting_variables_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables that give one key both a value and parts are told, not a traceback."""
    monkeypatch.setenv("FREQTRADE__EXCHANGE", "binance")
    monkeypatch.setenv("FREQTRADE__EXCHANGE__NAME", "binance")
    assert "FREQTRADE__" in refusal(written("c.json", GOOD))


def test_json_output_is_exact(capsys: pytest.CaptureFixture[str]) -> None:
    """Decimals leave as their exact text."""
    print_json({"amount": Decimal("0.10"), "rows": [1, None]})
    assert json.loads(capsys.readouterr().out) == {"amount": "0.10", "rows": [1, None]}


def test_a_table_shows_every_cell(capsys: pytest.CaptureFixture[str]) -> None:
    """Title, columns and cells are there, and small decimals are not in powers of ten."""
    print_table("Wallets", ["wallet", "USDT"], [["spot", Decimal("1E-7")], ["futures", Decimal(5)]])
    shown = capsys.readouterr().out
    for text in ("Wallets", "wallet", "spot", "0.0000001", "futures"):
        assert text in shown


@pytest.mark.parametrize(("length", "fault"), [(40, ""), (5, "'*****' is too short")])
def test_a_secret_is_checked_and_not_shown(length: int, fault: str) -> None:
    """Freqtrade's own rules hold for the length of a secret that is hidden from them."""
    api = {
        "enabled": True, "listen_ip_address": "127.0.0.1", "listen_port": 8080, "username": "me", "password": HIDDEN,
        "jwt_secret_key": HIDDEN[0] * length, "ws_token": HIDDEN,
    }  # fmt: skip
    whole = {
        "api_server": api, "max_open_trades": 3, "stake_amount": 100, "dry_run": True, "dry_run_wallet": 1000,
        "entry_pricing": {"price_side": "other"}, "exit_pricing": {"price_side": "other"},
        "pairlists": [{"method": "StaticPairList"}],
    }  # fmt: skip
    exchange = GOOD["exchange"] | {"pair_whitelist": ["BTC/USDT:USDT"]}
    assert freqtrade_fault(GOOD | whole | {"exchange": exchange}) == fault
