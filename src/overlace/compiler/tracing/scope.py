"""Who asks, and what he may name: an administrator everything, a project what it owns."""

from dataclasses import dataclass
from typing import TypeVar

from overlace.model.network import Network
from overlace.model.policy import SecurityGroup
from overlace.model.port import Port
from overlace.model.site import Host
from overlace.model.snapshot import Snapshot

Named = Port | Network | SecurityGroup | Host
T = TypeVar("T", bound=Named)
_WORDS: dict[type, str] = {
    Port: "port",
    Network: "network",
    SecurityGroup: "security group",
    Host: "host",
}


class UnknownObjectError(LookupError):
    """Nothing of this id or name exists for the one who asks."""

    def __init__(self, kind: str, word: str) -> None:
        super().__init__(f"there is no {kind} {word}")
        self.kind = kind
        self.word = word


@dataclass(frozen=True, slots=True)
class Scope:
    """A snapshot as one caller sees it; `project_id` is None for administrators."""

    snapshot: Snapshot
    project_id: str | None = None

    def sees(self, project_id: str | None) -> bool:
        """Whether what belongs to a project (None: to the operator) may be named to the caller."""
        return self.project_id is None or project_id == self.project_id

    def port(self, word: str) -> Port:
        """The port of this id or name. Raises UnknownObjectError, ValueError when several have the name."""
        found = self.snapshot.get(Port, word)
        if found is not None and self.sees(found.project_id):
            return found
        ports = self.snapshot.all(Port) if self.project_id is None else self._own_ports(self.project_id)
        return _the_one([port for port in ports if port.name == word], Port, word)

    def _own_ports(self, project_id: str) -> list[Port]:
        return list(self.snapshot.members(Port, "project", project_id))

    def object(self, word: str) -> Named:
        """The port, network, security group or host of this id or name. Raises as `port`."""
        snapshot = self.snapshot
        owned: list[Port | Network | SecurityGroup] = [
            *snapshot.all(Port),
            *snapshot.all(Network),
            *snapshot.all(SecurityGroup),
        ]
        found: list[Named] = [
            each for each in owned if word in (each.id, each.name) and self.sees(each.project_id)
        ]
        host = self.snapshot.get(Host, word)
        if host is not None and self.project_id is None:
            found.append(host)
        return _the_one(found, None, word)


def _the_one(found: list[T], cls: type | None, word: str) -> T:
    if not found:
        kind = "object" if cls is None else _WORDS[cls]
        raise UnknownObjectError(kind, word)
    if len(found) > 1:
        which = ", ".join(sorted(f"{_WORDS[type(each)]} {each.id}" for each in found))
        raise ValueError(f"{len(found)} things are called {word}; say which by id: {which}")
    return found[0]
