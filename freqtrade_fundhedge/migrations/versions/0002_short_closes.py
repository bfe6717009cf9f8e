"""closes of shorts that Freqtrade does not know, and events by kind"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "short_closes",
        sa.Column("intent_id", sa.String(length=40), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("bot", sa.String(length=80), nullable=False),
        sa.Column("pair", sa.String(length=60), nullable=False),
        sa.Column("allowed_by", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("amount", sa.String(length=48), nullable=False),
        sa.Column("filled", sa.String(length=48), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_seen", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("sent_at", sa.String(length=32), nullable=False),
        sa.Column("resolved_at", sa.String(length=32), nullable=True),
        sa.Column("exchange_id", sa.String(length=64), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("intent_id", name=op.f("pk_short_closes")),
    )
    op.create_index("ix_short_closes_state", "short_closes", ["state"], unique=False)
    op.create_index("ix_events_kind", "events", ["kind", "pair"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_events_kind", table_name="events")
    op.drop_index("ix_short_closes_state", table_name="short_closes")
    op.drop_table("short_closes")
