"""Between JSON and values, by kind of attribute (`model.declaration.Attribute.kind`)."""

from overlace.northbound.conversion.addresses import ADDRESSES
from overlace.northbound.conversion.kind import Kind
from overlace.northbound.conversion.machines import MACHINES
from overlace.northbound.conversion.ports import PORTS
from overlace.northbound.conversion.rules import RULES
from overlace.northbound.conversion.scalars import SCALARS
from overlace.northbound.conversion.segments import SEGMENTS

KINDS: dict[str, Kind] = {**SCALARS, **ADDRESSES, **PORTS, **RULES, **SEGMENTS, **MACHINES}

__all__ = ["KINDS", "Kind"]
