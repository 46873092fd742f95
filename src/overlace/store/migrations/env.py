"""What Alembic runs around the scripts: on the connection that the store opened, in its transaction."""

from alembic import context

from overlace.store.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
