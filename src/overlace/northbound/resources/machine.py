"""Machines: declared by administrators, seen by their project."""

from typing import Any

from overlace.model.machine import Machine
from overlace.model.procedure import Procedure, ProcedureState, waits_for_old_host
from overlace.model.site import Host
from overlace.northbound.errors import BadRequest, Conflict, NotFound
from overlace.northbound.resources.base import Operation, Resource


class Machines(Resource[Machine]):
    """Where a machine is, is changed by moving it."""

    cls = Machine
    path = "overlace/machines"
    admin_writes = True
    filter_indexes = {"host_id": "host", "project_id": "project"}

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
        super().delete(operation, value)


def moving_now(operation: Operation, machine: str) -> str:
    """The procedure that moves it, empty for none."""
    found = operation.transaction.members(Procedure, "machine", machine)
    running = (each for each in found if each.state is ProcedureState.RUNNING)
    return next((each.id for each in running if not waits_for_old_host(each)), "")


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
