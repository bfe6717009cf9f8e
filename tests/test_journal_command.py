"""`fundhedge journal`: the whole audit trail, filtered and limited, and nothing that ends in a traceback."""

from __future__ import annotations

import csv
import json
import re
import tracemalloc
from collections.abc import Iterator
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freqtrade_fundhedge.cli import run
from freqtrade_fundhedge.cli_journal import Kind, wish_of
from freqtrade_fundhedge.core.intents import Move
from freqtrade_fundhedge.errors import ConfigError
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.journal_rows import HedgeRow, iso
from freqtrade_fundhedge.journal_trail import Wish, newest, trail
from freqtrade_fundhedge.venue.port import Direction, Fill, MarginKind, Position, Side

PAIR, SYMBOL = "BTC/USDT:USDT", "BTC/USDT"
ROOT = Path(__file__).parents[1]
DAY = 86_400.0
NOW = 1_699_999_200.0 + 11 * 3600  # 2023-11-15 09:00 UTC
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


def three_days(journal: Journal) -> None:
    """Day one: bought and a sweep refused once; day two: an orphan closed; day three: the hedge is closed."""
    hedge = journal.hedge(7, NOW, PAIR, SYMBOL)
    order = journal.begin_order(hedge, Side.BUY, D("0.02002"), D("50000.50"), NOW + 1)
    fill = Fill("o1", D("0.02002"), D("1000.99"), {"BTC": D("0.00002002")}, "closed o1")
    journal.order_done(order.intent_id, Move.ACCEPT, fill, NOW + 2, "BTC", "USDT")
    sweep = journal.begin_transfer(Direction.SWEEP, "USDT", D("12.34"), D(20), {"free": "20"}, NOW + 3)
    journal.send_transfer(sweep.intent_id, D("12.34"), D(20), NOW + 3)
    journal.transfer_moved(sweep.intent_id, Move.REDUCE, 'binance {"code":-5013}', NOW + 4)
    journal.send_transfer(sweep.intent_id, D("12.30"), D(20), NOW + 5)
    journal.transfer_moved(sweep.intent_id, Move.ACCEPT, "accepted", NOW + 6, "t1", {hedge.id: D("12.30")})
    close = journal.begin_close("ETH/USDT:USDT", 1, D("0.5"), NOW + DAY)
    journal.close_moved(close.intent_id, Move.ACCEPT, "filled 0.5", NOW + DAY, D("0.5"))
    journal.event("attention", "ETH/USDT: something", NOW + DAY + 1)
    journal.event("hedge_closed", f"{PAIR}: closed", NOW + 2 * DAY, hedge)
    closed = {"state": "closed", "closed_at": iso(NOW + 2 * DAY + 1), "short_realised": D("1001"), "settled": True}
    journal.note_hedge(hedge.id, **closed)


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["journal", "-c", "config.json", *arguments]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def records(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    return [record["record"] for record in json.loads(shown(capsys, "--json", *arguments))]


def test_the_trail_is_in_order_of_time(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    """All kinds together, oldest first; a hedge stands where it was closed."""
    three_days(journal)
    assert records(capsys) == ["order", "transfer", "close", "event", "event", "hedge"]


def test_the_table_has_every_attempt_and_answer(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    """At 80 columns each attempt of a transfer has its amount and the exchange's own answer."""
    three_days(journal)
    out = shown(capsys)
    parts = ("1: 12.34: binance", '{"code":-5013}', "2: 12.30: accepted", "closed o1", "filled 0.5", "together +0.0100")
    for part in parts:
        assert part in out
    assert max(len(line) for line in out.splitlines()) <= 80


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--kind", "order"], ["order", "close"]),
        (["--kind", "transfer", "--kind", "hedge"], ["transfer", "hedge"]),
        (["--pair", PAIR], ["order", "event", "hedge"]),
        (["--pair", SYMBOL], ["order", "event", "hedge"]),
        (["--pair", "ETH/USDT:USDT"], ["close", "event"]),
        (["--pair", "ETH/USDT"], ["close", "event"]),
        (["--pair", "TC/USDT"], []),
        (["--pair", "B_C/USDT"], []),
        (["--since", "2023-11-16"], ["close", "event", "event", "hedge"]),
        (["--until", "2023-11-16"], ["order", "transfer", "close", "event"]),
        (["--since", "2023-11-16", "--until", "2023-11-16"], ["close", "event"]),
        (["--since", "2023-11-15T18:00:03+09:00", "--until", "2023-11-15T09:00:03"], ["transfer"]),
        (["--limit", "2"], ["event", "hedge"]),
        (["--until", "2023-11-15", "--limit", "1"], ["transfer"]),
    ],
)
def test_filters(
    journal: Journal, capsys: pytest.CaptureFixture[str], arguments: list[str], expected: list[str]
) -> None:
    """Kind, pair, both ends of time (a day as an end is included) and the newest only."""
    three_days(journal)
    assert records(capsys, *arguments) == expected


def test_json_is_exact(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    """Every digit as text, attempts as a list, with their outcomes."""
    three_days(journal)
    (sweep,) = json.loads(shown(capsys, "--json", "--kind", "transfer"))
    assert (sweep["amount"], sweep["intended"], sweep["exchange_id"]) == ("12.30", "12.34", "t1")
    assert [attempt["outcome"] for attempt in sweep["attempt_log"]] == ["reduce", "accept"]


def test_an_export_has_all_columns(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    """A spreadsheet gets each record with every column; the same again replaces the file."""
    three_days(journal)
    for _ in range(2):
        assert shown(capsys, "--csv", "all.csv") == "6 records written to all.csv\n"
    with Path("all.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["record"] for row in rows] == ["order", "transfer", "close", "event", "event", "hedge"]
    assert (rows[0]["filled"], rows[0]["quote"], json.loads(rows[0]["fees"])) == (
        "0.02002", "1000.99", {"BTC": "0.00002002"},
    )  # fmt: skip
    assert (rows[5]["short_realised"], rows[5]["spot_cash"]) == ("1001", "-1000.99")
    assert sorted(path.name for path in Path().iterdir() if "csv" in path.name) == ["all.csv"]


def test_an_export_of_one_kind_has_its_columns_only(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    """What is asked for is what the file has, header included when nothing fits."""
    three_days(journal)
    shown(capsys, "--kind", "hedge", "--since", "2030-01-01", "--csv", "none.csv")
    header = Path("none.csv").read_text().strip()
    assert header.startswith("record,at,id,bot,trade_id,pair,")
    assert "attempts" not in header


@pytest.mark.parametrize(
    "target", ["journal.sqlite", "config.json", ".", "/dev/null", "no/such/folder.csv", "a\0b", ""]
)
def test_an_export_replaces_nothing_but_an_export(
    journal: Journal, capsys: pytest.CaptureFixture[str], target: str
) -> None:
    """A journal, a configuration, a folder or a device is left as it is, and the line names the option."""
    three_days(journal)
    assert run(["journal", "-c", "config.json", "--csv", target]) == 2
    assert "--csv" in capsys.readouterr().err
    assert json.loads(Path("config.json").read_text()) == CONFIG
    assert len(list(trail(journal.engine, "freqtrade", Wish()))) == 6


def test_csv_and_json_together(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    """The note about the file does not get into what a machine reads."""
    three_days(journal)
    assert run(["journal", "-c", "config.json", "--json", "--csv", "all.csv"]) == 0
    out, err = capsys.readouterr()
    assert len(json.loads(out)) == 6
    assert err == "6 records written to all.csv\n"


def test_a_long_table_says_that_there_is_more(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    """The newest fifty are shown, and how to get the rest."""
    for number in range(51):
        journal.event("note", f"number {number:03}", NOW + number)
    out = shown(capsys)
    assert "number 000" not in out
    assert "number 001" in out
    assert "The newest 50 only" in out
    assert "newest" not in shown(capsys, "--limit", "51")


def test_nothing_that_fits_is_said(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty answer is a sentence for people and an empty array for machines; another bot's journal is named."""
    assert shown(capsys) == "Nothing in the journal fits.\n"
    assert shown(capsys, "--json") == "[]\n"
    Journal("sqlite:///journal.sqlite", "other").event("note", "hers", NOW)
    assert 'only of "other"' in shown(capsys)


@pytest.mark.parametrize("log", ["[5]", "5", '[{"n": []}]', "{}"])
def test_a_row_that_somebody_tampered_with_is_shown(
    journal: Journal, capsys: pytest.CaptureFixture[str], log: str
) -> None:
    """An audit trail doesn't stop at what should not be there."""
    three_days(journal)
    with journal.engine.begin() as db:
        db.exec_driver_sql("UPDATE transfers SET attempt_log = ?", (log,))
    assert "sweep of 12.3 USDT: done" in shown(capsys)


def test_no_journal_yet_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """It is told, and nothing is made."""
    assert run(["journal", "-c", "config.json"]) == 1
    assert "there is no journal" in capsys.readouterr().err
    assert not Path("journal.sqlite").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--since", "yesterday"], "--since 'yesterday': a date like"),
        (["--until", "9999-12-31"], "--until '9999-12-31': a date like"),
        (["--since", "0001-01-01T00:00+14:00"], "--since"),
        (["--since", "2026-02-02", "--until", "2026-02-01"], "is not before"),
        (["--pair", "BTC"], "--pair 'BTC': a pair like"),
        (["--pair", PAIR, "--kind", "transfer"], "a transfer belongs to no pair"),
        (["--kind", "loan"], "loan"),
        (["--limit", "0"], "--limit"),
        (["--limit", "nan"], "--limit"),
    ],
)
def test_bad_arguments_are_one_line(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The line names the option and what would be right, before any file is opened."""
    assert run(["journal", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert told in err


def test_both_databases_answer_and_other_bots_are_left_out(journal_url: str) -> None:
    """SQLite and PostgreSQL give the same trail from both ends, of this bot only."""
    journal = Journal(journal_url, "bot")
    three_days(journal)
    other = Journal(journal_url, "other")
    three_days(other)
    other.close()
    forwards = list(trail(journal.engine, "bot", Wish()))
    assert [entry.record for entry in forwards] == ["order", "transfer", "close", "event", "event", "hedge"]
    assert list(newest(journal.engine, "bot", Wish(), 4)) == forwards[2:]
    assert list(newest(journal.engine, "bot", Wish(pair=PAIR, event="hedge_closed"), 9)) == [
        forwards[0], forwards[4], forwards[5],
    ]  # fmt: skip
    journal.close()


def test_an_export_keeps_to_a_few_pages_of_rows(journal: Journal) -> None:
    """Memory does not grow with the length of the journal."""
    with journal.engine.begin() as db:
        row = {"at": iso(NOW), "bot": "freqtrade", "kind": "note", "message": "x" * 500, "data": "{}"}
        for _ in range(20):
            db.exec_driver_sql(
                "INSERT INTO events (at, bot, kind, message, data) VALUES (:at, :bot, :kind, :message, :data)",
                [row] * 1000,
            )
    tracemalloc.start()
    count = sum(1 for _ in trail(journal.engine, "freqtrade", Wish()))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 20_000
    assert peak < 4_000_000


WORDS = st.one_of(
    st.sampled_from(
        ["-c", "config.json", "--json", "--since", "--until", "--pair", "--kind", "--limit", "--csv", "order", "event",
         "transfer", "hedge", "5", "-1", "1e9", "2023-11-16", "2023-W46-3", "BTC/USDT", PAIR, "%/_", "--", "--help", ""]
    ),
    st.text(max_size=12).filter(lambda word: "/" not in word),  # writes nothing outside the folder
)  # fmt: skip


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(WORDS, max_size=6))
def test_no_argument_ends_in_a_traceback(journal: Journal, words: list[str]) -> None:
    """Whatever is typed, it ends in a code of the three, and the journal is what it was."""
    assert run(["journal", "-c", "config.json", *words]) in {0, 1, 2}
    assert list(newest(journal.engine, "freqtrade", Wish(), 1)) == []


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20), st.lists(st.sampled_from(Kind)))
def test_a_question_is_understood_or_refused(since: str, until: str, pair: str, kinds: list[Kind]) -> None:
    """No text ends in anything but a question or one line."""
    try:
        wish = wish_of(since, until, pair, kinds)
    except ConfigError:
        return
    assert not wish.since or not wish.until or wish.since < wish.until


def sold(journal: Journal) -> None:
    """A second purchase paid in BNB and one more coin, and a sale of most of it on day two."""
    hedge = journal.unsettled()[0]
    for side, fill, at in (
        (Side.BUY, Fill("o2", D("0.01"), D("505"), {"BNB": D("0.001"), "USDT": D("0.5")}), NOW + 9),
        (Side.SELL, Fill("o3", D("0.02"), D("1100"), {"USDT": D("1.1")}), NOW + DAY + 9),
        (Side.SELL, Fill("o4", D(0), D(0)), NOW + DAY),
    ):
        order = journal.begin_order(hedge, side, D("0.02"), D(50_000), at)
        journal.order_done(order.intent_id, Move.ACCEPT, fill, at, "BTC", "USDT")


def taxed(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(shown(capsys, "--tax", "--json", *arguments))
    return found


def test_tax_rows_are_what_was_executed(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    """A row each with fee and asset; a sale's cost is that of the first coins bought, fees counted."""
    three_days(journal)
    journal.note_hedge(journal.recent(HedgeRow)[0].id, settled=False, funding=D("1.5"))
    sold(journal)
    rows = taxed(capsys)
    assert [row["type"] for row in rows] == [
        "spot_buy", "sweep", "spot_buy", "fee", "short_buy_back", "spot_sell", "short_result", "funding",
    ]  # fmt: skip
    buy, sweep, _, fee, _, sale, short, funding = rows
    assert (buy["amount"], buy["quote_amount"], buy["fee"], buy["fee_asset"]) == (
        "0.02002", "-1000.99", "0.00002002", "BTC",
    )  # fmt: skip
    assert (sweep["amount"], sweep["asset"], sweep["exchange_id"]) == ("12.30", "USDT", "t1")
    assert (fee["asset"], fee["amount"], fee["fee_asset"]) == ("BNB", "-0.001", "BNB")
    # 0.01999998 BTC of the first purchase, and the rest of the second: 505.5 for 0.01.
    cost = D("1000.99") + (D("0.00000002") * D("505.5") / D("0.01")).quantize(D("1e-8"))
    assert D(sale["cost_basis"]) == cost
    assert D(sale["gain"]) == D("1100") - D("1.1") - cost
    assert (short["amount"], funding["amount"]) == ("999.5", "1.5")


def test_tax_rows_of_a_day_know_what_was_bought_before(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    """The year of the sale shows the cost of the year before; transfers have no pair; limits count from the end."""
    three_days(journal)
    journal.note_hedge(journal.recent(HedgeRow)[0].id, settled=False)
    sold(journal)
    late = taxed(capsys, "--since", "2023-11-15T22:13:20", "--pair", SYMBOL)
    assert [row["type"] for row in late] == ["spot_sell", "short_result"]
    assert late[0]["cost_basis"] is not None
    assert [row["type"] for row in taxed(capsys, "--limit", "1")] == ["short_result"]
    table = shown(capsys, "--tax", "--limit", "2")
    assert "The newest 2 only" in table
    assert max(len(line) for line in table.splitlines()) <= 80
    assert "Nothing that was executed fits." in shown(capsys, "--tax", "--since", "2030-01-01")


def test_the_tax_file_has_the_documented_columns(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    """CSV and JSON are the same rows; docs/watching.md names every column; a second export replaces the first."""
    three_days(journal)
    for _ in range(2):
        shown(capsys, "--tax", "--csv", "tax.csv")
    rows = list(csv.DictReader(Path("tax.csv").read_text(encoding="utf-8").splitlines()))
    assert [{k: v or "" for k, v in row.items()} for row in taxed(capsys)] == rows
    page = (ROOT / "docs" / "watching.md").read_text()
    documented = re.findall(r"`([a-z_]+)`", page.split("### For the tax office")[1])
    assert set(rows[0]) <= set(documented)
    assert run(["journal", "-c", "config.json", "--tax", "--kind", "order"]) == 2


def test_margin_changes_and_guard_steps_are_readable(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    """Each says what was done, why by its figures, and what the exchange answered, in 80 columns."""
    position = Position(PAIR, D("0.02"), D(1000), D(333), D(4), D(-60), is_short=True, isolated_margin=D(333))
    figures = {"distance": "0.0812", "minimum": "0.15", "equity": "273.1", "needed": "1410.55", "free": "0"}
    for number, why in enumerate((figures, {"distance": "nan", "minimum": "[]", "equity": "1"})):
        row = journal.begin_margin(position, MarginKind.ADD, D("137.45"), why, NOW + number)
        journal.send_margin(row.intent_id, D("137.45000001"), NOW + number)
        journal.margin_moved(row.intent_id, Move.ACCEPT, "accepted", NOW + number)
    text = f"{PAIR}: margin is low and USDT does not suffice: both legs shrink by 0.00512000"
    journal.event("shrink_asked", text, NOW + 5, None, pair=PAIR, arithmetic={"quantity": "0.00512"})
    assert run(["journal", "-c", "config.json"]) == 0
    out = capsys.readouterr().out
    assert all(len(line) <= 80 for line in out.splitlines())
    told = " ".join(out.split())
    assert "137.45000001 USDT of margin added: done 8.1% to liquidation, at least 15.0% is wanted" in told
    assert "equity 273.10 behind it, 1,410.55 needed accepted" in told
    assert "shrink_asked: BTC/USDT:USDT: margin is low" in told
    assert out.count("to liquidation") == 1
