"""Given what virsh prints, when it is read, then it is a state, a job, an amount, or a reason with its cure."""

import asyncio
from pathlib import Path

import pytest

from overlace.model.procedure import Mode
from overlace.orchestration.libvirt.migrator import must_follow
from overlace.orchestration.libvirt.virsh import Virsh, amount, failure, guest_state, job
from overlace.orchestration.migrator import MigrationFailed, Unreachable
from overlace.orchestration.qmp.terms import Terms
from overlace.orchestration.sight import Guest

JOB = """\
Job type:         Unbounded
Operation:        Outgoing migration
Time elapsed:     24377        ms
Data processed:   63.500 MiB
Data remaining:   448.000 KiB
Data total:       63.938 MiB
Memory bandwidth: 20.000 MiB/s
Dirty rate:       4608         pages/s
Page size:        4096         bytes
Iteration:        4
"""


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ("running (booted)\n\n", Guest.RUNNING),
        ("running (migrated)\n\n", Guest.RUNNING),
        ("paused (migrating)\n\n", Guest.STILL),
        ("paused (starting up)\n\n", Guest.INCOMING),
        ("shut off (migrated)\n\n", Guest.HANDED_OVER),
        ("shut off (crashed)\n\n", Guest.BROKEN),
        ("something new\n", Guest.BROKEN),
    ],
)
def test_a_domains_state_is_read(told: str, state: Guest) -> None:
    assert guest_state(told) is state


def test_a_job_is_read_by_its_names() -> None:
    found = job(JOB)
    assert (found["Operation"], amount(found["Data total"])) == ("Outgoing migration", 67043852)
    assert amount(found["Memory bandwidth"]) == 20 << 20
    assert job("Job type:         None        \n\n") == job("") == {}


def test_post_copy_takes_over_where_passes_do_not_get_shorter() -> None:
    told = job(JOB)
    assert must_follow(Terms(Mode.PRE_COPY, True, 0), told)
    assert not must_follow(Terms(Mode.PRE_COPY, False, 0), told)
    assert not must_follow(Terms(Mode.PRE_COPY, True, 0), told | {"Iteration": "3"})
    assert not must_follow(Terms(Mode.PRE_COPY, True, 0), told | {"Dirty rate": "26 pages/s"})
    assert must_follow(Terms(Mode.POST_COPY, True, 0), told | {"Iteration": "2", "Dirty rate": "0 pages/s"})


def test_a_libvirt_that_does_not_answer_is_told_from_one_that_refuses() -> None:
    gone = "error: failed to connect to the hypervisor\nerror: Cannot recv data: Connection reset by peer\n"
    assert isinstance(failure("qemu:///system", "domstate", gone), Unreachable)
    refused = failure("qemu:///system", "migrate", "error: Unsafe migration: no shared storage\n")
    assert not isinstance(refused, Unreachable)
    assert str(refused) == "libvirt refuses migrate: Unsafe migration: no shared storage"


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A virsh that does as its script says."""
    path = tmp_path / "virsh"
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return path


def behave(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


async def test_a_domain_that_is_not_there_is_absent(program: Path) -> None:
    behave(program, "echo \"error: failed to get domain 'web'\" >&2; exit 1")
    assert await Virsh("qemu:///system").state("web") is Guest.ABSENT


async def test_events_of_other_domains_and_of_other_kinds_are_passed_over(program: Path) -> None:
    stamp = "2026-11-28 14:30:00.500+0000"
    lines = [
        f"{stamp}: event 'lifecycle' for domain 'db': Suspended Migrated",
        f"{stamp}: event 'reboot' for domain 'web'",
        f"{stamp}: event 'lifecycle' for domain 'web': Suspended Migrated",
        f"{stamp}: event 'lifecycle' for domain 'web': Stopped Migrated",
    ]
    behave(program, "cat <<END\n" + "\n".join(lines) + "\nEND")
    heard: list[tuple[str, float]] = []
    await Virsh("qemu:///system").listen("web", lambda what, at: heard.append((what, at % 60)))
    assert heard == [("Suspended", 0.5), ("Stopped", 0.5)]


async def test_a_libvirt_that_hangs_is_unreachable(program: Path) -> None:
    behave(program, "exec sleep 60")
    with pytest.raises(Unreachable, match="does not answer `domstate`"):
        await Virsh("qemu:///system").ask("domstate", "web", timeout=0.2)


async def test_a_machine_without_virsh_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MigrationFailed, match="install the package libvirt-clients"):
        async with asyncio.timeout(5):
            await Virsh("qemu:///system").ask("list")
