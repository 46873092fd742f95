"""Machines, and the procedures that move them."""

import sqlalchemy as sa
from alembic import op

revision = "r0010"
down_revision = "r0009"


def upgrade() -> None:
    """Nothing was moved by Overlace before."""
    op.create_table(
        "resource_machine",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("host_id", sa.String(), nullable=False),
        sa.Column("driver", sa.String(), nullable=False),
        sa.Column("own_disks", sa.Boolean(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "resource_procedure",
        sa.Column("id", sa.String(), nullable=False),
        *[sa.Column(name, sa.String(), nullable=False) for name in _WORDS],
        *[sa.Column(name, sa.BigInteger(), nullable=False) for name in _NUMBERS],
        sa.Column("with_disks", sa.Boolean(), nullable=False),
        sa.Column("abort_wanted", sa.Boolean(), nullable=False),
        sa.Column("ended_at", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )

    with op.batch_alter_table("resource_move") as table:
        for name in ("machine_id", "mode", "event"):
            table.add_column(sa.Column(name, sa.String(), nullable=False, server_default=""))
        for name in ("copied_bytes", "disk_bytes", "stop_ms"):
            table.add_column(sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))


_WORDS = (
    *("project_id", "kind", "machine_id", "from_host", "to_host", "parent", "mode", "state", "step"),
    *("actor", "reason", "started_at", "entered_at", "mode_taken", "trigger"),
)
_NUMBERS = ("place", "bandwidth_mbit", "timeout", "copied_bytes", "disk_bytes", "stop_ms")
