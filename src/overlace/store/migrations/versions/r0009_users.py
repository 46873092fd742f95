"""What clients say of a user besides the name."""

import sqlalchemy as sa
from alembic import op

revision = "r0009"
down_revision = "r0007"


def upgrade() -> None:
    """Of the users that there are nothing was said."""
    with op.batch_alter_table("resource_user") as table:
        table.add_column(sa.Column("description", sa.String(), nullable=False, server_default=""))
        table.add_column(sa.Column("email", sa.String(), nullable=False, server_default=""))
        table.add_column(sa.Column("default_project_id", sa.String(), nullable=True))
