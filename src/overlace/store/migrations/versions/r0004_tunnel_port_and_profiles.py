"""The tunnels' UDP port, which was VXLAN's own until now; what clients keep in binding:profile."""

import sqlalchemy as sa
from alembic import op

revision = "r0004"
down_revision = "r0003"


def upgrade() -> None:
    """What was said of the controller before goes on with that port, and ports have no such notes."""
    with op.batch_alter_table("resource_controller") as table:
        table.add_column(sa.Column("tunnel_port", sa.BigInteger(), nullable=False, server_default="4789"))
    with op.batch_alter_table("resource_port") as table:
        table.add_column(sa.Column("profile", sa.String(), nullable=False, server_default=""))
