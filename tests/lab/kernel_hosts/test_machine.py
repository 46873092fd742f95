"""Given a kernel host, when QEMU is to run it, then it has the NICs, addresses and ports of a host."""

from pathlib import Path

from overlace.lab.description import load_topology
from overlace.lab.kernel_hosts.files import COMMAND_PORTS, files_of
from overlace.lab.kernel_hosts.machine import command_line, kernel_words
from overlace.lab.machines.imaging import Image
from overlace.lab.plan import Node, make_plan


def host() -> Node:
    plan = make_plan("demo", load_topology().with_kernel(["h3"]), Path("/lab"))
    return next(node for node in plan.nodes if node.kernel)


def test_it_is_told_the_addresses_of_the_host() -> None:
    assert {
        "lab.name=h3",
        "lab.ip=10.2.0.1/24,fd02::1/64",
        "lab.gateway=10.2.0.254,fd02::ff",
        "lab.management=198.18.0.12/24",
    } <= set(kernel_words(host()))


def test_its_nics_leave_nothing_to_offloads_and_carry_the_underlays_frames() -> None:
    line = command_line(host(), files_of(host()), Image(Path("/image"), "6.1"), (7, 8))
    nics = [word for word in line if word.startswith("virtio-net-pci")]
    assert [("csum=off" in nic, "guest_csum=off" in nic) for nic in nics] == [(True, True)] * 2
    assert "mac=02:0c:00:00:00:03" in nics[0]
    assert "host_mtu=1600" in nics[0]
    assert {"tap,id=eth0,fd=7", "tap,id=mgmt0,fd=8"} <= set(line)
    assert sum(word.startswith("virtserialport") for word in line) == COMMAND_PORTS
