"""Replicas of machines' disks, and what a rescue began from."""

import sqlalchemy as sa
from alembic import op

revision = "r0016"
down_revision = "r0015"


def upgrade() -> None:
    """There were no replicas, and nobody knew how old a disk was that a rescue began from."""
    op.create_table(
        "resource_replica",
        sa.Column("id", sa.String(), nullable=False),
        *[sa.Column(name, sa.String(), nullable=False) for name in ("project_id", "host_id", "state")],
        *[sa.Column(name, sa.BigInteger(), nullable=False) for name in _NUMBERS],
        *[sa.Column(name, sa.String(), nullable=True) for name in ("moment", "as_of", "verified")],
        *[sa.Column(name, sa.Boolean(), nullable=False) for name in ("verify", "taken", "ending")],
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("resource_procedure") as table:
        table.add_column(sa.Column("data_as_of", sa.String(), nullable=True))
        table.add_column(sa.Column("recovery_s", sa.BigInteger(), nullable=False, server_default="0"))


_NUMBERS = ("every", "bandwidth_mbit", "round", "whole", "sent_bytes", "round_ms")
