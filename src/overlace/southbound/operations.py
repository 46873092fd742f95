"""What has to be done to one switch, as values: the result of comparing, the input of ordering."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from overlace.compiler.plan import TunnelPort
from overlace.datapath.flow import Flow, Group, Meter

T = TypeVar("T")


@dataclass(slots=True)
class Changes(Generic[T]):
    """Values to put, values that replace others of the same key, and (as they are there now) values to take away."""

    added: list[T] = field(default_factory=list)
    changed: list[T] = field(default_factory=list)
    removed: list[T] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    def __len__(self) -> int:
        return len(self.added) + len(self.changed) + len(self.removed)

    def __iter__(self) -> Iterator[T]:
        yield from self.added
        yield from self.changed
        yield from self.removed


@dataclass(slots=True)
class TableOperations:
    """Everything that turns the present contents of a switch into the wanted ones, in no order."""

    flows: Changes[Flow] = field(default_factory=Changes)
    groups: Changes[Group] = field(default_factory=Changes)
    meters: Changes[Meter] = field(default_factory=Changes)
    tunnel_ports: Changes[TunnelPort] = field(default_factory=Changes)

    def __bool__(self) -> bool:
        return bool(self.openflow or self.tunnel_ports)

    def __len__(self) -> int:
        return len(self.flows) + len(self.groups) + len(self.meters) + len(self.tunnel_ports)

    @property
    def openflow(self) -> bool:
        """True when something has to be said over OpenFlow (tunnel ports are made over OVSDB)."""
        return bool(self.flows or self.groups or self.meters)
