"""The schema's history as Alembic scripts in `versions`, applied whenever a database is opened."""

from pathlib import Path
from threading import Lock

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Engine

_ONE_AT_A_TIME = Lock()
"""Alembic hands its environment to the scripts through a global."""


def migrate(engine: Engine) -> None:
    """Apply the scripts that are missing, in one transaction.

    Raises RuntimeError for a database whose schema no script here made, such as a newer release's, and
    sqlalchemy.exc.SQLAlchemyError.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    with _ONE_AT_A_TIME, engine.begin() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as reason:
            raise RuntimeError(f"the database is of another release: {reason}") from reason
