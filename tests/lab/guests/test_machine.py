"""Given a guest, when QEMU is to run it at two hosts, then both machines are alike, and their memory is an odd size."""

from pathlib import Path

import pytest

from overlace.lab.description import load_topology
from overlace.lab.errors import LabError
from overlace.lab.guest import Disk, Guest
from overlace.lab.guests.machine import command_line, kernel_words
from overlace.lab.guests.place import Place, place_at
from overlace.lab.machines.imaging import Image
from overlace.lab.plan import make_plan

IMAGE = Image(Path("/image"), "6.1")
GUEST = Guest(
    name="web",
    index=3,
    mac="fa:16:3e:00:00:01",
    iface_id="port-1",
    mtu=1430,
    memory=96,
    host="h1",
    bridge="br-overlace",
    addresses=("192.168.0.5/24", "fd00::5/64"),
    disk=Disk(1 << 20, "qcow2"),
    writer=20,
)


def place(host: str, directory: str = "/lab") -> Place:
    plan = make_plan("demo", load_topology(), Path(directory))
    return place_at(GUEST, next(node for node in plan.nodes if node.name == host))


def test_source_and_destination_differ_by_their_files_and_by_waiting_only() -> None:
    source = command_line(GUEST, place("h1"), IMAGE, incoming=False)
    destination = command_line(GUEST, place("h3"), IMAGE, incoming=True)
    assert destination[-2:] == ["-incoming", "defer"]
    assert [word.replace("/lab/h3/", "/lab/h1/") for word in destination[:-2]] == source


def test_memory_is_never_a_multiple_of_256_kib() -> None:
    words = command_line(GUEST, place("h1"), IMAGE, incoming=False)
    kib = int(words[words.index("-m") + 1].removeprefix("size=").removesuffix("K"))
    assert kib % 256 != 0
    assert kib // 1024 == 96


def test_the_guest_is_told_what_it_shall_do() -> None:
    assert {"lab.ip=192.168.0.5/24,fd00::5/64", "lab.writer=20", "lab.name=web"} <= set(kernel_words(GUEST))
    assert not {word for word in kernel_words(GUEST) if word.startswith(("lab.dhcp", "lab.dirtier"))}


def test_a_directory_too_long_for_sockets_is_refused_with_the_cure() -> None:
    with pytest.raises(LabError, match="OVERLACE_LAB_DIR"):
        place("h1", "/" + "d" * 90)
