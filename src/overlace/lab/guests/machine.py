"""The command line of QEMU for a guest: alike at every host, since a guest arrives only in a machine like its own."""

from overlace.lab.guest import Guest
from overlace.lab.guests.place import BLOCK_NODE, Place
from overlace.lab.machines.emulator import GUEST_OFFLOADS, HOST_OFFLOADS, KERNEL_WORDS, MACHINE, PROGRAM
from overlace.lab.machines.imaging import Image

ODD_KIB = 8
"""QEMU 7.2 loses changed pages of emulated guests whose memory is a multiple of 256 KiB: while it collects changed
pages in whole words of its bitmap it does not make the processor notice further writes. 8 KiB more, and it takes the
other way."""


def command_line(guest: Guest, place: Place, image: Image, *, incoming: bool) -> list[str]:
    """QEMU for a guest that boots, or (`incoming`) waits for its memory; it goes to the background when it works."""
    arguments = [PROGRAM, "-name", guest.name, "-daemonize", "-pidfile", str(place.pidfile)]
    arguments += ["-accel", "tcg,tb-size=128", "-cpu", "qemu64", "-machine", MACHINE]
    arguments += ["-m", f"size={guest.memory * 1024 + ODD_KIB}K"]
    arguments += ["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"]
    console = f"socket,id=console,path={place.console},server=on,wait=off,logfile={place.console_log}"
    arguments += ["-chardev", console, "-serial", "chardev:console"]
    arguments += ["-chardev", f"socket,id=command,path={place.commands},server=on,wait=off"]
    arguments += [
        "-device",
        "virtio-serial-pci",
        "-device",
        "virtserialport,chardev=command,nr=1,name=lab.command",
    ]
    for path in (place.qmp, place.lab):
        arguments += ["-qmp", f"unix:{path},server=on,wait=off"]
    arguments += ["-kernel", str(image.kernel), "-initrd", str(image.initramfs)]
    arguments += ["-append", " ".join(kernel_words(guest))]
    arguments += _network(guest) + _disk(guest, place)
    return [*arguments, "-incoming", "defer"] if incoming else arguments


def keeper_command_line(guest: Guest, place: Place) -> list[str]:
    """QEMU that has the guest's disk and nothing else; it goes to the background when it works."""
    arguments = [PROGRAM, "-name", f"{guest.name}-disk", "-daemonize", "-pidfile", str(place.pidfile)]
    arguments += ["-machine", "none", "-nodefaults", "-no-user-config", "-display", "none", "-S"]
    return [*arguments, "-qmp", f"unix:{place.qmp},server=on,wait=off", *_blocks(guest, place)]


def kernel_words(guest: Guest) -> list[str]:
    """The kernel's command line; `lab.` words are read by the guest's init."""
    words = [*KERNEL_WORDS]
    words.append(f"lab.name={guest.name}")
    if guest.addresses:
        words.append(f"lab.ip={','.join(guest.addresses)}")
    if guest.gateways:
        words.append(f"lab.gateway={','.join(guest.gateways)}")
    if guest.dhcp:
        words.append("lab.dhcp")
    if guest.disk is not None:
        words.append(f"lab.writer={guest.writer}")
    if guest.dirtier is not None:
        words.append("lab.dirtier={},{}".format(*guest.dirtier))
    return words


def _network(guest: Guest) -> list[str]:
    off = ",".join(f"{offload}=off" for offload in HOST_OFFLOADS + GUEST_OFFLOADS)
    device = f"virtio-net-pci,netdev=net0,id=nic0,mac={guest.mac},romfile=,host_mtu={guest.mtu},{off}"
    tap = f"tap,id=net0,ifname={guest.host_interface},script=no,downscript=no"
    return ["-netdev", tap, "-device", device]


def _disk(guest: Guest, place: Place) -> list[str]:
    if guest.disk is None:
        return []
    return [*_blocks(guest, place), "-device", f"virtio-blk-pci,drive={BLOCK_NODE},id=vd0"]


def _blocks(guest: Guest, place: Place) -> list[str]:
    if guest.disk is None:
        return []
    # Zeros that arrive from another host leave holes in the file.
    file = f"driver=file,node-name=file0,filename={place.disk},discard=unmap"
    node = f"driver={guest.disk.format},node-name={BLOCK_NODE},file=file0,discard=unmap,detect-zeroes=unmap"
    return ["-blockdev", file, "-blockdev", node]
