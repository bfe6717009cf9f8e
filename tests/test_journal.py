"""The journal: same rows on both databases, migrations, and no send without a record whatever breaks."""

from __future__ import annotations

import contextlib
import resource
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config as AlembicConfig
from databases import hang_up, locked
from fake_venue import PAIR, SYMBOL, FakeVenue
from sqlalchemy import create_engine, event, inspect, text

import freqtrade_fundhedge
from freqtrade_fundhedge import journal_rows, schema
from freqtrade_fundhedge.config import FundHedgeConfig
from freqtrade_fundhedge.context import Context
from freqtrade_fundhedge.controller import Controller
from freqtrade_fundhedge.core.hedge import ShortLeg
from freqtrade_fundhedge.core.intents import MOVES, Move, State
from freqtrade_fundhedge.errors import IllegalTransition, JournalError
from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.journal_locks import SingleBot
from freqtrade_fundhedge.journal_rows import CloseRow, EventRow, HedgeRow, MarginRow, OrderRow, TransferRow
from freqtrade_fundhedge.venue.port import Direction, Fill, MarginKind, OrderRequest, Position, Side

QUANTITY = D("0.020")
NOW = 1_700_000_000.0


@pytest.fixture
def journal(journal_url: str) -> Iterator[Journal]:
    made = Journal(journal_url, "bot")
    yield made
    made.close()


def fill_tables(journal: Journal) -> None:
    """A row of each kind, as a bot writes them."""
    hedge = journal.hedge(7, NOW, PAIR, SYMBOL)
    order = journal.begin_order(hedge, Side.BUY, D("0.02002"), D("50000.50"), NOW)
    fill = Fill("o1", D("0.02002"), D("1000.99"), {"BTC": D("0.00002002")}, "closed o1")
    journal.order_done(order.intent_id, Move.ACCEPT, fill, NOW, "BTC", "USDT")
    transfer = journal.begin_transfer(Direction.SWEEP, "USDT", D("12.34"), D(20), {"free": "20"}, NOW)
    journal.send_transfer(transfer.intent_id, D("12.3390001"), D(20), NOW)
    journal.transfer_moved(transfer.intent_id, Move.ACCEPT, "accepted", NOW, "t1", {hedge.id: D("1.5")})
    close = journal.begin_close(PAIR, 1, QUANTITY, NOW)
    journal.close_moved(close.intent_id, Move.LOSE, "timed out", NOW)
    position = Position(PAIR, QUANTITY, D(9), D(3), D(1), D(0), isolated_margin=D("3.25"))
    margin = journal.begin_margin(position, MarginKind.ADD, D("5.5"), {"free": "20"}, NOW)
    journal.send_margin(margin.intent_id, D("5.49900001"), NOW)
    journal.margin_moved(margin.intent_id, Move.ACCEPT, "accepted", NOW)
    journal.event("note", "something", NOW, hedge, amount=str(D("0.1")))


def test_what_is_written_is_read(journal: Journal) -> None:
    """Amounts come back to the last digit, JSON as values, and sums where they belong."""
    fill_tables(journal)
    (hedge,) = journal.recent(HedgeRow)
    assert (hedge.held, hedge.spot_cash, hedge.swept) == (D("0.01999998"), D("-1000.99"), D("1.5"))
    assert hedge.settled is False
    (order,) = journal.recent(OrderRow)
    assert (order.state, order.fees, order.amount) == (State.DONE, {"BTC": "0.00002002"}, D("0.02002"))
    (transfer,) = journal.recent(TransferRow)
    assert transfer.attempt_log[0]["amount"] == "12.3390001"
    assert (transfer.amount, transfer.exchange_id, transfer.attempts) == (D("12.3390001"), "t1", 1)
    (close,) = journal.open_closes()
    assert (close.state, close.answer) == (State.UNKNOWN, "timed out")
    (margin,) = journal.recent(MarginRow)
    assert (margin.kind, margin.state, margin.amount) == (MarginKind.ADD, State.DONE, D("5.49900001"))
    assert (margin.margin_before, margin.quantity_before) == (D("3.25"), QUANTITY)
    (note,) = journal.recent(EventRow)
    assert note.data == {"amount": "0.1"}


def test_every_move_follows_the_table(journal: Journal) -> None:
    """A move that the state table does not know raises and changes nothing, for any kind of intent."""
    hedge = journal.hedge(7, NOW, PAIR, SYMBOL)
    order = journal.begin_order(hedge, Side.BUY, QUANTITY, D(1), NOW)
    close = journal.begin_close(PAIR, 1, QUANTITY, NOW)
    transfer = journal.begin_transfer(Direction.SWEEP, "USDT", D(5), D(9), {}, NOW)
    position = Position(PAIR, QUANTITY, D(9), D(3), D(1), D(0), isolated_margin=D(3))
    margin = journal.begin_margin(position, MarginKind.ADD, D(5), {}, NOW)
    tables: list[tuple[Any, str, Callable[..., Any]]] = [
        (schema.spot_orders, order.intent_id, journal.order_moved),
        (schema.short_closes, close.intent_id, journal.close_moved),
        (schema.transfers, transfer.intent_id, journal.transfer_moved),
        (schema.margin_changes, margin.intent_id, journal.margin_moved),
    ]
    for table, intent, moved in tables:
        for state in State:
            for move in Move:
                set_state = table.update().where(table.c.intent_id == intent).values(state=str(state))
                with journal.engine.begin() as db:
                    db.execute(set_state)
                target = MOVES.get((state, move))
                if target is None:
                    with pytest.raises(IllegalTransition):
                        moved(intent, move, "", NOW)
                    target = state
                elif move is Move.SEND:
                    continue  # an attempt is recorded with its amount
                else:
                    moved(intent, move, "", NOW)
                with journal.engine.connect() as db:
                    assert db.scalar(table.select().with_only_columns(table.c.state)) == str(target)


# --- older and newer tables


def at_revision(url: str, revision: str) -> None:
    """A database as an older release left it."""
    config = AlembicConfig()
    folder = Path(freqtrade_fundhedge.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    engine = create_engine(url)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()
    engine.dispose()


def test_older_tables_are_migrated(journal_url: str) -> None:
    """A journal of the first release is brought up to date with its rows, and works on."""
    at_revision(journal_url, "0001")
    engine = create_engine(journal_url)
    assert "short_closes" not in inspect(engine).get_table_names()
    old = {
        "id": "h1", "bot": "bot", "trade_id": 3, "pair": PAIR, "symbol": SYMBOL, "state": "open",
        "opened_at": journal_rows.iso(NOW), "closed_at": None, "unhedged_since": None, "settled": False,
        **dict.fromkeys(("wanted", "held", "spot_cash", "spot_fees", "spot_bought"), "0.12345678"),
        **dict.fromkeys(("short_realised", "funding", "freed", "swept"), "-1.5"),
    }  # fmt: skip
    with engine.begin() as db:
        db.execute(schema.hedges.insert().values(old))
    engine.dispose()
    journal = Journal(journal_url, "bot")
    (hedge,) = journal.unsettled()
    assert (hedge.id, hedge.held, hedge.freed) == ("h1", D("0.12345678"), D("-1.5"))
    fill_tables(journal)
    assert len(journal.recent(CloseRow)) == 1
    journal.close()


def test_migrated_tables_are_those_of_the_schema(journal: Journal) -> None:
    """What the migrations make is what the code expects: names, nullability and indexes."""
    seen = inspect(journal.engine)
    for table in schema.metadata.sorted_tables:
        columns = {(c["name"], c["nullable"]) for c in seen.get_columns(table.name)}
        assert columns == {(c.name, bool(c.nullable)) for c in table.columns}
        indexes = {i["name"] for i in seen.get_indexes(table.name)}
        assert indexes == {index.name for index in table.indexes}


def test_newer_tables_are_refused(journal_url: str) -> None:
    """A journal of a later release is left alone, in one line that says what to do."""
    Journal(journal_url, "bot").close()
    engine = create_engine(journal_url)
    with engine.begin() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(JournalError, match="install the release that wrote it, or newer") as refusal:
        Journal(journal_url, "bot")
    assert "\n" not in str(refusal.value)


# --- a database that can't be used


def test_missing_folder(tmp_path: Path) -> None:
    """A folder that is not there is named, with the remedy."""
    with pytest.raises(JournalError, match="does not exist: create it, or change"):
        Journal(f"sqlite:///{tmp_path}/nowhere/journal.sqlite", "bot")


@pytest.mark.parametrize("content", [b"this is no database" * 400, b"SQLite format 3\x00" + b"\xff" * 8000])
def test_corrupt_file(tmp_path: Path, content: bytes) -> None:
    """A file that is not a journal is refused in one line, and left as it is."""
    path = tmp_path / "journal.sqlite"
    path.write_bytes(content)
    with pytest.raises(JournalError, match="can't be opened") as refusal:
        Journal(f"sqlite:///{path}", "bot")
    assert "\n" not in str(refusal.value)
    assert path.read_bytes() == content


def test_unreachable_server() -> None:
    """A server that does not answer is one line, and its password is not in it."""
    with pytest.raises(JournalError, match="can't be opened") as refusal:
        Journal("postgresql://me:hunter2@127.0.0.1:1/journal", "bot")
    assert "hunter2" not in str(refusal.value)
    with pytest.raises(JournalError, match="can't be reached"):
        SingleBot("postgresql://me:hunter2@127.0.0.1:1/journal", "bot").acquire()


def test_rows_that_make_no_sense(journal: Journal) -> None:
    """A row that somebody has edited is named instead of believed."""
    fill_tables(journal)
    with journal.engine.begin() as db:
        db.execute(schema.hedges.update().values(held="plenty"))
    with pytest.raises(JournalError, match="held makes no sense: 'plenty'"):
        journal.unsettled()


# --- a running bot whose journal breaks, and heals


class World:
    """A bot with a short to hedge, on a venue that counts what is sent."""

    def __init__(self, url: str) -> None:
        self.time = NOW
        self.url = url
        self.venue = FakeVenue(self.now, {"USDT": D(10_000)}, D(2_000))
        self.legs: list[ShortLeg] = []
        self.start()

    def now(self) -> float:
        self.time += 0.001
        return self.time

    def start(self) -> None:
        self.journal = Journal(self.url, "bot")
        settings = FundHedgeConfig.model_validate({"margin": {"fund_entries": False}})
        ctx = Context(self.venue, self.journal, settings, "USDT", clock=self.now, sleep=lambda _s: None)
        self.bot = Controller(ctx)

    def enter(self) -> None:
        self.loop()
        self.venue.open_short(QUANTITY, D(3))
        self.legs = [ShortLeg(1, PAIR, self.now(), QUANTITY, QUANTITY, True)]

    def loop(self, count: int = 1) -> bool:
        done = False
        for _ in range(count):
            self.time += 5
            done = self.bot.converge(lambda _hedges: self.legs)
        return done

    def check_refuses(self, sent: int) -> None:
        """No entry, one line of reason, and nothing sent."""
        assert not self.loop(2)
        why = self.bot.allow_entry(PAIR, QUANTITY, self.venue.price)
        assert "journal" in why
        assert "\n" not in why
        assert sum(self.venue.sent.values()) == sent

    def check_recovers(self, orders: int = 1) -> None:
        """By itself, with each order sent once."""
        assert self.loop(4)
        assert abs(self.venue.spot["BTC"] - QUANTITY) < D("0.00002")
        assert self.venue.sent == {"order": orders}
        assert all(count == 1 for count in self.venue.applied.values())
        self.journal.close()


def test_locked(journal_url: str) -> None:
    """While somebody else holds the journal nothing is sent; when they let go the hedge is made, without a restart."""
    world = World(journal_url)
    world.enter()
    with locked(journal_url):
        assert not world.loop()
        assert "journal can't" in world.bot.allow_entry(PAIR, QUANTITY, world.venue.price)
        assert not world.venue.sent
    world.check_recovers()


class LockedAfterwards(FakeVenue):
    """Somebody locks the journal while an order is at the exchange."""

    holding: contextlib.ExitStack
    url = ""

    def send_order(self, order: OrderRequest) -> Fill:
        fill = super().send_order(order)
        if self.url:
            self.holding.enter_context(locked(self.url))
        return fill


def test_locked_between_answer_and_record(journal_url: str) -> None:
    """An answer that can't be recorded is found again in the exchange's records; the order is not sent twice."""
    world = World(journal_url)
    world.enter()
    venue = LockedAfterwards(**vars(world.venue))
    venue.url, venue.holding = journal_url, contextlib.ExitStack()
    world.venue = world.bot.ctx.venue = venue
    with venue.holding:
        assert not world.loop()
        assert venue.sent == {"order": 1}
        venue.url = ""
        assert not world.loop()
        assert venue.sent == {"order": 1}
        assert world.journal.open_orders()[0].state is State.SENT
    world.check_recovers()


def test_full_disk(tmp_path: Path) -> None:
    """With no room for a record nothing is sent; when there is room again the hedge is made, without a restart."""
    world = World(f"sqlite:///{tmp_path}/journal.sqlite")
    world.enter()
    used = max(path.stat().st_size for path in tmp_path.iterdir())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (used, hard))
        world.check_refuses(0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    world.check_recovers()


def test_read_only(tmp_path: Path) -> None:
    """A journal that turns read-only stops sends and entries until it can be written again."""
    world = World(f"sqlite:///{tmp_path}/journal.sqlite")
    world.enter()

    def read_only(db: Any, _record: object) -> None:
        db.execute("PRAGMA query_only=ON")

    world.journal.engine.dispose()
    event.listen(world.journal.engine, "connect", read_only)
    world.check_refuses(0)
    event.remove(world.journal.engine, "connect", read_only)
    world.journal.engine.dispose()
    world.check_recovers()


OPEN_AS_NOBODY = """
import os, sys
from freqtrade_fundhedge.errors import JournalError
from freqtrade_fundhedge.journal import Journal
Journal(f"sqlite:///{sys.argv[1]}", "warm").close()
if os.getuid() == 0:
    os.setgid(65534), os.setuid(65534)  # permissions do not stop root
for path in sys.argv[2:]:
    try:
        Journal(f"sqlite:///{path}", "bot")
    except JournalError as error:
        print(error)
"""


def test_no_permission(tmp_path: Path) -> None:
    """A file or folder that the bot's user may not write or enter is refused at the start, in one line each."""
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        for name, mode in (("file", 0o777), ("folder", 0o555), ("closed", 0o000)):
            (top / name).mkdir()
            Journal(f"sqlite:///{top}/{name}/journal.sqlite", "bot").close()
            (top / name / "journal.sqlite").chmod(0o444)
            (top / name).chmod(mode)
        top.chmod(0o755)
        paths = [f"{top}/{name}/journal.sqlite" for name in ("file", "folder", "closed")]
        command = [sys.executable, "-c", OPEN_AS_NOBODY, f"{tmp_path}/warm.sqlite", *paths]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        (top / "closed").chmod(0o755)
        (top / "folder").chmod(0o755)
    lines = done.stdout.splitlines()
    assert len(lines) == 3
    assert all("can't be opened" in line for line in lines)


def test_moved_away(tmp_path: Path) -> None:
    """A file that is moved away under the bot stops it, for SQLite would go on writing; put back, it goes on."""
    world = World(f"sqlite:///{tmp_path}/journal.sqlite")
    world.enter()
    path, elsewhere = tmp_path / "journal.sqlite", tmp_path / "elsewhere"
    path.rename(elsewhere)
    world.check_refuses(0)
    assert not path.exists()
    elsewhere.rename(path)
    world.check_recovers()


def test_replaced(tmp_path: Path) -> None:
    """A file that was replaced under the bot is not written to: its rows are not this bot's."""
    world = World(f"sqlite:///{tmp_path}/journal.sqlite")
    world.enter()
    path = tmp_path / "journal.sqlite"
    path.unlink()
    path.touch()
    world.check_refuses(0)
    assert "restart the bot" in world.bot.trouble
    world.journal.close()


def test_corrupted_while_running(tmp_path: Path) -> None:
    """A file that is overwritten under the bot stops it with one line; nothing is sent on its account."""
    world = World(f"sqlite:///{tmp_path}/journal.sqlite")
    world.enter()
    world.journal.engine.dispose()
    path = tmp_path / "journal.sqlite"
    path.write_bytes(b"\x00\xff" * (path.stat().st_size // 2))
    world.check_refuses(0)
    world.journal.close()


def test_server_hangs_up(postgres: str, journal_url: str) -> None:
    """A PostgreSQL that restarts under the bot costs nothing but time."""
    if journal_url.startswith("sqlite"):
        pytest.skip("SQLite has no server")
    world = World(journal_url)
    world.enter()
    hang_up(journal_url)
    world.check_recovers()


# --- one bot a journal, one mover an account


SECOND = """
import sys
from freqtrade_fundhedge.errors import JournalError
from freqtrade_fundhedge.journal_locks import SingleBot
try:
    SingleBot(sys.argv[1], sys.argv[2], "binance").acquire()
except JournalError as error:
    print(error)
"""


def second_process(url: str, bot: str) -> str:
    done = subprocess.run([sys.executable, "-c", SECOND, url, bot], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_second_process_is_refused(journal_url: str) -> None:
    """Two bots started by mistake on one journal: the second is refused in one line, and let in when the first ends."""
    first = SingleBot(journal_url, "bot", "binance")
    first.acquire()
    first.acquire()
    refusal = second_process(journal_url, "bot")
    assert refusal.startswith("another bot")
    assert "\n" not in refusal
    first.release()
    first.release()
    assert second_process(journal_url, "bot") == ""


def test_several_bots_on_one_account(postgres: str, journal_url: str) -> None:
    """On PostgreSQL several bots share a journal and take turns; who waits too long says so and sends nothing."""
    if journal_url.startswith("sqlite"):
        pytest.skip("one bot a file")
    one, other = SingleBot(journal_url, "one", "binance"), SingleBot(journal_url, "other", "binance")
    one.acquire()
    other.acquire()
    elsewhere = SingleBot(journal_url, "third", "bybit")
    elsewhere.acquire()
    world = World(journal_url)
    world.bot.ctx.turn = other.turn
    with one.turn():
        with elsewhere.turn():
            pass
        assert not world.loop()
        assert "its turn first" in world.bot.trouble
    assert world.loop()
    world.enter()
    world.check_recovers()
    for bot in (one, other, elsewhere):
        bot.release()


def test_lost_lock_is_taken_again(postgres: str, journal_url: str) -> None:
    """A lock that went with its connection is taken again before anything moves, unless another bot has it by then."""
    if journal_url.startswith("sqlite"):
        pytest.skip("a file lock has no connection")
    first, second = SingleBot(journal_url, "bot", "binance"), SingleBot(journal_url, "bot", "binance")
    first.acquire()
    hang_up(journal_url)
    with first.turn():
        pass
    hang_up(journal_url)
    second.acquire()
    with pytest.raises(JournalError, match="another bot"), first.turn():
        raise AssertionError("it has no turn")
    second.release()
    with first.turn():
        pass
    first.release()


def test_bots_see_only_their_own_rows(journal_url: str) -> None:
    """Bots on one journal keep apart: hedges, orders, transfers, closes and allowances."""
    one, other = Journal(journal_url, "one"), Journal(journal_url, "other")
    fill_tables(one)
    one.event("entry_allowed", "", NOW + 9, None, pair=PAIR, quantity="1")
    assert not other.unsettled()
    assert not other.open_closes()
    assert other.allowance(PAIR) is None
    assert one.allowance(PAIR) is not None
    assert other.held_by_others() == {PAIR}
    assert not one.held_by_others()
    one.close()
    other.close()


def test_an_allowance_is_remembered_until_something_is_written(journal_url: str) -> None:
    """A fill waits for it: it is read again only after a commit, another process's too once that is looked for."""
    journal, beside = Journal(journal_url, "bot"), Journal(journal_url, "bot", read_only=True)
    asked: list[str] = []
    event.listen(journal.engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
    journal.event("entry_allowed", "", NOW, None, pair=PAIR, quantity="1")
    assert (first := journal.allowance(PAIR)) is not None
    asked.clear()
    assert journal.allowance(PAIR) is first
    assert not asked
    journal.hedge(7, NOW + 1, PAIR, SYMBOL)
    assert journal.allowance(PAIR) is None
    assert journal.allowance(PAIR, answered=True) is not None
    journal.refresh()
    other = Journal(journal_url, "bot")
    other.event("entry_allowed", "", NOW + 9, None, pair=PAIR, quantity="2")
    journal.refresh()
    for reader in (journal, beside):
        assert (latest := reader.allowance(PAIR)) is not None
        assert latest.allowed == 2
    for used in (journal, beside, other):
        used.close()


def test_many_start_at_once(journal_url: str) -> None:
    """Processes that meet on an empty database make its tables once."""
    script = "import sys; from freqtrade_fundhedge.journal import Journal; Journal(sys.argv[1], sys.argv[2]).close()"
    running = [subprocess.Popen([sys.executable, "-c", script, journal_url, f"bot{n}"]) for n in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]


def test_full_sync(tmp_path: Path) -> None:
    """A record survives a power cut: SQLite syncs on every commit."""
    journal = Journal(f"sqlite:///{tmp_path}/journal.sqlite", "bot")
    with journal.engine.connect() as db:
        assert db.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert db.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    journal.close()
    with contextlib.closing(sqlite3.connect(tmp_path / "journal.sqlite")) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
