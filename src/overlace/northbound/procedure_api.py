"""Beginning and aborting procedures: /v2.0/overlace/procedures.

Administrators move any machine to any host. Members of a project move its machines from site to site, which host it
gets there is chosen for them; readers move nothing.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from overlace.model.machine import Driver, Machine
from overlace.model.placement import NoPlace, Placed, candidates, place
from overlace.model.procedure import Mode, Procedure, ProcedureKind, ProcedureState, can_abort
from overlace.model.replica import Replica
from overlace.model.site import Host, Site
from overlace.northbound.auth.caller import Caller
from overlace.northbound.body import json_response, member, read_object
from overlace.northbound.context import Context, request_id, source
from overlace.northbound.conversion.scalars import between, one_of, parse_boolean, parse_name
from overlace.northbound.errors import BadRequest, Conflict, Forbidden, NotFound
from overlace.northbound.intents import Transaction
from overlace.northbound.resources.base import Operation
from overlace.northbound.resources.machine import moving_now, refuse_moving, refuse_uncleared
from overlace.northbound.resources.procedure import Procedures

R = TypeVar("R")
_PATH = "/v2.0/overlace/procedures"
_KINDS: dict[str, Callable[[Any], Any]] = {
    "kind": one_of(*[each.value for each in ProcedureKind]),
    "machine_id": parse_name,
    "from_host": parse_name,
    "from_site": parse_name,
    "to_host": parse_name,
    "to_site": parse_name,
    "mode": one_of(*[each.value for each in Mode]),
    "bandwidth_mbit": between(0, 1_000_000),
    "verify": parse_boolean,
    "timeout": between(1, 7 * 24 * 3600),
    "host_is_dead": parse_boolean,
    "disk_is_there": parse_boolean,
    "dry_run": parse_boolean,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a request asks for."""

    kind: str = ProcedureKind.MOVE.value
    machine_id: str = ""
    from_host: str = ""
    from_site: str = ""
    to_host: str = ""
    to_site: str = ""
    mode: str = Mode.AUTO.value
    bandwidth_mbit: int = 0
    verify: bool = False
    timeout: int = 600
    host_is_dead: bool = False
    """Somebody has made sure that the old host runs nothing any more."""
    disk_is_there: bool = False
    """Somebody has brought the machine's disk to the destination."""
    dry_run: bool = False


class ProcedureApi:
    """Create, with a dry run, and abort; lists are those of any resource."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._schema = Procedures().schema

    def routes(self) -> list[Route]:
        """Both."""
        return [
            Route(_PATH, self.create, methods=["POST"]),
            Route(_PATH + "/{id}/abort", self.abort, methods=["POST"]),
        ]

    async def create(self, request: Request) -> Response:
        """Begin a move or an evacuation. The answer tells the moves, too; with `dry_run` nothing else happens."""
        caller = await self._context.caller(request)
        wish = _wish(member(await read_object(request), "procedure"))
        self._authorise(caller, wish)

        def run(operation: Operation) -> list[Procedure]:
            made = self._planned(operation, wish)
            for each in () if wish.dry_run else made:
                operation.transaction.put(each)
            return made

        made = await self._transact(request, caller, run)
        moves = [self._move(each, caller) for each in made if each.kind is not ProcedureKind.EVACUATION]
        shown = self._shown(made[0], caller) | {"moves": moves}
        return json_response({"procedure": shown}, HTTPStatus.OK if wish.dry_run else HTTPStatus.CREATED)

    async def abort(self, request: Request) -> Response:
        """Give up a move, or all of an evacuation that can be given up. Refused once the guest is over there."""
        caller = await self._context.caller(request)
        key = request.path_params["id"]

        def run(operation: Operation) -> Procedure:
            found = operation.transaction.get(Procedure, key)
            if found is None or not (caller.is_admin or found.project_id == caller.project_id):
                raise NotFound("procedure", key)
            self._authorise(caller, Wish())
            moves = list(operation.transaction.members(Procedure, "parent", key)) or [found]
            open_moves = [each for each in moves if can_abort(each)]
            if not open_moves:
                raise Conflict("ProcedureNotAbortable", _too_late(found))
            for each in {each.id: each for each in (*open_moves, found)}.values():
                operation.transaction.put(replace(each, abort_wanted=True))
            return replace(found, abort_wanted=True)

        return json_response({"procedure": self._shown(await self._transact(request, caller, run), caller)})

    def _authorise(self, caller: Caller, wish: Wish) -> None:
        if not caller.may_write or not (caller.is_admin or self._context.configuration.members_move):
            raise Forbidden("(rule:create_procedure)")
        if wish.kind == ProcedureKind.RESCUE.value and not caller.is_admin:
            raise Forbidden("(rule:create_procedure:rescue)")
        for name in ("to_host", "from_host"):
            if getattr(wish, name) and not caller.is_admin:
                raise Forbidden(f"(rule:create_procedure:{name})")

    def _planned(self, operation: Operation, wish: Wish) -> list[Procedure]:
        """One move, or an evacuation and its moves."""
        if wish.kind != ProcedureKind.EVACUATION.value:
            machine = _machine(operation, wish.machine_id)
            refuse_moving(operation, machine)
            if wish.kind == ProcedureKind.RESCUE.value:
                wish = _to_replica(operation, machine, wish)
                self._refuse_rescue(operation, machine, wish)
            (placed,) = self._placed(operation, wish, [machine])
            refuse_uncleared(operation, machine, placed.to_host)
            made = _procedure(operation, wish, placed)
            if wish.kind == ProcedureKind.RESCUE.value and _has_replica(operation, machine, placed.to_host):
                replica = operation.transaction.get(Replica, machine.id)
                made = replace(made, data_as_of=None if replica is None else replica.as_of)
            return [made]
        return self._evacuation(operation, wish)

    def _refuse_rescue(self, operation: Operation, machine: Machine, wish: Wish) -> None:
        """A guest that runs twice on one disk destroys it."""
        if self._context.views.hosts.host_alive(machine.host_id):
            raise Conflict(
                "HostIsAlive", f"Host {machine.host_id} is connected: move machine {machine.id}, instead."
            )
        if not wish.host_is_dead:
            raise Conflict(
                "HostNotFenced",
                f"That host {machine.host_id} is not heard does not say that it is dead: make sure that it runs "
                "nothing any more (power it off), then ask again with host_is_dead.",
            )
        if (
            machine.own_disks
            and not wish.disk_is_there
            and not _has_replica(operation, machine, wish.to_host)
        ):
            replica = operation.transaction.get(Replica, machine.id)
            whole = replica is not None and replica.as_of is not None and not replica.taken
            there = (
                f"its replica is at {replica.host_id}"
                if replica is not None and whole
                else "it has no replica"
            )
            raise Conflict(
                "DiskNotThere",
                f"The disks of machine {machine.id} are those of host {machine.host_id}, and {there}: rescue it to "
                "where a replica is, or bring a disk to the destination and ask again with disk_is_there.",
            )

    def _evacuation(self, operation: Operation, wish: Wish) -> list[Procedure]:
        leaving = [
            machine
            for machine in operation.transaction.all(Machine)
            if _is_left(_host(operation, machine.host_id), wish)
            and (operation.caller.is_admin or machine.project_id == operation.caller.project_id)
            and not moving_now(operation, machine.id)
        ]
        parent = replace(
            _procedure(operation, wish, None), kind=ProcedureKind.EVACUATION, from_host=wish.from_host
        )
        placed = self._placed(operation, wish, leaving)
        moves = [
            replace(_procedure(operation, wish, each), parent=parent.id, place=place)
            for place, each in enumerate(placed)
        ]
        return [parent, *moves]

    def _placed(self, operation: Operation, wish: Wish, leaving: list[Machine]) -> tuple[Placed, ...]:
        hosts = list(operation.transaction.all(Host))
        for name, cls in (("to_host", Host), ("to_site", Site), ("from_host", Host), ("from_site", Site)):
            wanted = getattr(wish, name)
            if wanted and operation.transaction.get(cls, wanted) is None:
                raise NotFound(cls.__name__.lower(), wanted)
        if wish.to_host:
            hosts = [host for host in hosts if host.id == wish.to_host]
        heard = self._context.views.hosts.host_alive
        for machine in leaving:
            if machine.host_id == wish.to_host:
                raise Conflict("MachineIsThere", f"Machine {machine.id} is at {wish.to_host} already.")
        found = candidates(hosts, wish.to_site, lambda host: _is_left(host, wish), heard)
        try:
            return place(leaving, found, list(operation.transaction.all(Machine)))
        except NoPlace as lack:
            raise Conflict("NoPlace", f"{lack}.") from None

    def _shown(self, procedure: Procedure, caller: Caller) -> dict[str, Any]:
        return self._schema.show(procedure, self._context.perspective(), caller)

    def _move(self, move: Procedure, caller: Caller) -> dict[str, Any]:
        names = ("id", "machine_id", "place", "from_host", "to_host", "from_site", "to_site")
        return self._schema.show(move, self._context.perspective(), caller, names)

    async def _transact(self, request: Request, caller: Caller, run: Callable[[Operation], R]) -> R:
        configuration = self._context.configuration

        def work(transaction: Transaction) -> R:
            return run(Operation(transaction, caller, configuration))

        committed = await self._context.store.transact(
            work, actor=caller.user_id, request_id=request_id(request), source=source(request)
        )
        return committed.result


def _wish(given: dict[str, Any]) -> Wish:
    if unknown := set(given) - set(_KINDS):
        raise BadRequest(f"Unrecognized attribute(s) '{', '.join(sorted(unknown))}'")
    parsed = {}
    for name, value in given.items():
        try:
            parsed[name] = _KINDS[name](value)
        except ValueError as reason:
            raise BadRequest(f"Invalid input for {name}. Reason: {reason}.") from None
    wish = Wish(**parsed)
    if wish.to_host and wish.to_site:
        raise BadRequest("Invalid input for to_host. Reason: name a host or a site, not both.")
    if wish.kind != ProcedureKind.EVACUATION.value:
        if not wish.machine_id:
            raise BadRequest("Failed to parse request. Required attribute 'machine_id' not specified")
        if wish.from_host or wish.from_site:
            raise BadRequest("Invalid input for from_host. Reason: a machine is moved from where it is.")
        if not (wish.to_host or wish.to_site or wish.kind == ProcedureKind.RESCUE.value):
            raise BadRequest(
                "Failed to parse request. Required attribute 'to_host' or 'to_site' not specified"
            )
    elif bool(wish.from_host) == bool(wish.from_site) or wish.machine_id:
        raise BadRequest("Invalid input for procedure. Reason: name the host or the site that is evacuated.")
    return wish


def _procedure(operation: Operation, wish: Wish, placed: Placed | None) -> Procedure:
    now = operation.transaction.now
    machine = None if placed is None else placed.machine
    with_disks = machine is not None and machine.own_disks and wish.kind != ProcedureKind.RESCUE.value
    by_libvirt = machine is not None and machine.driver is Driver.LIBVIRT
    why_not = (
        "libvirt copies disks by itself" if by_libvirt else "" if wish.verify else "it was not asked for"
    )
    return Procedure(
        id=str(uuid.uuid4()),
        project_id=operation.caller.project_id if machine is None else machine.project_id,
        kind=ProcedureKind.MOVE if wish.kind == ProcedureKind.EVACUATION.value else ProcedureKind(wish.kind),
        machine_id="" if machine is None else machine.id,
        from_host="" if machine is None else machine.host_id,
        to_host="" if placed is None else placed.to_host,
        mode=Mode(wish.mode),
        with_disks=with_disks,
        bandwidth_mbit=wish.bandwidth_mbit,
        verify=with_disks and not why_not,
        unverified=why_not if with_disks else "",
        timeout=wish.timeout,
        state=ProcedureState.RUNNING,
        actor=operation.caller.user_id,
        started_at=now,
        entered_at=now,
    )


def _to_replica(operation: Operation, machine: Machine, wish: Wish) -> Wish:
    """A machine is rescued to where its replica is, unless somebody wants it elsewhere."""
    replica = operation.transaction.get(Replica, machine.id)
    if replica is None or wish.to_host or wish.disk_is_there:
        return wish
    host = _host(operation, replica.host_id)
    if wish.to_site and (host is None or host.site_id != wish.to_site):
        return wish
    return replace(wish, to_host=replica.host_id, to_site="")


def _has_replica(operation: Operation, machine: Machine, host: str) -> bool:
    replica = operation.transaction.get(Replica, machine.id)
    return replica is not None and replica.host_id == host and replica.as_of is not None and not replica.taken


def _machine(operation: Operation, key: str) -> Machine:
    found = operation.transaction.get(Machine, key)
    if found is None or not (operation.caller.is_admin or found.project_id == operation.caller.project_id):
        raise NotFound("machine", key)
    return found


def _host(operation: Operation, key: str) -> Host | None:
    return operation.transaction.get(Host, key)


def _is_left(host: Host | None, wish: Wish) -> bool:
    """Whether the procedure is there to empty this host."""
    return host is not None and (host.id == wish.from_host or host.site_id == wish.from_site)


def _too_late(procedure: Procedure) -> str:
    if procedure.state is not ProcedureState.RUNNING:
        return f"Procedure {procedure.id} has ended: {procedure.state.value}."
    return f"Procedure {procedure.id} is {procedure.step.value}: it is quicker to go on than to go back."
