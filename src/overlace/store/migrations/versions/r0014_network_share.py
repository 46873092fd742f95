"""What the network took of a move."""

import sqlalchemy as sa
from alembic import op

revision = "r0014"
down_revision = "r0013"


def upgrade() -> None:
    """It was not measured before."""
    for name in ("resource_move", "resource_procedure"):
        with op.batch_alter_table(name) as table:
            table.add_column(sa.Column("network_ms", sa.BigInteger(), nullable=False, server_default="0"))
