"""The marker flow: which store wrote a switch last, and how far it was.

A switch outlives controllers and stores. Before anything is written, the marker is read back: a store that is
older than its switch (restored from a backup), empty, or another cluster's must not delete what it does not
know. The marker is one flow that no packet reaches, whose only action is a note (ovs-actions(7), "note"); it is
rewritten with every batch that changes something, inside the same bundle. The same three values stand in the
external_ids of a host's bridge, because flows do not survive a restart of ovs-vswitchd. A switch that knows plain
OpenFlow alone has no notes: there they are written into addresses that nothing reads.
"""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from uuid import NAMESPACE_OID, UUID, uuid5

from overlace.datapath.actions import Action, Note, SetField, set_field
from overlace.datapath.fields import Field
from overlace.datapath.flow import Flow
from overlace.datapath.match import Match
from overlace.southbound.lineage import Lineage

_HEAD = struct.Struct("!4sQQB")
_MAGIC = b"OVLC"
_NOTE_UNIT = 8
_NOTE_OFFSET = 6  # Open vSwitch pads a note to 6 + 8n bytes; padding it ourselves keeps dumps equal

CLUSTER_KEY = "overlace-cluster"
EPOCH_KEY = "overlace-epoch"
REVISION_KEY = "overlace-revision"


@dataclass(frozen=True, slots=True)
class Stamp:
    """Cluster id (at most 100 bytes), epoch and number of the newest revision that a plan carries."""

    cluster: str
    epoch: int
    revision: int

    def external_ids(self) -> dict[str, str]:
        """The form in which a bridge row carries the stamp."""
        return {
            CLUSTER_KEY: self.cluster,
            EPOCH_KEY: str(self.epoch),
            REVISION_KEY: str(self.revision),
        }


@dataclass(frozen=True, slots=True)
class Mark:
    """What a switch's marker flow says: who wrote it last, and for which pipeline version."""

    stamp: Stamp
    version: int


@dataclass(frozen=True, slots=True)
class MarkerPlace:
    """Where the pipeline leaves room for the marker: a table, priority and cookie that nothing else uses."""

    table: int
    priority: int
    cookie: int
    match: Match = Match()
    plain: bool = False
    """Without extensions: the stamp stands in two IPv6 addresses that the flow would set. `match` is of IPv6 then."""


class Verdict(Enum):
    """What a stamp that was read from a switch means for the store that wants to write."""

    UNMARKED = "never written by Overlace"
    CURRENT = "written by this store, not later than now"
    NEWER = "written by a state of this store that it does not know, so this is an older copy"
    FOREIGN = "written by another cluster"


def marker_flow(place: MarkerPlace, stamp: Stamp) -> Flow:
    """The flow that carries `stamp`."""
    actions = _as_addresses(stamp) if place.plain else _as_note(stamp)
    return Flow(place.table, place.priority, place.match, actions, place.cookie)


def cluster_number(cluster: str) -> UUID:
    """A cluster id as 128 bits: what it says, where it is a UUID (RFC 9562), else one that is made of it."""
    try:
        return UUID(cluster)
    except ValueError:
        return uuid5(NAMESPACE_OID, cluster)


def _as_addresses(stamp: Stamp) -> tuple[Action, ...]:
    return (
        set_field(Field.IPV6_SRC, cluster_number(stamp.cluster).int),
        set_field(Field.IPV6_DST, stamp.epoch << 64 | stamp.revision),
    )


def _as_note(stamp: Stamp) -> tuple[Action, ...]:
    cluster = stamp.cluster.encode()
    data = _HEAD.pack(_MAGIC, stamp.epoch, stamp.revision, len(cluster)) + cluster
    data += bytes((_NOTE_OFFSET - len(data)) % _NOTE_UNIT)
    return (Note(data),)


def read_marker(flow: Flow) -> Stamp | None:
    """The stamp in a marker flow; None when it was tampered with beyond reading."""
    match flow.actions:
        case (Note(data),) if len(data) >= _HEAD.size:
            magic, epoch, revision, length = _HEAD.unpack_from(data)
            cluster = data[_HEAD.size : _HEAD.size + length]
            if magic == _MAGIC and len(cluster) == length:
                return Stamp(cluster.decode(errors="replace"), epoch, revision)
        case (SetField(Field.IPV6_SRC, cluster, _), SetField(Field.IPV6_DST, where, _)):
            return Stamp(str(UUID(int=cluster)), where >> 64, where & (1 << 64) - 1)
    return None


def read_external_ids(external_ids: Mapping[str, str]) -> Stamp | None:
    """The stamp on a bridge row; None when there is none, or none that can be read."""
    try:
        return Stamp(external_ids[CLUSTER_KEY], int(external_ids[EPOCH_KEY]), int(external_ids[REVISION_KEY]))
    except (KeyError, ValueError):
        return None


def judge(seen: Iterable[Stamp | None], ours: Stamp, lineage: Lineage) -> Verdict:
    """Compare the stamps found on a switch with ours and our past; the worst of them counts."""
    verdict = Verdict.UNMARKED
    for stamp in seen:
        if stamp is None:
            continue
        if cluster_number(stamp.cluster) != cluster_number(ours.cluster):
            return Verdict.FOREIGN
        present = stamp.epoch == ours.epoch and stamp.revision <= ours.revision
        if not present and not lineage.has(stamp.epoch, stamp.revision):
            verdict = Verdict.NEWER
        elif verdict is Verdict.UNMARKED:
            verdict = Verdict.CURRENT
    return verdict
