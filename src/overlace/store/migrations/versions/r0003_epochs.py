"""Every start of a controller begins an epoch; what was said of the controller as a whole."""

import sqlalchemy as sa
from alembic import op

revision = "r0003"
down_revision = "r0002"


def upgrade() -> None:
    """Until now a store had one epoch for life: it began before the first revision."""
    op.create_table(
        "epochs",
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("after", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("epoch"),
    )
    op.execute(
        "insert into epochs (epoch, after) select cast(value as integer), 0 from meta where name = 'epoch'"
    )
    op.create_table(
        "resource_controller",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("observe_only", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
