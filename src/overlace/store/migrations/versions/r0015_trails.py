"""What ports have left behind at hosts where they were."""

import sqlalchemy as sa
from alembic import op

revision = "r0015"
down_revision = "r0014"


def upgrade() -> None:
    """Nobody was asked about connections from before a move."""
    op.create_table(
        "resource_trail",
        sa.Column("id", sa.String(), nullable=False),
        *[
            sa.Column(name, sa.String(), nullable=False)
            for name in ("port_id", "network_id", "host_id", "since")
        ],
        sa.Column("zone", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
