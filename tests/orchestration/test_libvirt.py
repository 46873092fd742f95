"""Given libvirts that move a domain by themselves, when the controller asks for a move, then its ports go along, also
when it was killed meanwhile or the move is given up."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.orchestration.cloud import Cloud, cloud, move

from overlace.model.machine import Driver
from overlace.model.procedure import ProcedureState, Step
from overlace.orchestration.libvirt.migrator import LibvirtMigrator
from overlace.orchestration.libvirt.virsh import Virsh
from overlace.orchestration.migrator import MigrationFailed
from overlace.orchestration.orchestrator import Orchestrator

RUNNING = "running (booted)"
ABSENT = MigrationFailed("libvirt refuses domstate: failed to get domain 'web'")


@dataclass
class Hosts:
    """Where the domain is, in libvirt's words, and whether it is on its way; `lasts` is when it gets there."""

    states: dict[str, str] = field(default_factory=lambda: {"h1": RUNNING})
    moving: bool = False
    stuck: bool = False
    """The guest writes faster than the way carries."""
    asked: list[str] = field(default_factory=list)
    heard: dict[str, Callable[[str, float], None]] = field(default_factory=dict)
    """Who listens to each host's events."""
    answers: asyncio.Event = field(default_factory=asyncio.Event)
    """Cleared while libvirt has no time to answer: what is asked is answered later, as it was when it was asked."""

    def __post_init__(self) -> None:
        self.answers.set()

    async def travel(self) -> int:
        """As the source's libvirt does it, whoever listens."""
        self.moving = True
        self.states["h2"] = "paused (migrating)"
        while self.stuck and self.moving:  # noqa: ASYNC110 - until somebody gives it up
            await asyncio.sleep(0.01)
        if not self.moving:
            del self.states["h2"]
            return 1
        self.states["h1"] = "paused (migrating)"
        await asyncio.sleep(0.05)
        self.states = {"h2": "running (migrated)"}
        self.moving = False
        return 0


class Speaker(Virsh):
    """A virsh that speaks with one of them."""

    def __init__(self, hosts: Hosts, uri: str, tasks: asyncio.TaskGroup) -> None:
        super().__init__(uri)
        self.hosts, self.host, self.tasks = hosts, uri, tasks

    async def ask(self, *words: str, timeout: float | None = None) -> str:  # noqa: ARG002, ASYNC109
        self.hosts.asked.append(f"{self.host} {words[0]}")
        answer = self._answer(*words)
        await self.hosts.answers.wait()
        return answer

    def _answer(self, *words: str) -> str:
        match words[0]:
            case "domstate":
                if self.host not in self.hosts.states:
                    raise ABSENT
                return self.hosts.states[self.host]
            case "domjobinfo" if self.hosts.moving and self.host == "h1":
                return "Job type: Unbounded\nOperation: Outgoing migration\n"
            case "domjobabort":
                self.hosts.moving = False
            case "destroy" | "undefine" if self.host not in self.hosts.states:
                raise ABSENT
            case "destroy":
                del self.hosts.states[self.host]
        return ""

    async def begin(self, *words: str) -> asyncio.subprocess.Process:
        assert words[0] == "migrate"
        self.hosts.asked.append(" ".join(words))
        return Process(self.tasks.create_task(self.hosts.travel()))  # type: ignore[return-value]

    async def listen(self, domain: str, heard: Callable[[str, float], None]) -> None:  # noqa: ARG002
        self.hosts.heard[self.host] = heard
        await asyncio.Event().wait()


@dataclass
class Process:
    """A `virsh migrate`; it ends when the domain is over there."""

    task: asyncio.Task[int]
    returncode: int | None = None

    async def communicate(self) -> tuple[bytes, bytes]:
        self.returncode = await asyncio.shield(self.task)
        return b"", b"error: operation aborted\n" if self.returncode else b""


def controller(red: Cloud, hosts: Hosts, tasks: asyncio.TaskGroup) -> Orchestrator:
    migrator = LibvirtMigrator(
        "{host}",
        "peer of {host}",
        lambda host: f"10.0.0.{host[1:]}",
        tasks,
        lambda uri: Speaker(hosts, uri, tasks),
    )
    return Orchestrator(
        lambda: red.store.snapshot, red.transact, {Driver.QMP: migrator}, red.clock, proof=0.0
    )


async def test_a_domain_moves_and_its_port_with_it(tmp_path: Path) -> None:
    hosts = Hosts()
    async with cloud(tmp_path) as red, asyncio.TaskGroup() as tasks:
        await red.ask(move(with_disks=True, bandwidth_mbit=80))
        await red.serve(red.ended("move-web"), controller(red, hosts, tasks))
        done = red.procedure("move-web")
        assert (done.state, done.trigger) == (ProcedureState.DONE, "suspended"), done.reason
        assert (red.active("web"), list(hosts.states)) == ("h2", ["h2"])
        (command,) = (each for each in hosts.asked if each.startswith("migrate"))
        for words in ("--p2p", "--copy-storage-all", "--bandwidth 9", "tcp://10.0.0.2", "web peer of h2"):
            assert words in command


async def test_the_port_goes_along_at_the_event_whatever_is_still_asked(tmp_path: Path) -> None:
    hosts = Hosts(stuck=True)
    async with cloud(tmp_path) as red, asyncio.TaskGroup() as tasks:
        await red.ask(move())
        serving = controller(red, hosts, tasks)
        asked: list[int] = []

        def over_there() -> bool:
            if red.procedure("move-web").step is Step.TRANSFERRING and hosts.moving:
                hosts.answers.clear()  # from here on libvirt is busy with the move
                asked.append(len(hosts.asked))
            if asked and len(hosts.asked) > asked[0]:  # what is asked now finds the guest running
                hosts.heard["h1"]("Suspended", 100.0)
            return red.active("web") == "h2"

        await red.serve(over_there, serving)
        hosts.answers.set()
        hosts.stuck = False
        await red.serve(red.ended("move-web"), controller(red, hosts, tasks))
        assert red.procedure("move-web").state is ProcedureState.DONE


async def test_a_controller_that_is_killed_leaves_the_move_to_the_two_libvirts(tmp_path: Path) -> None:
    hosts = Hosts(stuck=True)
    async with cloud(tmp_path) as red, asyncio.TaskGroup() as tasks:
        await red.ask(move())
        await red.serve(
            lambda: red.procedure("move-web").step is Step.TRANSFERRING, controller(red, hosts, tasks)
        )
        hosts.stuck = False
        await red.serve(red.ended("move-web"), controller(red, hosts, tasks))
        assert red.procedure("move-web").state is ProcedureState.DONE
        assert (red.active("web"), list(hosts.states)) == ("h2", ["h2"])
        assert sum(each.startswith("migrate") for each in hosts.asked) == 1


async def test_a_move_that_is_given_up_leaves_the_domain_and_its_port_where_they_are(tmp_path: Path) -> None:
    hosts = Hosts(stuck=True)
    async with cloud(tmp_path) as red, asyncio.TaskGroup() as tasks:
        await red.ask(move())
        serving = controller(red, hosts, tasks)
        await red.serve(lambda: red.procedure("move-web").step is Step.TRANSFERRING, serving)
        await red.abort("move-web")
        await red.serve(red.ended("move-web"), controller(red, hosts, tasks))
        assert red.procedure("move-web").state is ProcedureState.ABORTED
        assert hosts.states == {"h1": RUNNING}
        assert red.bindings("web") == {"h1": "active"}


async def test_a_domain_that_does_not_run_is_not_moved(tmp_path: Path) -> None:
    hosts = Hosts(states={})
    async with cloud(tmp_path) as red, asyncio.TaskGroup() as tasks:
        await red.ask(move())
        await red.serve(red.ended("move-web"), controller(red, hosts, tasks))
        assert red.procedure("move-web").state is ProcedureState.FAILED
        assert "web does not run at h1" in red.procedure("move-web").reason


async def test_a_domain_that_somebody_has_moved_there_already_is_left_there(tmp_path: Path) -> None:
    hosts = Hosts(states={"h2": RUNNING})
    async with cloud(tmp_path) as red, asyncio.TaskGroup() as tasks:
        await red.ask(move())
        await red.serve(red.ended("move-web"), controller(red, hosts, tasks))
        assert red.procedure("move-web").state is ProcedureState.DONE
        assert (red.active("web"), hosts.states) == ("h2", {"h2": RUNNING})
