"""Machines: guests that Overlace moves from host to host. Their ports are those whose `device_id` names them."""

from dataclasses import dataclass
from enum import Enum

from overlace.model.declaration import Index, api, resource


class Driver(Enum):
    """What a machine is moved by."""

    QMP = "qmp"
    """QEMU's own monitors; an operator's launcher starts and ends the processes."""
    LIBVIRT = "libvirt"
    """The libvirt of each host."""


@resource(
    "machine",
    "machines",
    Index("host", lambda m: [(m.host_id, "")]),
    Index("project", lambda m: [(m.project_id, "")]),
)
@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One guest. `id` is what the hypervisor calls it, `host_id` where it runs."""

    id: str = api(kind="name", post=True, required=True)
    project_id: str = api(post=True, kind="project")
    name: str = api(post=True, put=True, default="", value="")
    host_id: str = api(post=True, kind="name", required=True, admin_view=True)
    driver: Driver = api(post=True, kind="driver", default="qmp", value=Driver.QMP, admin_view=True)
    own_disks: bool = api(post=True, put=True, kind="bool", default=False, value=False)
    """Its disks are its host's own, and go along when it moves; else both hosts reach them."""
    description: str = api(post=True, put=True, default="", value="")
