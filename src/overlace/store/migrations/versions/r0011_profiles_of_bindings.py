"""What clients keep in the profile of a further binding, until it is the one that counts."""

import sqlalchemy as sa
from alembic import op

revision = "r0011"
down_revision = "r0010"


def upgrade() -> None:
    """Nothing was kept."""
    with op.batch_alter_table("resource_binding") as table:
        table.add_column(sa.Column("profile", sa.String(), nullable=True))
