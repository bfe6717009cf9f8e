"""`fundhedge settle`: what the exchange never tells, a person may; and only what, when and how it can be true."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest
import typer
from filelock import FileLock

from freqtrade_fundhedge.cli import run
from freqtrade_fundhedge.core.intents import Move, State
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.journal_hedge import open_calls
from freqtrade_fundhedge.journal_rows import CloseRow, EventRow, HedgeRow, MarginRow, OrderRow, TransferRow
from freqtrade_fundhedge.journal_steps import guard_steps
from freqtrade_fundhedge.journal_trail import Wish
from freqtrade_fundhedge.settling import doubt
from freqtrade_fundhedge.venue.port import Direction, Fill, MarginKind, Position, Side

PAIR, SYMBOL = "BTC/USDT:USDT", "BTC/USDT"
NOW = time.time() - 7200
CONFIG: dict[str, Any] = {
    "trading_mode": "futures",
    "margin_mode": "isolated",
    "stake_currency": "USDT",
    "dry_run": False,
    "exchange": {"name": "binance", "key": "", "secret": ""},
    "fundhedge": {"db_url": "sqlite:///journal.sqlite"},
}
BOUGHT = ("--took-effect", "--filled", "0.01", "--price", "50000", "--fee", "BTC=0.00001", "--fee", "BNB=0.001")


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Journal]:
    """With a closed hedge that freed 30 USDT, swept 10 of them, and an open one."""
    monkeypatch.chdir(tmp_path)
    Path("config.json").write_text(json.dumps(CONFIG))
    made = Journal("sqlite:///journal.sqlite", "freqtrade")
    old = made.hedge(6, NOW - 900, "ETH/USDT:USDT", "ETH/USDT")
    made.note_hedge(old.id, state="closed", freed=D(30), swept=D(10))
    yield made
    made.close()


def order(journal: Journal) -> str:
    row = journal.begin_order(journal.hedge(7, NOW, PAIR, SYMBOL), Side.BUY, D("0.02"), D("50000.5"), NOW)
    journal.order_moved(row.intent_id, Move.LOSE, "timed out", NOW + 1)
    journal.event("attention", "not known yet", NOW + 2, None, topic=f"order {row.intent_id}")
    return row.intent_id


def transfer(journal: Journal, sent: bool = True) -> str:
    row = journal.begin_transfer(Direction.SWEEP, "USDT", D("12.34"), D(20), {"free": "20"}, NOW)
    if sent:
        journal.send_transfer(row.intent_id, D("12.34"), D(20), NOW)  # and the process died
    return row.intent_id


def close(journal: Journal) -> str:
    row = journal.begin_close("SOL/USDT:USDT", 1, D("0.5"), NOW)
    journal.close_moved(row.intent_id, Move.LOSE, "timed out", NOW + 1)
    return row.intent_id


def margin(journal: Journal) -> str:
    position = Position(PAIR, D("0.02"), D(1000), D(333), D(4), D(-60), isolated_margin=D(333))
    row = journal.begin_margin(position, MarginKind.ADD, D("41.5"), {"distance": "0.08"}, NOW)
    journal.send_margin(row.intent_id, D("41.5"), NOW)
    journal.margin_moved(row.intent_id, Move.LOSE, "timed out", NOW + 1)
    return row.intent_id


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert run(["settle", "-c", "config.json", *arguments]) == code
    out, err = capsys.readouterr()
    assert "--json" in arguments or all(len(line) <= 80 for line in out.splitlines())
    if code == 2:
        assert (out, err.count("\n")) == ("", 1)
    return str(out or err)


def events(journal: Journal) -> dict[str, EventRow]:
    return {event.kind: event for event in journal.recent(EventRow)}


def test_all_kinds_are_listed(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    """Id, kind, what, since when and what the exchange has said so far; nothing is also an answer."""
    assert "No outcome is unknown." in said(capsys)
    kinds = {make(journal): make.__name__ for make in (order, transfer, close, margin)}
    table = said(capsys)
    for part in (*kinds, "timed out", f"{SYMBOL}: buy 0.02: unknown", "sweep of 12.34 USDT: sent", "not looked up yet"):
        assert part in table
    found = json.loads(said(capsys, "--json"))
    assert {one["intent_id"]: one["kind"] for one in found} == kinds
    assert "see fundhedge settle" in doubt(journal)


def test_an_order_that_filled(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    """Order and hedge become what a found fill makes of them, the call is over, and the trail says who said so."""
    intent = order(journal)
    shown = said(capsys, intent, *BOUGHT, "--yes")
    assert "unknown -> done, 0.01 filled for 500 USDT, fees 0.00001 BTC, 0.001 BNB" in " ".join(shown.split())
    assert "held 0 -> 0.00999 BTC" in shown
    (row,) = journal.recent(OrderRow)
    assert (row.state, row.filled, row.quote, row.answer) == (
        State.DONE, D("0.01"), D(500), "settled by hand: took effect",
    )  # fmt: skip
    assert row.fees == {"BTC": "0.00001", "BNB": "0.001"}
    hedge = next(h for h in journal.recent(HedgeRow) if h.pair == PAIR)
    assert (hedge.held, hedge.spot_cash, hedge.spot_bought) == (D("0.00999"), D(-500), D("0.01"))
    assert doubt(journal) == ""
    assert open_calls(journal.engine, journal.bot) == {}
    told = events(journal)
    assert told["settled_by_hand"].pair == PAIR
    assert told["settled_by_hand"].data["was"] == {"state": "unknown", "answer": "timed out", "lookups": 0}
    assert "spot_fill" in told
    assert run(["journal", "-c", "config.json", "--pair", PAIR]) == 0
    assert "settled_by_hand" in capsys.readouterr().out


def test_a_fill_by_hand_is_the_fill_that_is_found(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    """The hedge's columns are those that the exchange's own answer leads to."""
    intent = order(journal)
    said(capsys, intent, *BOUGHT, "--yes")
    by_hand = next(h for h in journal.recent(HedgeRow) if h.pair == PAIR)
    journal.note_hedge(by_hand.id, **{name: D(0) for name in ("held", "spot_cash", "spot_fees", "spot_bought")})
    again = journal.begin_order(by_hand, Side.BUY, D("0.02"), D("50000.5"), NOW)
    fill = Fill("o1", D("0.01"), D(500), {"BTC": D("0.00001"), "BNB": D("0.001")})
    journal.order_done(again.intent_id, Move.ACCEPT, fill, NOW, "BTC", "USDT")
    assert next(h for h in journal.recent(HedgeRow) if h.pair == PAIR) == by_hand


def test_a_sweep_that_took_effect(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    """Interrupted while it was sent: it is credited to the hedge that freed it, and its attempt has its outcome."""
    intent = transfer(journal)
    assert "ETH/USDT:USDT: swept 10 -> 22.34 USDT" in said(capsys, intent, "--took-effect", "--yes")
    (row,) = journal.recent(TransferRow)
    assert (row.state, row.attempt_log[0]["outcome"]) == (State.DONE, "find")
    assert next(h for h in journal.recent(HedgeRow) if h.trade_id == 6).swept == D("22.34")
    assert {"transfer_done", "settled_by_hand"} <= set(events(journal))


def test_closes_and_margin(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    """A close has what it bought back; margin that arrived is a step of the guard."""
    said(capsys, close(journal), "--took-effect", "--filled", "0.4", "--yes")
    (bought,) = journal.recent(CloseRow)
    assert (bought.state, bought.filled) == (State.DONE, D("0.4"))
    shown = json.loads(said(capsys, margin(journal), "--took-effect", "--yes", "--json"))
    assert (shown["kind"], shown["state"]) == ("margin", "done")
    assert [step.amount for step in guard_steps(journal.engine, journal.bot, Wish())] == [D("41.5")]


def test_what_never_arrived(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    """Each kind ends as absent, what was never sent as given up; no hedge changes, and entries are free again."""
    before = journal.recent(HedgeRow)
    made = [make(journal) for make in (transfer, close, margin)] + [transfer(journal, sent=False)]
    for intent in made:
        said(capsys, intent, "--never-arrived", "--yes")
    assert {row.state for kind in (CloseRow, MarginRow) for row in journal.recent(kind)} == {State.ABSENT}
    assert [row.state for row in journal.recent(TransferRow)] == [State.REJECTED, State.ABSENT]
    assert journal.recent(HedgeRow) == before
    assert doubt(journal) == ""
    intent = order(journal)
    said(capsys, intent, "--never-arrived", "--yes")
    assert {"order_absent", "settled_by_hand"} <= set(events(journal))


@pytest.mark.parametrize(
    ("make", "arguments", "why"),
    [
        (order, (), "one of the two is needed"),
        (order, ("--took-effect", "--never-arrived"), "one of the two is needed"),
        (order, ("--took-effect",), "--filled: needed"),
        (order, ("--took-effect", "--filled", "0.021"), "between 0 and 0.02"),
        (order, ("--took-effect", "--filled", "-1"), "a number like"),
        (order, ("--took-effect", "--filled", "nan"), "a number like"),
        (order, ("--took-effect", "--filled", "0.02"), "--price: needed"),
        (order, ("--took-effect", "--filled", "0.02", "--price", "50001"), "at 50000.5 or better"),
        (order, ("--took-effect", "--filled", "0.02", "--price", "0"), "at 50000.5 or better"),
        (order, ("--took-effect", "--filled", "0.02", "--price", "5e4"), "--fee: needed"),
        (order, (*BOUGHT, "--fee", "USDT=501"), "more than was traded"),
        (order, (*BOUGHT, "--fee", "BTC=0"), "once for each coin"),
        (order, (*BOUGHT, "--fee", "1"), "once for each coin"),
        (order, ("--never-arrived", "--filled", "0"), "what never arrived has none"),
        (close, ("--took-effect",), "--filled: needed"),
        (close, (*BOUGHT,), "a close has none"),
        (transfer, ("--took-effect", "--filled", "1"), "a transfer has none"),
        (margin, ("--took-effect", "--fee", "0"), "a margin has none"),
    ],
)
def test_what_can_not_be_true_is_refused(
    journal: Journal, capsys: pytest.CaptureFixture[str], make: Callable[[Journal], str], arguments: Any, why: str
) -> None:
    """One line that names the option, and nothing is written."""
    intent = make(journal)
    assert why in said(capsys, intent, *arguments, "--yes", code=2)
    assert doubt(journal)


def test_which_intent(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown id, one that has an outcome, another bot's, one that was never sent, and none at all are refused."""
    intent = order(journal)
    said(capsys, intent, *BOUGHT, "--yes")
    assert "is done already" in said(capsys, intent, "--never-arrived", code=2)
    assert "no such intent" in said(capsys, "fh-nope", "--never-arrived", code=2)
    assert "which one?" in said(capsys, "--never-arrived", code=2)
    assert "it was never sent" in said(capsys, transfer(journal, sent=False), "--took-effect", code=2)
    other = Journal("sqlite:///journal.sqlite", "another")
    assert "another bot's" in said(capsys, close(other), "--never-arrived", code=2)
    other.close()


def test_not_beside_a_bot(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    """While it runs, the bot looks by itself; the list is shown all the same."""
    intent = order(journal)
    with FileLock("journal.sqlite.lock"):
        assert "the bot is running" in said(capsys, intent, "--never-arrived", "--yes", code=1)
        assert intent in said(capsys)
    assert doubt(journal)


@pytest.mark.parametrize("answer", [True, False])
def test_it_asks(
    journal: Journal, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, answer: bool
) -> None:
    """Without --yes what will be written is shown, and only a yes writes it."""
    intent = transfer(journal)
    monkeypatch.setattr(typer, "confirm", lambda *_, **__: answer)
    shown = said(capsys, intent, "--never-arrived", code=0 if answer else 1)
    assert "sweep of 12.34 USDT: sent -> absent" in shown
    assert bool(doubt(journal)) is not answer
