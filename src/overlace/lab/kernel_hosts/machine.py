"""The command line of QEMU for a kernel host."""

from overlace.lab.kernel_hosts.files import COMMAND_PORTS, HostFiles
from overlace.lab.machines.emulator import GUEST_OFFLOADS, HOST_OFFLOADS, KERNEL_WORDS, MACHINE, PROGRAM
from overlace.lab.machines.imaging import Image
from overlace.lab.plan import MGMT_MTU, Node

MEMORY = 320
"""In MiB, of which the initramfs takes a part."""
NIC_DRIVER = "virtio-net-pci"


def command_line(node: Node, files: HostFiles, image: Image, taps: tuple[int, int]) -> list[str]:
    """QEMU for a host; `taps` are open descriptors for eth0 and mgmt0. It goes to the background when it works."""
    arguments = [PROGRAM, "-name", node.name, "-daemonize", "-pidfile", str(files.pidfile)]
    arguments += ["-accel", "tcg,tb-size=256", "-cpu", "qemu64", "-machine", MACHINE, "-m", f"{MEMORY}M"]
    arguments += ["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"]
    console = f"socket,id=console,path={files.console},server=on,wait=off,logfile={files.console_log}"
    arguments += ["-chardev", console, "-serial", "chardev:console", "-device", "virtio-serial-pci"]
    for number in range(COMMAND_PORTS):
        arguments += [
            "-chardev",
            f"socket,id=command{number},path={files.commands(number)},server=on,wait=off",
        ]
        port = f"virtserialport,chardev=command{number},nr={number + 1},name=lab.command{number}"
        arguments += ["-device", port]
    arguments += ["-qmp", f"unix:{files.monitor},server=on,wait=off"]
    arguments += ["-device", "virtio-rng-pci"]
    arguments += ["-kernel", str(image.kernel), "-initrd", str(image.initramfs)]
    arguments += ["-append", " ".join(kernel_words(node))]
    for name, tap, mac, mtu in (
        ("eth0", taps[0], node.hwaddr, node.mtu),
        ("mgmt0", taps[1], f"02:0d{node.hwaddr[5:]}", MGMT_MTU),
    ):
        settings = ",".join(f"{key}={_word(value)}" for key, value in nic_settings(mac, mtu).items())
        arguments += ["-netdev", f"tap,id={name},fd={tap}"]
        arguments += ["-device", f"{NIC_DRIVER},netdev={name},{settings}"]
    return arguments


def nic_settings(mac: str, mtu: int) -> dict[str, str | int | bool]:
    """Frames from the userspace datapaths of other hosts have their checksums, and frames to them need theirs: nothing
    is left to the NIC."""
    off = dict.fromkeys(HOST_OFFLOADS + GUEST_OFFLOADS, False)
    return {"mac": mac, "host_mtu": mtu, "romfile": "", **off}


def _word(value: str | int | bool) -> str:
    return "off" if value is False else str(value)


def kernel_words(node: Node) -> list[str]:
    """The kernel's command line; `lab.` words are read by the host's init."""
    addresses = zip(node.endpoints, node.prefix_lengths, strict=True)
    return [
        *KERNEL_WORDS,
        f"lab.name={node.name}",
        f"lab.ip={','.join(f'{address}/{length}' for address, length in addresses)}",
        f"lab.gateway={','.join(node.gateways)}",
        f"lab.management={node.management}/{node.management_length}",
    ]
