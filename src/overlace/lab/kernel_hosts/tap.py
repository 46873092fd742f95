"""The near ends of a kernel host's NICs: TAP interfaces in the laboratory's namespaces.

up-HOST   in the router's namespace      the far end is eth0
m-HOST    in the controller's            mgmt0
pNuS      in the panel's                 vpN, a workload's
"""

import fcntl
import os
import struct

from overlace.lab.errors import LabError
from overlace.lab.namespace import entered

DEVICE = "/dev/net/tun"
# linux/if_tun.h. With the header of virtio, frames need not leave the kernel with their checksums missing.
TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x0002, 0x1000, 0x4000


def open_tap(netns: str, name: str) -> int:
    """Make a TAP interface in a namespace; it stays as long as the descriptor is open somewhere."""
    with entered(netns):
        try:
            descriptor = os.open(DEVICE, os.O_RDWR | os.O_NONBLOCK)
        except OSError as error:
            raise LabError(f"{DEVICE} cannot be opened ({error.strerror}): load the module tun") from error
        try:
            fcntl.ioctl(
                descriptor,
                TUNSETIFF,
                struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI | IFF_VNET_HDR),
            )
        except OSError as error:
            os.close(descriptor)
            raise LabError(f"cannot make the interface {name} in {netns}: {error.strerror}") from error
    return descriptor
