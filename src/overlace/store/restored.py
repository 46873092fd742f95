"""A database that comes back from a backup does not know which numbers were given since."""

from sqlalchemy import Engine, insert, select

from overlace.store.allocation import pool_range
from overlace.store.record import CURSOR
from overlace.store.tables import META

SHARE = 16
"""One part in so many of each pool is left out: more than is given between two backups."""
_POOLS = ("network_key", "port_key", "group_key", "host_key", "vni", "hop_label")


def leave_room(engine: Engine) -> None:
    """Let every pool go on far behind the last number that it gave: hosts may still act on those given since, and
    would take what is new for what they know. Raises sqlalchemy.exc.SQLAlchemyError."""
    with engine.begin() as connection:
        given = {row.name: int(row.value) for row in connection.execute(select(META)) if _is_cursor(row.name)}
        names = {f"{CURSOR}{pool}" for pool in _POOLS} | given.keys()
        rows = [{"name": name, "value": str(_behind(name, given.get(name, 0)))} for name in sorted(names)]
        connection.execute(insert(META).prefix_with("OR REPLACE"), rows)


def _is_cursor(name: str) -> bool:
    return name.startswith(CURSOR)


def _behind(name: str, last: int) -> int:
    limits = pool_range(name.removeprefix(CURSOR))
    span = limits.last - limits.automatic + 1
    start = max(last, limits.automatic) - limits.automatic
    return limits.automatic + (start + span // SHARE) % span
