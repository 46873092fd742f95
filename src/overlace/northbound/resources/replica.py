"""Replicas of machines' disks: asked for by administrators, seen by the machine's project."""

from dataclasses import replace
from typing import Any

from overlace.model.declaration import Attribute
from overlace.model.machine import Driver, Machine
from overlace.model.replica import Replica
from overlace.model.site import Host
from overlace.northbound.errors import Conflict, NotFound
from overlace.northbound.resources.base import Operation, Resource
from overlace.northbound.resources.machine import refuse_moving, refuse_uncleared
from overlace.northbound.schema.attributes import Computed, Perspective

_HIDDEN = ("problem",)
"""Told to administrators: hosts are named in it."""


def status(name: str) -> Computed:
    """Something that is known of a replica beyond the store."""

    def show(replica: Replica, seen: Perspective) -> Any:
        return seen.views.replicas.replica_status(replica)[name]

    return Computed(Attribute(filter=False, sort=False, admin_view=name in _HIDDEN), show)


def _site(replica: Replica, seen: Perspective) -> str | None:
    host = seen.reader.get(Host, replica.host_id)
    return None if host is None else host.site_id


class Replicas(Resource[Replica]):
    """One for a machine; its id is the machine's."""

    cls = Replica
    path = "overlace/replicas"
    admin_writes = True
    filter_indexes = {"host_id": "host", "project_id": "project"}
    computed = {
        "state": Computed(Attribute(), lambda replica, _: replica.state.value),
        "site_id": Computed(Attribute(filter=False, sort=False), _site),
        **{name: status(name) for name in ("age", "promise_kept", "progress", "problem")},
    }

    def create(self, operation: Operation, given: dict[str, Any]) -> Replica:
        """One of a machine whose disks are its host's own, at another host."""
        machine = operation.transaction.get(Machine, given["id"])
        if machine is None:
            raise NotFound("machine", given["id"])
        if operation.transaction.get(Host, given["host_id"]) is None:
            raise NotFound("host", given["host_id"])
        self._refuse_unfit(operation, machine, given["host_id"])
        value = self.construct(given, project_id=machine.project_id)
        operation.transaction.put(value)
        return value

    def delete(self, operation: Operation, value: Replica) -> None:
        """It goes once it is removed at both hosts."""
        refuse_moving(operation, _machine(operation, value))
        operation.transaction.put(replace(value, ending=True))

    def _refuse_unfit(self, operation: Operation, machine: Machine, host: str) -> None:
        there = operation.transaction.get(Replica, machine.id)
        if there is not None:
            what = "is being removed" if there.ending else "has a replica already"
            raise Conflict(
                "ReplicaExists",
                f"Machine {machine.id} {what}, at {there.host_id}: stop that first, and wait until it has gone.",
            )
        if machine.driver is not Driver.QMP:
            raise Conflict(
                "ReplicaNotSupported",
                f"Machine {machine.id} is run by {machine.driver.value}, which keeps no replicas: they are kept of "
                "machines of driver qmp.",
            )
        if not machine.own_disks:
            raise Conflict(
                "ReplicaNotNeeded",
                f"The disks of machine {machine.id} are not its host's own: every host reaches them. If that is not "
                "so, set own_disks.",
            )
        if machine.host_id == host:
            raise Conflict(
                "MachineIsThere", f"Machine {machine.id} is at {host}: keep its replica elsewhere."
            )
        refuse_moving(operation, machine)
        refuse_uncleared(operation, machine, host)


def _machine(operation: Operation, value: Replica) -> Machine:
    machine = operation.transaction.get(Machine, value.id)
    if machine is None:
        raise NotFound("machine", value.id)
    return machine
