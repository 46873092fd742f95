"""The label of a host in the fabric: a locally administered MAC address that no one else uses.

The second hexadecimal digit 2 marks addresses that an administrator gives out himself (IEEE 802c, "AAI").
"""

from overlace.kit.addresses import Mac

_LABELS = 0x024F << 32


def host_label(host_key: int) -> Mac:
    """``02:4f`` and the host's key."""
    return Mac(_LABELS | host_key)
