"""indexes that keep a loop, an entry and a start from reading the whole past"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_spot_orders_state", table_name="spot_orders")
    op.create_index("ix_spot_orders_state", "spot_orders", ["state", "created_at"], unique=False)
    op.create_index("ix_hedges_pair", "hedges", ["pair", "opened_at"], unique=False)
    op.create_index("ix_transfers_exchange_id", "transfers", ["exchange_id"], unique=False)
    op.create_index("ix_events_hedge_id", "events", ["hedge_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_events_hedge_id", table_name="events")
    op.drop_index("ix_transfers_exchange_id", table_name="transfers")
    op.drop_index("ix_hedges_pair", table_name="hedges")
    op.drop_index("ix_spot_orders_state", table_name="spot_orders")
    op.create_index("ix_spot_orders_state", "spot_orders", ["state"], unique=False)
