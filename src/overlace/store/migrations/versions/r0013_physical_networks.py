"""Bridges of hosts into physical networks, and segments that these imply."""

import sqlalchemy as sa
from alembic import op

revision = "r0013"
down_revision = "r0011"


def upgrade() -> None:
    """No host had such a bridge, and every segment was asked for."""
    with op.batch_alter_table("resource_host") as table:
        table.add_column(sa.Column("physical_networks", sa.Text(), nullable=False, server_default="[]"))
    with op.batch_alter_table("resource_segment") as table:
        table.add_column(sa.Column("implied", sa.Boolean(), nullable=False, server_default=sa.false()))
