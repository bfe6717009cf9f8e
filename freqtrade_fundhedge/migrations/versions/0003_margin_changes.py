"""margin added to and taken from isolated positions"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "margin_changes",
        sa.Column("intent_id", sa.String(length=40), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("bot", sa.String(length=80), nullable=False),
        sa.Column("pair", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("amount", sa.String(length=48), nullable=False),
        sa.Column("quantity_before", sa.String(length=48), nullable=False),
        sa.Column("margin_before", sa.String(length=48), nullable=False),
        sa.Column("arithmetic", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_seen", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("sent_at", sa.String(length=32), nullable=False),
        sa.Column("resolved_at", sa.String(length=32), nullable=True),
        sa.Column("exchange_id", sa.String(length=64), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("intent_id", name=op.f("pk_margin_changes")),
    )
    op.create_index("ix_margin_changes_state", "margin_changes", ["state"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_margin_changes_state", table_name="margin_changes")
    op.drop_table("margin_changes")
