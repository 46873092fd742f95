"""From interfaces that hosts report to bindings: the unattended half of a port's life.

Reports come in any order and more than once. Each asks one question, "which ports may this concern?", and for
each such port the store is brought in line with what is plugged where. Work for one port is done in the order in
which it was asked for; `run` drains the queue, and answers all questions that wait in one transaction, so that five
hundred interfaces that appear at once cost a few commits. Where that transaction fails, they are answered one by
one: the port at fault is alone with its fault.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from overlace.engine.interfaces import Interfaces, PluggedInterface
from overlace.model import binder
from overlace.model.intents import Intents
from overlace.model.port import Binding, BindingState, Port
from overlace.model.site import Host
from overlace.model.snapshot import Change, Snapshot
from overlace.model.trail import Trail, is_old

log = structlog.get_logger(__name__)

_BATCH = 200
"""Questions answered in one transaction at most: about 20 ms of the event loop's time."""
Question = tuple[str, str]
"""A port and a host: is the port plugged there?"""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What is to be written, and why."""

    question: Question
    change: Callable[[Intents], bool]
    why: str


Transact = Callable[[Callable[[Intents], bool], str], Awaitable[object]]
"""Run a function in a store transaction; the text says why, for the audit log."""


class OfportSink(Protocol):
    """Who compiles with OpenFlow port numbers: the engine."""

    def observed_ofport(self, place: tuple[str, str], number: int | None) -> None:
        """The port's interface on the host has this number, or is gone."""
        ...


class Attachments:
    """Keeps bindings and OpenFlow port numbers in line with the interfaces that are plugged."""

    def __init__(self, snapshot: Callable[[], Snapshot], transact: Transact, engine: OfportSink) -> None:
        self._snapshot = snapshot
        self._transact = transact
        self._engine = engine
        self.interfaces = Interfaces()
        self._complete: set[str] = set()
        self._queue: asyncio.Queue[Question] = asyncio.Queue()

    async def run(self) -> None:
        """Bring bindings in line, until cancelled."""
        while True:
            questions = [await self._queue.get()]
            while len(questions) < _BATCH and not self._queue.empty():
                questions.append(self._queue.get_nowait())
            await self._settle(questions)
            for _ in questions:
                self._queue.task_done()

    async def settled(self) -> None:
        """Wait until every question asked so far is answered."""
        await self._queue.join()

    def interface_changed(self, interface: PluggedInterface) -> None:
        """An interface is new or is not what it was."""
        before = self.interfaces.put(interface)
        concerned = {interface.iface_id, before.iface_id if before else None}
        self._ask(interface.host, concerned | set(self._ports_naming(interface.host, interface.name)))

    def interface_removed(self, host: str, name: str) -> None:
        """An interface is gone."""
        before = self.interfaces.remove(host, name)
        concerned = {before.iface_id} if before else set()
        self._ask(host, concerned | set(self._ports_naming(host, name)))

    def host_complete(self, host: str) -> None:
        """Every interface of the host was reported: bindings without one are over."""
        self._complete.add(host)
        bindings = list(self._snapshot().members(Binding, "host", host))
        self._ask(host, {binding.port_id for binding in bindings})
        for binding in bindings:  # who announces one of these elsewhere had to wait for this host
            for other in self.interfaces.hosts_announcing(binding.port_id) - {host}:
                self._ask(other, {binding.port_id})

    def host_away(self, host: str) -> None:
        """The host is out of reach: what it last said stands."""
        self._complete.discard(host)

    def accompany(self, intents: Intents, changes: Iterable[Change]) -> None:
        """Bind ports that are plugged already in the very transaction that makes them: one revision, one plan."""
        for change in changes:
            if change.cls is Port and change.after is not None:
                for host in sorted(self._hosts_with(change.after)):
                    interface = self._interface(change.id, host, change.after)
                    if interface is not None:
                        self._observe(change.id, host, interface)
                        binder.plugged(intents, change.id, host)

    def committed(self, changes: tuple[Change, ...]) -> None:
        """New ports may be plugged already; hosts may have become known; what a move leaves may be over."""
        for change in changes:
            if change.cls is Port and _is_news(change):
                for host in self._hosts_with(change.after):
                    self._ask(host, {change.id})
            elif change.cls is Host and change.after is not None:
                plugged = {each.iface_id for each in self.interfaces.on_host(change.id)}
                self._ask(change.id, plugged)
            elif change.cls is Binding and change.before is not None and _has_ended(change.after):
                port_id = change.before.port_id
                for binding in self._snapshot().members(Binding, "port", port_id):
                    self._ask(binding.host_id, {port_id})

    async def activate(self, port_key: int, host: str, superseded: int | None = None) -> None:
        """The data path saw the first frame of a prepared port; `superseded` is the generation that this ended, where
        the switch remembers: if another is active by now, it is an old story."""
        prepared = (
            port.id
            for binding in self._snapshot().members(Binding, "host", host)
            if binding.state is BindingState.PREPARED
            and (port := self._snapshot().get(Port, binding.port_id)) is not None
            and port.key == port_key
        )
        port_id = next(prepared, None)
        active = None if port_id is None else self._active(port_id)
        if superseded is not None and (active is None or active.generation != superseded):
            return
        if port_id is not None:
            await self._transact(lambda tx: binder.activated(tx, port_id, host), "first frame")
            log.info("port has moved", port=port_id, host=host, told_by="first frame")

    async def expire(self, now: datetime) -> None:
        """Let old hosts stop redirecting, and ask those no longer that cannot know any more, whose time is up."""
        days = [day for day in self._snapshot().outer_keys(Trail, "day") if is_old(day, now)]
        if days:
            await self._transact(lambda tx: binder.forgotten(tx, days), "trails over")
        if any(self._snapshot().members(Binding, "passing", BindingState.RELEASING.value)):
            await self._transact(binder.expired, "release over")

    def _active(self, port_id: str) -> Binding | None:
        bindings = self._snapshot().members(Binding, "port", port_id)
        return next((each for each in bindings if each.state is BindingState.ACTIVE), None)

    def _is_unfenced(self, port_id: str, host: str) -> bool:
        """The port is active at another host, which is away: whether its workload has ended there is not known."""
        active = self._active(port_id)
        return active is not None and active.host_id != host and active.host_id not in self._complete

    def _is_gone(self, port_id: str, host: str) -> bool:
        """The host has told all of its interfaces, and none of them is or claims to be the port."""
        claimed = self.interfaces.announcing(host, port_id)
        return host in self._complete and not claimed and self.interface_of(port_id, host) is None

    def interface_of(self, port_id: str, host: str) -> PluggedInterface | None:
        """The one interface that is the port on the host; with several there is none, it is a fault."""
        return self._interface(port_id, host, self._snapshot().get(Port, port_id))

    def _interface(self, port_id: str, host: str, port: Port | None) -> PluggedInterface | None:
        announcing = self.interfaces.announcing(host, port_id)
        if announcing:
            return announcing[0] if len(announcing) == 1 else None
        if port is None or port.host_id != host or not port.interface_name:
            return None
        return self.interfaces.named(host, port.interface_name)

    def _ask(self, host: str, port_ids: Iterable[str | None]) -> None:
        for port_id in port_ids:
            if port_id:
                self._queue.put_nowait((port_id, host))

    def _ports_naming(self, host: str, name: str) -> list[str]:
        return [port.id for port in self._snapshot().members(Port, "interface", host, name)]

    def _hosts_with(self, port: Port) -> set[str]:
        hosts = self.interfaces.hosts_announcing(port.id)
        return hosts | {port.host_id} if port.interface_name else hosts

    def _observe(self, port_id: str, host: str, interface: PluggedInterface | None) -> None:
        self._engine.observed_ofport((host, port_id), interface.ofport if interface else None)

    async def _settle(self, questions: Iterable[Question]) -> None:
        found = (self._answer(*question) for question in dict.fromkeys(questions))
        answers = [answer for answer in found if answer is not None]
        if not answers or await self._write(answers):
            return
        for answer in answers:
            if not await self._write([answer]):
                log.warning("a binding cannot be written", port=answer.question[0], host=answer.question[1])

    async def _write(self, answers: list[_Answer]) -> bool:
        """False when the store refuses, and says why in the log."""
        why = answers[0].why if len(answers) == 1 else f"{answers[0].why} and {len(answers) - 1} more"
        try:
            await self._transact(lambda tx: _write_all(tx, answers), why)
        except Exception as reason:
            log.warning(
                "bindings refused", reason=f"{type(reason).__name__}: {reason}", bindings=len(answers)
            )
            return False
        return True

    def _answer(self, port_id: str, host: str) -> _Answer | None:
        interface = self.interface_of(port_id, host)
        self._observe(port_id, host, interface)
        bound = any(each.host_id == host for each in self._snapshot().members(Binding, "port", port_id))
        if interface is not None and not bound and not self._is_unfenced(port_id, host):
            return _Answer(
                (port_id, host), lambda tx: self._plugged(tx, port_id, host), f"{interface.name} plugged"
            )
        if bound and self._is_gone(port_id, host):
            return _Answer((port_id, host), lambda tx: binder.unplugged(tx, port_id, host), "interface gone")
        return None

    def _plugged(self, intents: Intents, port_id: str, host: str) -> bool:
        """What is over elsewhere ends first, though its question may stand behind this one: a port that is active
        nowhere is active where it is plugged, and need not speak to be found."""
        active = binder.active_binding(intents, port_id)
        if active is not None and self._is_gone(port_id, active.host_id):
            binder.unplugged(intents, port_id, active.host_id)
        return binder.plugged(intents, port_id, host)


def _write_all(intents: Intents, answers: Iterable[_Answer]) -> bool:
    changed = [answer.change(intents) for answer in answers]
    return any(changed)


def _is_news(change: Change) -> bool:
    """A port that is new, or is to be found by another interface; one that merely changed asks nothing."""
    before, after = change.before, change.after
    if before is None or after is None:
        return after is not None
    return bool((before.host_id, before.interface_name) != (after.host_id, after.interface_name))


def _has_ended(binding: Binding | None) -> bool:
    return binding is None or binding.state is BindingState.FENCED
