"""A made-up bot's databases: a journal and Freqtrade's trades, with prices that wander and funding that mostly pays."""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from freqtrade.persistence import Order, Trade
from freqtrade.persistence.base import ModelBase
from sqlalchemy import create_engine, insert

from freqtrade_fundhedge.journal import Journal
from freqtrade_fundhedge.journal_rows import epoch, iso
from freqtrade_fundhedge.schema import events, hedges, margin_changes, spot_orders, transfers

BOT = "carry"
BEGIN = 1_767_225_600.0  # 2026-01-01
HOUR = 3600.0
PRICES = {"BTC": 90_000.0, "ETH": 3100.0, "SOL": 140.0, "BNB": 850.0, "XRP": 2.1, "DOGE": 0.14}
STAKE, LEVERAGE, SPOT_FEE, FUTURES_FEE = 1000.0, 2.0, 0.001, 0.0005


@dataclass
class Books:
    """Rows to write, and what they must come to."""

    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    moves: list[tuple[float, str, float]] = field(default_factory=list)

    def add(self, table: str, **row: Any) -> None:
        """One more row."""
        self.tables.setdefault(table, []).append(row)


def write_books(folder: Path, count: int, days: float = 60.0, readings: bool = True, journal_url: str = "",
                trades_url: str = "") -> dict[str, Any]:  # fmt: skip
    """Write both databases into a folder; returns the configuration that finds them.

    The last two hedges are open. `readings`: an hourly snapshot, as the bot's loop makes it.
    """
    journal_url = journal_url or f"sqlite:///{folder}/trades-fundhedge.sqlite"
    trades_url = trades_url or f"sqlite:///{folder}/trades.sqlite"
    books, random = Books(), np.random.default_rng(7)
    hours = int(days * 24)
    paths = {coin: price * np.exp(np.cumsum(random.normal(0, 0.004, hours + 1))) for coin, price in PRICES.items()}
    gaps = {coin: 0.0005 + 0.0004 * np.sin(np.arange(hours + 1) / 40 + n) for n, coin in enumerate(PRICES)}
    coins = list(PRICES)
    for number in range(count):
        length = int(random.integers(24, max(25, min(10 * 24, hours // 3))))
        first = int(random.integers(0, max(1, hours - length))) if count > 40 else number * (hours - length) // count
        still_open = number >= count - 2
        last = hours if still_open else first + length
        _hedge(books, random, number + 1, coins[number % len(coins)], first, last, still_open, paths, gaps)
    _transfers(books, random)
    _guard(books, random)
    if readings:
        _readings(books, hours, paths, gaps, coins)
    _write(journal_url, trades_url, books)
    return {
        "bot_name": BOT, "trading_mode": "futures", "margin_mode": "isolated", "stake_currency": "USDT",
        "dry_run": False, "db_url": trades_url, "exchange": {"name": "binance", "key": "", "secret": ""},
        "fundhedge": {"db_url": journal_url},
    }  # fmt: skip


def _hedge(books: Books, random: Any, number: int, coin: str, first: int, last: int, still_open: bool,
           paths: Any, gaps: Any) -> None:  # fmt: skip
    pair, symbol = f"{coin}/USDT:USDT", f"{coin}/USDT"
    opened, closed = BEGIN + first * HOUR + 7, BEGIN + last * HOUR + 11
    spot_in, spot_out = paths[coin][first], paths[coin][last]
    perp_in, perp_out = spot_in * (1 + gaps[coin][first]), spot_out * (1 + gaps[coin][last])
    amount = float(f"{STAKE * LEVERAGE / perp_in:.4g}")
    hedge = f"fh-hedge-{number}"
    funding = 0.0
    for hour in range((first // 8 + 1) * 8, last + 1, 8):
        rate = float(random.normal(0.00025, 0.0001))
        paid = round(amount * paths[coin][hour] * rate, 8)
        funding += paid
        books.add("events", at=iso(BEGIN + hour * HOUR + 65), bot=BOT, kind="funding", hedge_id=hedge, pair=pair,
                  message=f"{pair}: funding {paid:+.4f} USDT", data=json.dumps({"amount": str(paid)}))  # fmt: skip
    fees = amount * perp_in * FUTURES_FEE + (0 if still_open else amount * perp_out * FUTURES_FEE)
    realised = 0.0 if still_open else amount * (perp_in - perp_out) + funding - fees
    bought = amount * (1 + SPOT_FEE)
    cash = -bought * spot_in + (0 if still_open else amount * spot_out * (1 - SPOT_FEE))
    spot_fees = bought * SPOT_FEE * spot_in + (0 if still_open else amount * spot_out * SPOT_FEE)
    held = bought * (1 - SPOT_FEE) - (0 if still_open else amount)
    money = {"wanted": amount if still_open else 0.0, "held": held, "spot_cash": cash, "spot_fees": spot_fees,
             "spot_bought": bought, "short_realised": realised, "funding": funding,
             "freed": 0.0, "swept": 0.0}  # fmt: skip
    books.add("hedges", id=hedge, bot=BOT, trade_id=number, pair=pair, symbol=symbol, opened_at=iso(opened),
              state="open" if still_open else "closed", closed_at=None if still_open else iso(closed),
              unhedged_since=None, settled=not still_open, **{k: f"{v:.10f}" for k, v in money.items()})  # fmt: skip
    reason = "" if still_open else str(random.choice(["exit_signal", "funding_turned", "exit_signal", "force_exit"]))
    books.add("trades", id=number, exchange="binance", pair=pair, base_currency=coin, stake_currency="USDT",
              is_open=still_open, fee_open=FUTURES_FEE, fee_close=FUTURES_FEE, open_rate=perp_in, amount=amount,
              open_date=_naive(opened), close_date=None if still_open else _naive(closed), exit_reason=reason or None,
              stake_amount=STAKE, max_stake_amount=STAKE, realized_profit=realised, funding_fees=funding,
              close_rate=None if still_open else perp_out, is_short=True, leverage=LEVERAGE, strategy="Carry",
              is_stop_loss_trailing=False, interest_rate=0.0, record_version=2)  # fmt: skip
    _order(books, hedge, number, pair, symbol, "buy", bought, spot_in, opened, f"{coin}", perp_in, amount)
    books.moves.append((opened - 20, "spot_to_futures", STAKE * 1.003))
    if not still_open:
        _order(books, hedge, number, pair, symbol, "sell", amount, spot_out, closed, "USDT", perp_out, amount)
        books.moves.append((closed + 2, "futures_to_spot", STAKE * 1.003))


def _order(books: Books, hedge: str, number: int, pair: str, symbol: str, side: str, filled: float, price: float,
           at: float, fee_coin: str, perp: float, amount: float) -> None:  # fmt: skip
    quote = filled * price
    fee = quote * SPOT_FEE if fee_coin == "USDT" else filled * SPOT_FEE
    serial = 1 if side == "buy" else 2
    books.add("spot_orders", intent_id=f"fh-{number}-{serial}", hedge_id=hedge, serial=serial, pair=pair, symbol=symbol,
              side=side, state="done", amount=f"{filled:.10f}", price=f"{price * 1.001:.10f}",
              filled=f"{filled:.10f}", quote=f"{quote:.10f}", fees=json.dumps({fee_coin: f"{fee:.10f}"}), attempts=1,
              not_seen=0, created_at=iso(at + 0.2), sent_at=iso(at + 0.2), resolved_at=iso(at + 0.3),
              exchange_id=f"o{number}{serial}", answer="closed")  # fmt: skip
    futures_side = "sell" if side == "buy" else "buy"
    books.add("orders", ft_trade_id=number, ft_order_side=futures_side, ft_pair=pair, ft_is_open=False,
              ft_amount=amount,
              ft_price=perp, order_id=f"f{number}{serial}", status="closed", symbol=pair, side=futures_side, price=perp,
              average=perp, amount=amount, filled=amount, remaining=0.0, cost=amount * perp, order_date=_naive(at),
              order_filled_date=_naive(at), order_update_date=_naive(at))  # fmt: skip


def _transfers(books: Books, random: Any) -> None:
    wallet = 40.0
    for serial, (at, direction, amount) in enumerate(sorted(books.moves), 1):
        luck = float(random.random())
        took = 0.2 + luck if luck < 0.93 else 40 * luck
        log = [{"n": 1, "amount": f"{amount:.8f}", "at": iso(at), "outcome": "accept", "answer": "accepted"}]
        if luck > 0.97:
            log = [{**log[0], "outcome": "reduce", "answer": "-5013"}, {**log[0], "n": 2}]
        elif luck > 0.93:
            log[0] |= {"outcome": "find", "answer": "found in the history"}
        books.add("transfers", intent_id=f"fh-t{serial}", serial=serial, bot=BOT, direction=direction, asset="USDT",
                  state="done", amount=f"{amount:.8f}", intended=f"{amount:.8f}", wallet_before=f"{wallet:.8f}",
                  arithmetic="{}", attempts=len(log), attempt_log=json.dumps(log), not_seen=0, created_at=iso(at),
                  sent_at=iso(at), resolved_at=iso(at + took), exchange_id=f"t{serial}", answer="accepted")  # fmt: skip
        wallet += amount if direction == "spot_to_futures" else -amount


def _guard(books: Books, random: Any) -> None:
    """Each third hedge gets margin, the half of it later taken back; the last one of them is asked to shrink."""
    guarded = books.tables["hedges"][::3]
    for number, row in enumerate(guarded):
        at = epoch(row["opened_at"]) + 5 * HOUR
        distance = {"distance": f"{random.uniform(0.05, 0.15):.4f}"}
        for way, kind, hours, share in (("add", "margin_added", 0, 1.0), ("reduce", "margin_taken_back", 4, 0.5)):
            serial, then, amount = 2 * number + hours // 4 + 1, at + hours * HOUR, f"{STAKE * 0.2 * share:.8f}"
            refused = number == 1 and way == "reduce"
            books.add("margin_changes", intent_id=f"fh-m{serial}", serial=serial, bot=BOT, pair=row["pair"], kind=way,
                      state="rejected" if refused else "done", amount=amount, quantity_before="1",
                      margin_before=f"{STAKE:.8f}", arithmetic=json.dumps(distance), attempts=1, not_seen=0,
                      created_at=iso(then), sent_at=iso(then), resolved_at=iso(then + 0.4), exchange_id=None,
                      answer="accepted")  # fmt: skip
            if not refused:
                data = {"arithmetic": distance, "intent": f"fh-m{serial}", "amount": amount}
                books.add("events", at=iso(then + 0.4), bot=BOT, kind=kind, hedge_id=None, pair=row["pair"],
                          message=f"{row['pair']}: {amount} USDT of margin", data=json.dumps(data))  # fmt: skip
    pair, data = guarded[-1]["pair"], {"arithmetic": {"quantity": "0.25", "distance": "0.04"}}
    books.add("events", at=iso(epoch(guarded[-1]["opened_at"]) + 9.5 * HOUR), bot=BOT, kind="shrink_asked",
              hedge_id=None, pair=pair, message=f"{pair}: both legs shrink by 0.25", data=json.dumps(data))  # fmt: skip


def _readings(books: Books, hours: int, paths: Any, gaps: Any, coins: list[str]) -> None:
    # Sorted text, so that the hours of a hedge are found without looking at every other one.
    stamps = [iso(BEGIN + hour * HOUR + 30) for hour in range(hours + 1)]
    held: list[list[str]] = [[] for _ in stamps]
    for row in books.tables["hedges"]:
        last = bisect_right(stamps, row["closed_at"] or "9")
        for hour in range(bisect_left(stamps, row["opened_at"]), last):
            held[hour].append(row["pair"])
    for hour, at in enumerate(stamps):
        prices = {}
        for coin in coins:
            if f"{coin}/USDT:USDT" in held[hour]:
                spot = float(paths[coin][hour])
                prices[f"{coin}/USDT:USDT"] = [spot * (1 + float(gaps[coin][hour])), spot]
        used = len(held[hour])
        wallets = {"futures": f"{40 + used * STAKE * 1.003:.4f}", "futures_free": "40",
                   "spot": f"{20_000 - used * STAKE * (1 + LEVERAGE):.4f}"}  # fmt: skip
        books.add("events", at=at, bot=BOT, kind="snapshot", hedge_id=None, pair=None, message="wallets and prices",
                  data=json.dumps({"wallets": wallets, "prices": prices}))  # fmt: skip


def _write(journal_url: str, trades_url: str, books: Books) -> None:
    journal = Journal(journal_url, BOT)
    with journal.engine.begin() as db:
        for table in (hedges, spot_orders, transfers, margin_changes, events):
            db.execute(insert(table), books.tables[table.name])
    journal.close()
    engine = create_engine(trades_url)
    ModelBase.metadata.create_all(engine)
    with engine.begin() as db:
        db.execute(insert(Trade.__table__), books.tables["trades"])
        db.execute(insert(Order.__table__), books.tables["orders"])
    engine.dispose()


def _naive(at: float) -> datetime:
    """As Freqtrade writes it: UTC without saying so."""
    return datetime.fromtimestamp(at, UTC).replace(tzinfo=None)
