"""Fills go first: before requests that can wait, during those that are under way, and several at once."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal as D
from functools import partial
from pathlib import Path

import ccxt
import pytest
from fake_venue import MARKET, PAIR, FakeVenue
from test_early_fills import FIFTH, NEAR, QUANTITY, World

from freqtrade_fundhedge.core.hedge import ShortLeg
from freqtrade_fundhedge.core.intents import State
from freqtrade_fundhedge.errors import OutcomeUnknown, Rejected
from freqtrade_fundhedge.journal_closes import EARLY
from freqtrade_fundhedge.journal_rows import OrderRow
from freqtrade_fundhedge.market import SpotMarket
from freqtrade_fundhedge.venue.ccxt_call import twin
from freqtrade_fundhedge.venue.perpetuals import FundingQuote
from freqtrade_fundhedge.venue.port import (
    ZERO,
    Fill,
    FuturesAccount,
    OrderFill,
    OrderRequest,
    Quote,
    Side,
    TransferRequest,
)

PAIRS = (PAIR, "ETH/USDT:USDT", "SOL/USDT:USDT")
WAIT_S = 10.0


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.journal.close()


class Many(FakeVenue):
    """Markets in three coins; an order is answered when three are under way."""

    concurrent = True
    together: threading.Barrier

    def market(self, pair: str) -> SpotMarket:
        coin = pair.partition("/")[0]
        return replace(MARKET, pair=pair, symbol=f"{coin}/USDT", base=coin)

    def send_order(self, order: OrderRequest) -> Fill:
        self.together.wait(WAIT_S)
        if order.market.base == "ETH":
            raise Rejected("no such luck", "-2010")
        if order.market.base == "SOL":
            raise OutcomeUnknown("timed out")
        return Fill("1", order.quantity, order.quantity * order.price, {}, "filled")


def several(world: World) -> list[ShortLeg]:
    """Shorts in three pairs on a venue that takes orders side by side."""
    venue = Many(world.now, {"USDT": D(10_000)}, D(2_000))
    venue.together = threading.Barrier(len(PAIRS))
    world.venue = world.bot.ctx.venue = venue
    return [ShortLeg(n, pair, world.time, QUANTITY, QUANTITY, True) for n, pair in enumerate(PAIRS, 1)]


def test_orders_of_several_pairs_are_under_way_at_once(world: World) -> None:
    """None waits for another one's answer, and each outcome is on record, the lost one as unknown."""
    legs = several(world)
    with pytest.raises(OutcomeUnknown):
        world.bot.spot.at_once(legs, dict.fromkeys(PAIRS, Side.BUY))
    states = {row.pair: row.state for row in world.journal.recent(OrderRow)}
    assert states == dict(zip(PAIRS, (State.DONE, State.REJECTED, State.UNKNOWN), strict=True))
    held = {hedge.pair: hedge.held for hedge in world.hedges()}
    assert QUANTITY <= held.pop(PAIR) < QUANTITY * D("1.01")
    assert held == dict.fromkeys(PAIRS[1:], ZERO)
    assert not [t for t in threading.enumerate() if t.name.startswith("fundhedge-order")]


def test_a_fill_does_not_wait_for_the_loop_to_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is told while a loop waits for the wallet or for rates is hedged meanwhile; the loop then reads again."""
    world.allow()
    reads: list[D] = []
    read = world.venue.futures_account

    def slow() -> FuturesAccount:
        found = read()
        reads.append(found.short(PAIR))
        if len(reads) == 1:
            world.venue.open_short(QUANTITY, D(3))
            told = threading.Thread(target=world.tell, args=("1", QUANTITY))
            told.start()
            told.join(WAIT_S)
            assert not told.is_alive(), "it waits for the loop"
            assert abs(world.ours() - QUANTITY) < NEAR
        return found

    monkeypatch.setattr(world.venue, "futures_account", slow)
    world.loops()
    assert reads == [ZERO, QUANTITY]
    assert (world.buys(), abs(world.ours() - QUANTITY) < NEAR) == (1, True)


def half_out(world: World) -> ShortLeg:
    """A hedge whose exit freed USDT that nobody has swept yet."""
    leg = world.enter()
    world.loops()
    world.venue.close_short_by(QUANTITY)
    freed = replace(leg, filled=ZERO, reachable=ZERO, is_open=False, stake_left=ZERO)
    world.legs = [freed]
    return freed


def test_what_was_swept_during_a_read_is_not_swept_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A callback that waits for the wallet while the loop sweeps looks again before it moves anything."""
    leg, before = half_out(world), world.venue.sent["transfer"]
    read, reads = world.venue.futures_account, []

    def slow() -> FuturesAccount:
        found = read()
        reads.append(found.wallet)
        if len(reads) == 1:
            loop = threading.Thread(target=world.loops)
            loop.start()
            loop.join(WAIT_S)
            assert world.venue.sent["transfer"] == before + 1
        return found

    monkeypatch.setattr(world.venue, "futures_account", slow)
    world.bot.after_fill(leg)
    assert len(reads) > 2
    assert world.venue.sent["transfer"] == before + 1


def test_a_bot_that_was_closed_during_a_read_moves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it read is the next bot's business, which may be at work by then."""
    leg, before, read = half_out(world), world.venue.sent["transfer"], world.venue.futures_account

    def slow() -> FuturesAccount:
        closing = threading.Thread(target=world.bot.close)
        closing.start()
        closing.join(WAIT_S)
        return read()

    monkeypatch.setattr(world.venue, "futures_account", slow)
    assert not world.bot.after_fill(leg)
    assert world.venue.sent["transfer"] == before
    assert "stopping" in world.bot.trouble


def test_a_transfer_waits_for_a_fill(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is told after the loop has read the wallet is hedged before a transfer leaves."""
    leg = world.enter()
    world.loops()
    world.venue.close_short_by(FIFTH)
    left = QUANTITY - FIFTH
    world.legs = [replace(leg, filled=left, reachable=left, stake_left=leg.stake_left / 2, heard={"1": QUANTITY})]
    order: list[str] = []
    send, transfer, look = world.venue.send_order, world.venue.send_transfer, world.bot.claims.look

    def told(*args: object) -> None:
        look(*args)  # type: ignore[arg-type]
        fill = OrderFill("9", world.bot.early.prefix, PAIR, False, True, FIFTH, FIFTH, world.venue.price, world.time)
        world.venue.close_short_by(FIFTH)
        world.bot.early.inbox.append(fill)

    def sent(request: OrderRequest) -> Fill:
        order.append("order")
        return send(request)

    def moved(request: TransferRequest) -> str:
        order.append("transfer")
        return transfer(request)

    monkeypatch.setattr(world.bot.claims, "look", told)
    monkeypatch.setattr(world.venue, "send_order", sent)
    monkeypatch.setattr(world.venue, "send_transfer", moved)
    world.loops()
    assert order == ["order", "order", "transfer"]


def test_a_pause_between_two_attempts_is_no_pause_for_fills(world: World) -> None:
    """The context's wait lets them in again and again."""
    waited: list[float] = []
    world.bot.ctx.sleep = waited.append
    calls: list[None] = []
    world.bot.ctx.meanwhile = lambda: calls.append(None)
    world.bot.ctx.wait(0.5)
    assert sum(waited) == pytest.approx(0.5)
    assert len(calls) >= 10


def test_a_resting_entry_asks_for_no_book(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it will need on spot is reckoned by the index price that each loop reads anyway."""
    world.allow()
    world.venue.open_short(FIFTH, D(3))
    world.tell("1", FIFTH)
    world.trade(FIFTH, reachable=QUANTITY)
    world.loops()
    asked: list[str] = []
    monkeypatch.setattr(world.venue, "quote", asked.append)
    world.loops(4)
    missing = (QUANTITY - FIFTH) * world.venue.price
    assert missing < world.bot.claims.total() < missing * D("1.01")
    assert not asked


def test_a_fill_that_only_freqtrade_tells_asks_for_no_book(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the stream an exit's sale leaves with the callback, at the fill's price and the basis as last read."""
    leg = world.enter()
    world.loops()
    world.time += 60
    world.venue.close_short_by(FIFTH)
    asked: list[str] = []
    monkeypatch.setattr(world.venue, "quote", asked.append)
    left = QUANTITY - FIFTH
    world.bot.after_fill(replace(leg, filled=left, reachable=left), world.venue.price)
    assert not asked
    assert abs(world.ours() - left) < NEAR


def test_an_entry_asks_two_things_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Balance and book, perpetual and spot market: either pair of questions is under way together."""
    world.loops()
    venue, together = world.venue, threading.Barrier(2)

    def waiting(ask: Callable[..., object], *args: object) -> object:
        together.wait(WAIT_S)
        return ask(*args)

    for name in ("spot_balances", "quote", "perp_states", "spot_trading"):
        monkeypatch.setattr(venue, name, partial(waiting, getattr(venue, name)))
    monkeypatch.setattr(venue, "concurrent", True)
    assert world.bot.allow_entry(PAIR, QUANTITY, venue.price) == ""


@pytest.mark.parametrize("price", ["0.0000028113", "0.00000281"])
def test_an_estimate_reaches_the_other_side_of_a_coarse_tick(world: World, price: str) -> None:
    """Where one tick is more than the slippage, the price between two ticks must not keep either side from filling."""
    tick, about = D("0.00000001"), D(price)
    quote = Quote.around("PEPE/USDT", about, tick, world.time)
    assert quote.best(Side.SELL) <= about < quote.best(Side.BUY)
    assert quote.best(Side.BUY) - quote.best(Side.SELL) == tick


def test_prices_come_from_the_fill_and_the_basis(world: World) -> None:
    """An index of nothing, or none, leaves the book to be asked."""
    fill = D(49_000)
    world.bot.spot.funding = {PAIR: FundingQuote(0.0, 8.0, 0.0, 50_000.0, 50_500.0)}
    world.bot.spot.expect(PAIR, fill)
    assert world.bot.ctx.quote("BTC/USDT").best(Side.SELL) == D("49490.00")
    world.time += 60
    world.bot.spot.funding = {}
    world.bot.spot.expect(PAIR, fill)
    assert world.bot.ctx.quote("BTC/USDT").best(Side.SELL) == world.venue.price - D("0.5")


def test_a_rehearsal_leaves_nothing(world: World) -> None:
    """The statements that a fill waits for are tried before the first one, and taken back."""
    world.journal.rehearse()
    assert not world.hedges()
    assert not world.journal.recent(OrderRow)
    hedge, row = world.journal.begin_at_once(EARLY, 1.0, PAIR, "BTC/USDT", ZERO, lambda _: None, 1.0) or (None, None)
    assert (hedge, row) == (None, None)


def test_a_twin_keeps_its_own_memory_and_leaves_the_connections_open() -> None:
    """ccxt closes its session when an instance goes, and keeps the last answer where another thread's may follow."""
    closed: list[None] = []
    api = ccxt.binance()
    api.session.close = lambda: closed.append(None)
    api.last_http_response = "mine"
    with twin(api, spaced=False) as other:
        other.last_http_response = "other"
        assert other.session is api.session
        assert not other.enableRateLimit
    del other
    assert (api.last_http_response, api.enableRateLimit, closed) == ("mine", True, [])
    api.session = None


def elsewhere(work: Callable[..., object], *args: object) -> None:
    """In another thread, to its end."""
    thread = threading.Thread(target=work, args=args)
    thread.start()
    thread.join(WAIT_S)
    assert not thread.is_alive()


def test_a_signal_that_comes_while_a_fill_is_hedged_stops_the_bot(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes up from a loop that waits for its lock as what it is, and the lock is nobody's afterwards."""
    read, main, taken = world.venue.futures_account, threading.get_ident(), threading.Event()

    def fill() -> None:
        with world.bot.lock:
            taken.set()
            time.sleep(0.2)
            signal.pthread_kill(main, signal.SIGUSR1)
            time.sleep(0.2)

    def slow() -> FuturesAccount:
        threading.Thread(target=fill).start()
        assert taken.wait(WAIT_S)
        return read()

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGUSR1, stop)
    monkeypatch.setattr(world.venue, "futures_account", slow)
    try:
        with pytest.raises(KeyboardInterrupt):
            world.loops()
    finally:
        signal.signal(signal.SIGUSR1, before)
    free: list[bool] = []
    elsewhere(lambda: free.append(world.bot.lock.acquire(timeout=1)))
    assert free == [True]


def test_a_fill_that_waited_for_a_bot_to_stop_moves_nothing(world: World) -> None:
    """Its journal may be another bot's by then, which finds the same; nor is any entry allowed afterwards."""
    leg, before = half_out(world), world.venue.sent.copy()
    world.bot.close()
    assert not world.bot.after_fill(leg)
    world.loops()
    assert world.venue.sent == before
    assert world.bot.allow_entry(PAIR, QUANTITY, world.venue.price) == "the bot is stopping"


def test_a_fill_does_not_make_good_a_loop_that_failed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a loop died of, nothing is entered until one has come to its end; nor while the next is under way."""
    leg = world.enter()
    world.loops()
    with monkeypatch.context() as broken:
        broken.setattr(world.bot, "_hedge_all", {}.__getitem__)
        with pytest.raises(TypeError):
            world.loops()
    world.bot.after_fill(leg)
    assert world.bot.refusal(PAIR, QUANTITY, world.venue.price) == world.bot.trouble != ""
    read = world.venue.futures_account
    meanwhile: list[str] = []

    def slow() -> FuturesAccount:
        if not meanwhile:
            elsewhere(world.bot.after_fill, leg)
            meanwhile.append(world.bot.trouble)
        return read()

    monkeypatch.setattr(world.venue, "futures_account", slow)
    world.loops()
    assert meanwhile[0] != ""
    assert world.bot.trouble == ""


def test_a_balance_that_a_fill_has_overtaken_is_not_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry is planned beside other threads: what one of them moves during the read would be counted twice."""
    leg, purse, read = half_out(world), world.bot.purse, world.venue.spot_balances
    reads: list[D] = []

    def slow() -> Mapping[str, D]:
        found = read()
        reads.append(found["USDT"])
        if len(reads) == 1:
            elsewhere(world.bot.after_fill, leg)
        return found

    monkeypatch.setattr(world.venue, "spot_balances", slow)
    purse.forget()
    assert purse.spot() is None
    assert purse.spot() == world.venue.spot["USDT"] != reads[0]
