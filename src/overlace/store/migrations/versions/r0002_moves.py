"""Moves with their receipts; generations that outlive bindings."""

import sqlalchemy as sa
from alembic import op

revision = "r0002"
down_revision = "r0001"


def upgrade() -> None:
    """Ports go on above the generations that their bindings have."""
    op.add_column(
        "resource_port", sa.Column("generation", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.add_column("resource_binding", sa.Column("since", sa.String(), nullable=True))
    op.add_column("resource_binding", sa.Column("reason", sa.String(), nullable=False, server_default=""))
    op.execute(
        "update resource_port set generation = coalesce("
        "(select max(generation) from resource_binding where port_id = resource_port.id), 0)"
    )
    op.create_table(
        "resource_move",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("port_id", sa.String(), nullable=False),
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("network_id", sa.String(), nullable=False),
        sa.Column("from_host", sa.String(), nullable=False),
        sa.Column("to_host", sa.String(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("prepared_by", sa.String(), nullable=False),
        sa.Column("activated_by", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("prepared_at", sa.String(), nullable=False),
        sa.Column("activated_at", sa.String(), nullable=True),
        sa.Column("ended_at", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
