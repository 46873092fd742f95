"""The attributes of machines and their procedures."""

from enum import Enum
from typing import Any

from overlace.model.machine import Driver
from overlace.northbound.conversion.kind import Kind
from overlace.northbound.conversion.scalars import between


def parse_driver(value: Any) -> Driver:
    """qmp, the one there is."""
    words = [each.value for each in Driver]
    if value not in words:
        raise ValueError(f"'{value}' is not in {words}")
    return Driver(value)


def _word(value: Enum) -> str:
    return str(value.value)


MACHINES = {
    "driver": Kind(parse_driver, _word),
    "replica_age": Kind(between(5, 7 * 24 * 3600)),
    "bandwidth": Kind(between(0, 1_000_000)),
}
