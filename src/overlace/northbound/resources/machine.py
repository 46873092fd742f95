"""Machines: declared by administrators, seen by their project."""

from typing import Any

from overlace.model.declaration import Attribute
from overlace.model.machine import Machine
from overlace.model.procedure import Procedure, ProcedureState, having, waits_for_old_host
from overlace.model.replica import Replica
from overlace.model.site import Host
from overlace.northbound.conversion.scalars import render_timestamp
from overlace.northbound.errors import BadRequest, Conflict, NotFound
from overlace.northbound.resources.base import Operation, Resource
from overlace.northbound.schema.attributes import Computed, Perspective


def _replica(machine: Machine, seen: Perspective) -> dict[str, Any] | None:
    """How old it is, and whether that is what was promised."""
    replica = seen.reader.get(Replica, machine.id)
    if replica is None:
        return None
    host = seen.reader.get(Host, replica.host_id)
    told = seen.views.replicas.replica_status(replica)
    return {
        "site_id": None if host is None else host.site_id,
        "every": replica.every,
        "as_of": render_timestamp(replica.as_of),
        "age": told["age"],
        "promise_kept": told["promise_kept"],
        "verified": render_timestamp(replica.verified),
        "sent_bytes": replica.sent_bytes,
        "round_ms": replica.round_ms,
        "state": "ending" if replica.ending else replica.state.value,
    }


class Machines(Resource[Machine]):
    """Where a machine is, is changed by moving it."""

    cls = Machine
    path = "overlace/machines"
    admin_writes = True
    filter_indexes = {"host_id": "host", "project_id": "project"}
    computed = {"replica": Computed(Attribute(filter=False, sort=False), _replica)}

    def create(self, operation: Operation, given: dict[str, Any]) -> Machine:
        """A new one, at a host that is there."""
        if not given["id"]:
            raise BadRequest("Invalid input for id. Reason: it is empty.")
        if operation.transaction.get(Host, given["host_id"]) is None:
            raise NotFound("host", given["host_id"])
        if operation.transaction.get(Machine, given["id"]) is not None:
            raise Conflict("MachineExists", f"There is a machine {given['id']} already.")
        return super().create(operation, given)

    def delete(self, operation: Operation, value: Machine) -> None:
        """Refused while it is being moved. The guest itself and its ports stay."""
        if moving := moving_now(operation, value.id):
            raise _in_use(value, moving)
        if operation.transaction.get(Replica, value.id) is not None:
            raise Conflict(
                "MachineHasReplica",
                f"Machine {value.id} has a replica: stop it first (overlace machine replicate {value.id} --stop), and "
                "wait until it has gone.",
            )
        super().delete(operation, value)


def moving_now(operation: Operation, machine: str) -> str:
    """The procedure that moves it, empty for none."""
    found = having(operation.transaction.members(Procedure, "machine", machine))
    return "" if found is None else found.id


def refuse_moving(operation: Operation, machine: Machine) -> None:
    """One move of a machine at a time. Raises Conflict."""
    if moving := moving_now(operation, machine.id):
        raise _in_use(machine, moving)


def refuse_uncleared(operation: Operation, machine: Machine, host: str) -> None:
    """A host from which a machine was rescued has to be cleared of it before it takes it back. Raises Conflict."""
    for each in operation.transaction.members(Procedure, "machine", machine.id):
        if each.state is ProcedureState.RUNNING and waits_for_old_host(each) and each.from_host == host:
            raise Conflict(
                "HostNotCleared",
                f"Host {host} is still to be cleared of machine {machine.id}, which was rescued from there: wait for "
                f"procedure {each.id}.",
            )


def _in_use(machine: Machine, procedure: str) -> Conflict:
    return Conflict(
        "MachineInUse", f"Machine {machine.id} is being moved: wait for procedure {procedure}, or abort it."
    )
