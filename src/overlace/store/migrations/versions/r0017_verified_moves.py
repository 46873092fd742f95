"""Whether the disks that went along with a machine were compared."""

import sqlalchemy as sa
from alembic import op

revision = "r0017"
down_revision = "r0016"


def upgrade() -> None:
    """They were not before."""
    for name in ("resource_move", "resource_procedure"):
        with op.batch_alter_table(name) as table:
            for text in ("verified", "unverified"):
                table.add_column(sa.Column(text, sa.String(), nullable=False, server_default=""))
            for number in ("verified_bytes", "unverified_bytes"):
                table.add_column(sa.Column(number, sa.BigInteger(), nullable=False, server_default="0"))
    with op.batch_alter_table("resource_procedure") as table:
        table.add_column(sa.Column("verify", sa.Boolean(), nullable=False, server_default="0"))
