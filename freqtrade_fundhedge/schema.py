"""The journal's tables. Amounts are exact decimal text, times UTC in ISO 8601 with microseconds.

Times sort as text, and neither SQLite nor PostgreSQL gets a chance to round an amount.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, MetaData, String, Table, Text

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_name)s", "pk": "pk_%(table_name)s"},
)

hedges = Table(
    "hedges",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("bot", String(80), nullable=False),
    Column("trade_id", Integer, nullable=False),
    Column("pair", String(60), nullable=False),
    Column("symbol", String(60), nullable=False),
    Column("state", String(12), nullable=False),  # open, failed, closed
    Column("opened_at", String(32), nullable=False),
    Column("closed_at", String(32)),
    Column("unhedged_since", String(32)),
    Column("wanted", String(48), nullable=False),  # spot base units that balance the short
    Column("held", String(48), nullable=False),  # spot base units that are ours
    Column("spot_cash", String(48), nullable=False),  # change of quote on spot: sales less purchases less fees
    Column("spot_fees", String(48), nullable=False),  # fees of the spot leg in any coin, valued in quote
    Column("spot_bought", String(48), nullable=False),  # base units bought in all
    Column("short_realised", String(48), nullable=False),  # the short's closed profit, funding and fees included
    Column("funding", String(48), nullable=False),  # of it, funding
    Column("freed", String(48), nullable=False),  # USDT that the closed part gave back
    Column("swept", String(48), nullable=False),  # of it, what sweeps have moved
    Column("settled", Boolean, nullable=False),  # closed, and nothing of it is left to do
)

spot_orders = Table(
    "spot_orders",
    metadata,
    Column("intent_id", String(40), primary_key=True),
    Column("hedge_id", String(40), ForeignKey("hedges.id"), nullable=False),
    Column("serial", Integer, nullable=False),
    Column("pair", String(60), nullable=False),
    Column("symbol", String(60), nullable=False),
    Column("side", String(4), nullable=False),
    Column("state", String(12), nullable=False),
    Column("amount", String(48), nullable=False),
    Column("price", String(48), nullable=False),
    Column("filled", String(48), nullable=False),
    Column("quote", String(48), nullable=False),
    Column("fees", Text, nullable=False),  # JSON: coin -> amount
    Column("attempts", Integer, nullable=False),
    Column("not_seen", Integer, nullable=False),  # lookups that did not find it
    Column("created_at", String(32), nullable=False),
    Column("sent_at", String(32), nullable=False),
    Column("resolved_at", String(32)),
    Column("exchange_id", String(64)),
    Column("answer", Text, nullable=False),
)

transfers = Table(
    "transfers",
    metadata,
    Column("intent_id", String(40), primary_key=True),
    Column("serial", Integer, nullable=False),
    Column("bot", String(80), nullable=False),
    Column("direction", String(20), nullable=False),
    Column("asset", String(20), nullable=False),
    Column("state", String(12), nullable=False),
    Column("amount", String(48), nullable=False),
    Column("intended", String(48), nullable=False),  # before any reduction
    Column("wallet_before", String(48), nullable=False),  # futures wallet balance that the decision was made on
    Column("arithmetic", Text, nullable=False),  # JSON: the figures behind the decision
    Column("attempts", Integer, nullable=False),
    Column("attempt_log", Text, nullable=False),  # JSON: one object an attempt
    Column("not_seen", Integer, nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("sent_at", String(32), nullable=False),
    Column("resolved_at", String(32)),
    Column("exchange_id", String(64)),
    Column("answer", Text, nullable=False),
)

short_closes = Table(
    "short_closes",
    metadata,
    Column("intent_id", String(40), primary_key=True),
    Column("serial", Integer, nullable=False),
    Column("bot", String(80), nullable=False),
    Column("pair", String(60), nullable=False),
    Column("allowed_by", Integer, nullable=False),  # the event that allowed the entry
    Column("state", String(12), nullable=False),
    Column("amount", String(48), nullable=False),  # perpetual base units, bought back reduce-only
    Column("filled", String(48), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("not_seen", Integer, nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("sent_at", String(32), nullable=False),
    Column("resolved_at", String(32)),
    Column("exchange_id", String(64)),
    Column("answer", Text, nullable=False),
)

margin_changes = Table(
    "margin_changes",
    metadata,
    Column("intent_id", String(40), primary_key=True),
    Column("serial", Integer, nullable=False),
    Column("bot", String(80), nullable=False),
    Column("pair", String(60), nullable=False),
    Column("kind", String(8), nullable=False),  # add, reduce
    Column("state", String(12), nullable=False),
    Column("amount", String(48), nullable=False),
    Column("quantity_before", String(48), nullable=False),  # of the position that the decision was made on
    Column("margin_before", String(48), nullable=False),  # its isolated wallet
    Column("arithmetic", Text, nullable=False),  # JSON: the figures behind the decision
    Column("attempts", Integer, nullable=False),
    Column("not_seen", Integer, nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("sent_at", String(32), nullable=False),
    Column("resolved_at", String(32)),
    Column("exchange_id", String(64)),
    Column("answer", Text, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", String(32), nullable=False),
    Column("bot", String(80), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("hedge_id", String(40)),
    Column("pair", String(60)),
    Column("message", Text, nullable=False),
    Column("data", Text, nullable=False),  # JSON
)

Index("ix_hedges_settled", hedges.c.settled)
Index("ix_hedges_pair", hedges.c.pair, hedges.c.opened_at)
Index("ix_spot_orders_state", spot_orders.c.state, spot_orders.c.created_at)
Index("ix_spot_orders_hedge_id", spot_orders.c.hedge_id)
Index("ix_transfers_state", transfers.c.state)
Index("ix_transfers_serial", transfers.c.serial)
Index("ix_transfers_exchange_id", transfers.c.exchange_id)
Index("ix_short_closes_state", short_closes.c.state)
Index("ix_margin_changes_state", margin_changes.c.state)
Index("ix_events_at", events.c.at)
Index("ix_events_hedge_id", events.c.hedge_id)
Index("ix_events_kind", events.c.kind, events.c.pair)
