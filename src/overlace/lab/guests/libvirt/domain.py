"""A guest as a libvirt domain: the same machine as QEMU's own guests (`machine.py`), in libvirt's words."""

from xml.sax.saxutils import escape, quoteattr

from overlace.lab.errors import CommandFailed, LabError
from overlace.lab.guest import Guest
from overlace.lab.guests.libvirt.daemon import EMULATOR, GUESTS, IMAGES, POOL, virsh
from overlace.lab.guests.machine import kernel_words
from overlace.lab.machines.emulator import MACHINE
from overlace.lab.machines.imaging import Image
from overlace.lab.plan import Node

_HOST_OFFLOADS = ("csum", "gso", "tso4", "tso6", "ecn", "ufo", "mrg_rxbuf")
_GUEST_OFFLOADS = ("csum", "tso4", "tso6", "ecn", "ufo")


def start(guest: Guest, node: Node, image: Image) -> None:
    """Make the guest at a host. Raises `LabError`."""
    try:
        if guest.disk is not None:
            size, kind = str(guest.disk.size), guest.disk.format
            volume = disk_path(guest).removeprefix(f"{IMAGES}/")
            virsh(node, "vol-create-as", POOL, volume, size, "--format", kind, "--allocation", "0")
        virsh(node, "create", "/dev/stdin", stdin=describe(guest, image))
    except CommandFailed as error:
        raise LabError(
            f"libvirt does not start guest '{guest.name}' at {node.name}: {error.output.strip()}"
        ) from error


def disk_path(guest: Guest) -> str:
    """Where libvirt sees the guest's disk, at whichever host."""
    return f"{IMAGES}/{guest.name}.{guest.disk.format if guest.disk else 'img'}"


def describe(guest: Guest, image: Image) -> str:
    """Its XML (https://libvirt.org/formatdomain.html)."""
    words = escape(" ".join(kernel_words(guest)))
    return f"""<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>{guest.name}</name>
  <memory unit='MiB'>{guest.memory}</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='{MACHINE}'>hvm</type>
    <kernel>{escape(str(image.kernel))}</kernel>
    <initrd>{escape(str(image.initramfs))}</initrd>
    <cmdline>{words}</cmdline>
  </os>
  <features><acpi/></features>
  <cpu mode='custom' match='exact' check='none'><model>qemu64</model></cpu>
  <on_poweroff>destroy</on_poweroff><on_reboot>destroy</on_reboot><on_crash>destroy</on_crash>
  <devices>
    <emulator>{EMULATOR}</emulator>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
    {_interface(guest)}
    {_disk(guest)}
    <serial type='unix'>
      <source mode='bind' path='{GUESTS}/{guest.name}-console.sock'/>
      <log file='{GUESTS}/{guest.name}-console.log' append='off'/>
    </serial>
    <channel type='unix'>
      <source mode='bind' path='{GUESTS}/{guest.name}-command.sock'/>
      <target type='virtio' name='lab.command'/>
    </channel>
  </devices>
  <qemu:commandline>
    <qemu:arg value='-qmp'/>
    <qemu:arg value='unix:{GUESTS}/{guest.name}-lab.sock,server=on,wait=off'/>
  </qemu:commandline>
</domain>
"""


def _interface(guest: Guest) -> str:
    host = " ".join(f"{name}='off'" for name in _HOST_OFFLOADS)
    own = " ".join(f"{name}='off'" for name in _GUEST_OFFLOADS)
    port = f"<parameters interfaceid={quoteattr(guest.iface_id)}/>"
    return f"""<interface type='bridge'>
      <mac address='{guest.mac}'/><source bridge={quoteattr(guest.bridge)}/>
      <virtualport type='openvswitch'>{port}</virtualport>
      <target dev='{guest.host_interface}'/><model type='virtio'/><mtu size='{guest.mtu}'/>
      <driver name='qemu'><host {host}/><guest {own}/></driver><rom enabled='no'/>
    </interface>"""


def _disk(guest: Guest) -> str:
    if guest.disk is None:
        return ""
    driver = f"<driver name='qemu' type='{guest.disk.format}' discard='unmap' detect_zeroes='unmap'/>"
    return f"""<disk type='file' device='disk'>
      {driver}<source file={quoteattr(disk_path(guest))}/><target dev='vda' bus='virtio'/>
    </disk>"""
