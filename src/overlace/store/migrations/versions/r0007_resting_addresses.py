"""Addresses rest like numbers do."""

import sqlalchemy as sa
from alembic import op

revision = "r0007"
down_revision = "r0004"


def upgrade() -> None:
    """Nothing rested before."""
    op.create_table(
        "resource_resting_address",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("network_id", sa.String(), nullable=False),
        sa.Column("ip_address", sa.String(), nullable=False),
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("holder", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
