"""`fundhedge status`: what it says of a journal, when it calls for a person, and that nothing ends in a traceback."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from freqtrade_fundhedge.cli import run
from freqtrade_fundhedge.cli_common import Loaded
from freqtrade_fundhedge.cli_journal_file import place
from freqtrade_fundhedge.config import FundHedgeConfig, bot_name
from freqtrade_fundhedge.core.intents import Move
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.journal_rows import HedgeRow, iso
from freqtrade_fundhedge.sandbox import SandboxControl, SandboxServer, freqtrade_config
from freqtrade_fundhedge.status import minutes, read_status
from freqtrade_fundhedge.venue.port import Direction, Fill, Side

PAIR, SYMBOL = "BTC/USDT:USDT", "BTC/USDT"
NOW = 1_700_000_000.0
CONFIG: dict[str, Any] = {
    "trading_mode": "futures",
    "margin_mode": "isolated",
    "stake_currency": "USDT",
    "dry_run": False,
    "exchange": {"name": "binance", "key": "", "secret": ""},
    "fundhedge": {"db_url": "sqlite:///journal.sqlite"},
}


@pytest.fixture(autouse=True)
def _configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.json").write_text(json.dumps(CONFIG))


@pytest.fixture
def journal() -> Iterator[Journal]:
    made = Journal("sqlite:///journal.sqlite", "freqtrade")
    yield made
    made.close()


def opened_hedge(journal: Journal, now: float = NOW, wanted: str = "0.01999998") -> HedgeRow:
    """A short of which the spot leg is bought."""
    hedge = journal.hedge(7, now, PAIR, SYMBOL)
    order = journal.begin_order(hedge, Side.BUY, D("0.02002"), D("50000.50"), now)
    fill = Fill("o1", D("0.02002"), D("1000.99"), {"BTC": D("0.00002002")}, "closed o1")
    journal.order_done(order.intent_id, Move.ACCEPT, fill, now, "BTC", "USDT")
    return journal.note_hedge(hedge.id, wanted=D(wanted), funding=D("3.25"))


def lost_sweep(journal: Journal, now: float) -> str:
    """A sweep whose answer never came."""
    row = journal.begin_transfer(Direction.SWEEP, "USDT", D("12.34"), D(20), {}, now)
    journal.send_transfer(row.intent_id, D("12.34"), D(20), now)
    journal.transfer_moved(row.intent_id, Move.LOSE, "timed out", now)
    return row.intent_id


def shown(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert run(["status", "-c", "config.json", *arguments]) == code
    out, err = capsys.readouterr()
    assert err == ""
    assert all(len(line) <= 80 for line in out.splitlines() if not line.startswith("Journal:"))
    return out


def refusal(capsys: pytest.CaptureFixture[str], code: int) -> str:
    assert run(["status", "-c", "config.json"]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


def test_an_open_hedge_is_shown_with_both_legs_and_its_money(
    journal: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wanted, held, delta as dust, funding, cash and fees stand there, and nobody is needed."""
    opened_hedge(journal, wanted="0.02")
    out = shown(capsys)
    for part in ("BTC/USDT", "0.02", "0.01999998", "-0.00000002", "dust", "+3.25", "-1,000.99", "Nothing needs"):
        assert part in out


def test_json_is_exact(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    """Machines get every digit as text, and an empty list when nobody is needed."""
    opened_hedge(journal, wanted="0.02")
    answer = json.loads(shown(capsys, "--json"))
    (hedge,) = answer["hedges"]
    assert (hedge["delta"], hedge["balance"], hedge["spot_cash"]) == ("-0.00000002", "dust", "-1000.99")
    assert answer["needs_a_person"] == []


@pytest.mark.parametrize(("age_s", "code"), [(0, 0), (540, 0), (700, 1)])
def test_an_unknown_outcome_needs_a_person_after_ten_minutes(
    journal: Journal, capsys: pytest.CaptureFixture[str], age_s: int, code: int
) -> None:
    """Until then it is shown with its age and what the bot waits for."""
    lost_sweep(journal, time.time() - age_s)
    out = shown(capsys, code=code)
    assert "sweep of 12.34 USDT: unknown, attempt 1" in out
    assert "waits for evidence in the exchange's transfer history" in out
    assert ("Needs a person" in out) is bool(code)


def test_orders_and_closes_without_an_outcome_are_shown(journal: Journal) -> None:
    """Each kind of intent says what it is and where its evidence will be; the hedge's order is under way."""
    hedge = opened_hedge(journal)
    journal.begin_order(hedge, Side.SELL, D("0.01"), D(49_000), NOW)
    close = journal.begin_close("ETH/USDT:USDT", 1, D("0.5"), NOW)
    journal.close_moved(close.intent_id, Move.LOSE, "timed out", NOW)
    status = read_status(journal, NOW + 60)
    assert [(u.kind, u.text, u.age_s) for u in status.unknown] == [
        ("order", "BTC/USDT: sell 0.01", 60.0),
        ("close", "ETH/USDT:USDT: buy back 0.5, reduce-only", 60.0),
    ]
    assert "the exchange's answer" in status.unknown[0].waiting_for
    assert status.hedges[0].balance == "under way"
    assert len(read_status(journal, NOW + 700).reasons) == 2


def test_what_was_only_planned_needs_nobody(journal: Journal) -> None:
    """Nothing has left, however long ago it was decided."""
    journal.begin_transfer(Direction.TOP_UP, "USDT", D(5), D(0), {}, NOW)
    status = read_status(journal, NOW + 9000)
    assert "nothing has left" in status.unknown[0].waiting_for
    assert status.reasons == []


def test_a_hedge_unhedged_for_long_needs_a_person(journal: Journal) -> None:
    """A leg that stays open is told with its age, and not before ten minutes."""
    hedge = opened_hedge(journal, wanted="0.04")
    journal.note_hedge(hedge.id, unhedged_since=iso(NOW))
    assert read_status(journal, NOW + 500).reasons == []
    status = read_status(journal, NOW + 900)
    assert status.hedges[0].balance == "unhedged"
    assert status.reasons == [f"{PAIR}: unhedged for 15 min"]


def test_a_closed_hedge_shows_its_result(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    """Settled hedges are listed with both legs together, and an unswept one is still among the open."""
    hedge = opened_hedge(journal)
    changes = {"state": "closed", "closed_at": iso(NOW + 9), "short_realised": D("1010.99"), "freed": D("77.5")}
    journal.note_hedge(hedge.id, **changes)
    out = shown(capsys)
    assert "settling" in out
    assert "77.50" in out
    journal.note_hedge(hedge.id, settled=True)
    out = shown(capsys)
    assert "No open hedge." in out
    assert "+10.00" in out


def called(journal: Journal, topic: str, at: float = NOW) -> None:
    journal.event("attention", f"about {topic}", at, None, topic=topic)


def standing(journal: Journal, after_s: float = 60.0) -> list[str]:
    return [call.row.data["topic"] for call in read_status(journal, NOW + after_s).calls if call.is_open]


def test_a_call_needs_a_person_until_the_bot_says_that_it_is_over(journal: Journal) -> None:
    """Each topic ends with its own end, or with the hedge that it is about, however long that takes."""
    hedge = opened_hedge(journal)
    topics = ["key", f"stranger {PAIR}", f"margin {PAIR}", f"missing {hedge.id}", f"gone {hedge.id} True"]
    for topic in topics:
        called(journal, topic)
    assert standing(journal) == standing(journal, 90_000.0) == topics
    journal.event("transfer_done", "swept", NOW)
    assert standing(journal) == topics
    journal.event("attention_over", "no longer", NOW, None, topic="key")
    assert standing(journal) == topics[1:]
    journal.note_hedge(hedge.id, state="closed", closed_at=iso(NOW))
    assert standing(journal) == topics[1:2]
    called(journal, "key", NOW + 1)
    assert standing(journal) == [f"stranger {PAIR}", "key"]


def test_a_repeated_call_counts_once(journal: Journal) -> None:
    """Only the latest of a topic stands."""
    called(journal, "key")
    called(journal, "key", NOW + 1)
    assert standing(journal) == ["key"]


def test_a_lost_answer_is_judged_by_its_age_and_not_by_its_call(journal: Journal) -> None:
    """The bot's first word about a lost answer is no alarm yet: most are found within a minute."""
    called(journal, f"transfer {lost_sweep(journal, NOW)}")
    assert standing(journal) == []
    assert read_status(journal, NOW + 60).reasons == []


def test_a_standing_call_is_code_1_and_on_one_screen(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    """The call is in the output, marked as open, with nothing in it that a terminal would obey."""
    journal.event("attention", "the exchange refuses our key: \x1b[2J[red]", time.time(), None, topic="key")
    out = shown(capsys, code=1)
    assert "open  the exchange refuses our key:  [2J[red]" in out
    assert "\x1b" not in out
    assert "Needs a person: the exchange refuses our key" in out


def test_no_journal_yet_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Before the first start there is nothing, nothing is made, and the line says what to do."""
    assert "there is no journal at journal.sqlite yet: start the bot first" in refusal(capsys, 1)
    assert not Path("journal.sqlite").exists()


def test_another_database_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Freqtrade's own database, an older release's, a text file: each is told apart."""
    engine = create_engine("sqlite:///journal.sqlite")
    with engine.begin() as db:
        db.execute(text("CREATE TABLE trades (id INTEGER)"))
    assert "is no journal of this plugin" in refusal(capsys, 1)
    with engine.begin() as db:
        db.execute(text("CREATE TABLE hedges (id INTEGER)"))
    assert "is of an older release" in refusal(capsys, 1)
    engine.dispose()
    Path("journal.sqlite").write_text("no database at all, but a long enough text to be looked at" * 20)
    assert "not a database" in refusal(capsys, 1)


def test_a_row_that_makes_no_sense_is_one_line(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    """A call without a topic is still shown; a time that is none is named."""
    hedge = opened_hedge(journal)
    journal.event("attention", "no topic", time.time())
    with journal.engine.begin() as db:
        db.execute(text("UPDATE events SET data = '[]'"))
    assert "no topic" in shown(capsys, code=1)
    journal.note_hedge(hedge.id, unhedged_since="noon")
    assert "a time that makes no sense: 'noon'" in refusal(capsys, 1)


def test_a_journal_in_memory_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """What lives in the bot's memory can't be read from outside."""
    Path("config.json").write_text(json.dumps(CONFIG | {"fundhedge": {"db_url": "sqlite://"}}))
    assert "in memory only" in refusal(capsys, 1)


def test_another_bots_journal_is_told(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong bot_name or dry_run is named instead of an empty screen."""
    opened_hedge(journal)
    Path("config.json").write_text(json.dumps(CONFIG | {"bot_name": "other"}))
    assert 'Nothing of "other" is in this journal, only of "freqtrade"' in shown(capsys)


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize("name", [{}, {"bot_name": ""}, {"bot_name": "carry"}])
def test_the_journal_is_the_bots(dry_run: bool, name: dict[str, str]) -> None:
    """Name and place follow from the configuration as they do in the bot."""
    config = {"dry_run": dry_run, "db_url": "sqlite:///user_data/mine.sqlite", **name}
    found = place(Loaded(config, FundHedgeConfig()))
    assert found.bot == bot_name(config, dry_run)
    assert found.url == "sqlite:///user_data/mine-fundhedge.sqlite"


def test_a_password_in_the_url_is_never_shown() -> None:
    """The place is shown without the secret that opens it."""
    section = FundHedgeConfig(db_url="postgresql://me:hidden@host/journal")
    assert "hidden" not in place(Loaded({"dry_run": True, "db_url": ""}, section)).shown


def test_both_databases_answer(journal_url: str) -> None:
    """SQLite and PostgreSQL give the same answer."""
    journal = Journal(journal_url, "bot")
    lost_sweep(journal, NOW)
    called(journal, f"margin {PAIR}")
    opened_hedge(journal)
    status = read_status(journal, NOW + 700)
    assert [len(part) for part in (status.hedges, status.unknown, status.transfers, status.reasons)] == [1, 1, 1, 2]
    journal.close()


def test_it_reads_beside_a_writer_and_writes_nothing(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    """A bot in the middle of a transaction neither waits nor is waited for."""
    opened_hedge(journal)
    with journal.engine.begin() as db:
        db.execute(text("UPDATE hedges SET funding = '9'"))
        assert "+3.25" in shown(capsys)


def test_the_guards_last_steps_are_shown(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    """What the margin guard did for a hedge that is open, and how far off its liquidation was before."""
    journal.event("margin_added", f"{PAIR}: an older hedge's margin", NOW - 60, None, pair=PAIR)
    opened_hedge(journal)
    data: dict[str, Any] = {"arithmetic": {"distance": "0.0812"}, "amount": "41.5"}
    journal.event("margin_added", f"{PAIR}: 41.5 USDT of margin added", NOW + 60, None, pair=PAIR, **data)
    journal.event("exit_asked", "ETH/USDT:USDT: not open", NOW + 61, None, pair="ETH/USDT:USDT")
    journal.event("exit_asked", f"{PAIR}: the short is asked to close", NOW + 62, None, pair=PAIR, arithmetic=7)
    out = shown(capsys)
    assert "41.5 USDT of margin added; 8.1% to liquidation before" in " ".join(out.split())
    assert "older" not in out
    assert "not open" not in out
    steps = json.loads(shown(capsys, "--json"))["guard"]
    assert [(s["kind"], s["amount"], s["distance"]) for s in steps] == [
        ("margin_added", "41.5", "0.0812"), ("exit_asked", None, None)
    ]  # fmt: skip


def test_watch_on_a_terminal(journal: Journal) -> None:
    """It has a screen of its own with the verdict on top, and leaves its last picture behind."""
    opened_hedge(journal)
    called(journal, "key", time.time())
    command = [Path(sys.executable).parent / "fundhedge", "status", "-c", "config.json", "--watch", "1"]
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (12, 100))
    seen = b""
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=os.environ | {"TERM": "xterm"}
    ) as it:
        os.close(theirs)
        while seen.count(b"Open hedges") < 2:
            seen += os.read(ours, 65536)
        it.send_signal(signal.SIGINT)
        with contextlib.suppress(OSError):  # how a terminal tells that nobody writes to it any more
            while more := os.read(ours, 65536):
                seen += more
    os.close(ours)
    assert it.returncode == 1
    on_screen, _, left = seen.partition(b"\x1b[?1049l")
    assert on_screen.index(b"\x1b[?1049h") < on_screen.index(b"Needs a person") < on_screen.index(b"Open hedges")
    assert left.index(b"Needs a person") < left.index(b"Open hedges")
    assert b"Traceback" not in seen


def test_watch_goes_on_until_interrupted(journal: Journal) -> None:
    """It shows a line for machines again and again, sees what changes, and ends with the last code at Ctrl-C."""
    lost_sweep(journal, time.time())
    command = [Path(sys.executable).parent / "fundhedge", "status", "-c", "config.json", "--json", "--watch", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        assert json.loads(watching.stdout.readline())["needs_a_person"] == []
        called(journal, "key", time.time())
        alarmed = 0
        while alarmed < 2:  # the first may still be on its way out when the signal comes
            alarmed += bool(json.loads(watching.stdout.readline())["needs_a_person"])
        watching.send_signal(signal.SIGINT)
        out, err = watching.communicate(timeout=30)
    assert (watching.returncode, err) == (1, ""), out


def test_lengths_of_time_are_short() -> None:
    """Seconds, minutes, hours or days, whichever is the largest that fits twice."""
    assert [minutes(s) for s in (5, 119, 120, 7200, 200_000)] == ["5 s", "119 s", "2 min", "2 h", "2 d"]


WORDS = st.one_of(
    st.sampled_from(["-c", "config.json", "--json", "--watch", "0", "-1", "nan", "inf", "1e999", "--", "--help", ""]),
    st.text(max_size=12),
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(WORDS, max_size=5).filter(lambda words: not set("\n".join(words)) & set("123456789٠١٢٣٤٥٦٧٨٩")))
def test_no_argument_ends_in_a_traceback(words: list[str]) -> None:
    """Whatever is typed (but a number that would be waited for), it ends in a code of the three."""
    assert run(["status", *words]) in {0, 1, 2}


def test_an_exchange_that_cannot_be_read_hides_nothing(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    """What the journal knows is shown all the same, with one line about the exchange and exit code 1."""
    opened_hedge(journal)
    nowhere = CONFIG["exchange"] | {"ccxt_config": {"httpProxy": "http://127.0.0.1:9", "timeout": 1000}}
    Path("config.json").write_text(json.dumps(CONFIG | {"exchange": nowhere}))
    out = shown(capsys, "--exchange", code=1)
    assert "Open hedges" in out
    assert "the exchange can't be read: " in out
    assert run(["status", "-c", "config.json", "--exchange", "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["exchange"]["error"].startswith("the exchange can't be read")


def test_without_a_key_prices_are_read_and_wallets_are_not(
    journal: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dry-run shows basis and funding of its hedges, and says what it can't; nothing private is asked."""
    opened_hedge(journal)
    with SandboxServer() as server:
        section = freqtrade_config(server.url, pair_whitelist=[PAIR]) | {"key": "", "secret": ""}
        Path("config.json").write_text(json.dumps(CONFIG | {"exchange": section}))
        out = shown(capsys, "--exchange")
        answer = json.loads(shown(capsys, "--exchange", "--json"))["exchange"]
        assert SandboxControl(server.url).count("GET", ".*(account|balance|positionRisk).*") == 0
    assert "BTC/USDT:USDT: short not read, spot 0.01999998" in out
    assert "that takes the live keys" in out
    assert answer["wallets"] is None
    assert answer["hedges"][0]["earned"] is None
    assert answer["hedges"][0]["basis"] is not None
