"""Codes of DHCPv6 options and the forms of those that decisions are made about (RFC 8415 section 21)."""

import struct
from collections.abc import Iterable
from enum import IntEnum
from ipaddress import IPv6Address

import msgspec

from overlace.kit.addresses import Mac, mac_bytes
from overlace.wire.dhcpv6.message import Option, decode_options, encode_options
from overlace.wire.errors import MalformedError

INFINITE_LIFETIME = 0xFFFFFFFF
"""The lifetime, in seconds, that means for ever (RFC 8415 7.7)."""

_ASSOCIATION = struct.Struct("!4sII")
_ADDRESS = struct.Struct("!16sII")
_DUID_LL, _ETHERNET = 3, 1


class OptionCode(IntEnum):
    """The options that are read or written here; any other code passes through unread."""

    CLIENT_ID = 1
    SERVER_ID = 2
    IA_NA = 3
    IA_TA = 4
    IA_ADDRESS = 5
    OPTION_REQUEST = 6
    PREFERENCE = 7
    ELAPSED_TIME = 8
    RELAY_MESSAGE = 9
    AUTHENTICATION = 11
    UNICAST = 12
    STATUS_CODE = 13
    RAPID_COMMIT = 14
    INTERFACE_ID = 18
    RECONFIGURE_MESSAGE = 19
    RECONFIGURE_ACCEPT = 20
    DNS_SERVERS = 23  # RFC 3646
    DOMAIN_LIST = 24
    IA_PD = 25
    IA_PREFIX = 26
    INFORMATION_REFRESH_TIME = 32
    NTP_SERVER = 56  # RFC 5908
    BOOT_FILE_URL = 59  # RFC 5970
    BOOT_FILE_PARAMETERS = 60


class StatusCode(IntEnum):
    """RFC 8415 21.13."""

    SUCCESS = 0
    UNSPECIFIED_FAILURE = 1
    NO_ADDRESSES_AVAILABLE = 2
    NO_BINDING = 3
    NOT_ON_LINK = 4
    USE_MULTICAST = 5
    NO_PREFIX_AVAILABLE = 6


class LeasedAddress(msgspec.Struct, frozen=True):
    """An IA Address option: how long, in seconds, an address is preferred and valid; 0 takes it back."""

    address: IPv6Address
    preferred_seconds: int = 0
    valid_seconds: int = 0


class IdentityAssociation(msgspec.Struct, frozen=True):
    """An IA_NA option: what one interface of the client has, and when to renew and to rebind (seconds)."""

    iaid: bytes
    addresses: tuple[LeasedAddress, ...] = ()
    renewal_seconds: int = 0
    rebinding_seconds: int = 0
    status: Option | None = None

    @classmethod
    def decode(cls, data: bytes) -> "IdentityAssociation":
        """Read the value of an IA_NA option. Raises MalformedError."""
        if len(data) < _ASSOCIATION.size:
            raise MalformedError(f"identity association of {len(data)} octets")
        iaid, renewal, rebinding = _ASSOCIATION.unpack_from(data)
        inside = decode_options(data[_ASSOCIATION.size :])
        addresses = tuple(_decode_address(value) for code, value in inside if code == OptionCode.IA_ADDRESS)
        status = next((each for each in inside if each[0] == OptionCode.STATUS_CODE), None)
        return cls(iaid, addresses, renewal, rebinding, status)

    def encode(self) -> bytes:
        """The value of the option."""
        inside = tuple((int(OptionCode.IA_ADDRESS), _encode_address(each)) for each in self.addresses)
        if self.status is not None:
            inside += (self.status,)
        fixed = _ASSOCIATION.pack(self.iaid, self.renewal_seconds, self.rebinding_seconds)
        return fixed + encode_options(inside)


def iaid_of(data: bytes) -> bytes:
    """Which identity association an IA_NA, IA_TA or IA_PD option is about. Raises MalformedError."""
    if len(data) < 4:
        raise MalformedError(f"identity association of {len(data)} octets")
    return data[:4]


def status(code: StatusCode, text: str) -> Option:
    """A Status Code option."""
    return int(OptionCode.STATUS_CODE), int(code).to_bytes(2, "big") + text.encode()


def status_in(option: Option | None) -> StatusCode | int:
    """The code of a Status Code option; its absence means success. Raises MalformedError."""
    if option is None:
        return StatusCode.SUCCESS
    if len(option[1]) < 2:
        raise MalformedError("status code cut short")
    number = int.from_bytes(option[1][:2], "big")
    return StatusCode(number) if number in set(StatusCode) else number


def link_layer_duid(mac: Mac) -> bytes:
    """The DHCP unique identifier that is made of a MAC address alone (RFC 8415 11.4)."""
    return struct.pack("!HH", _DUID_LL, _ETHERNET) + mac_bytes(mac)


def decode_requested(data: bytes) -> tuple[int, ...]:
    """The codes in an Option Request option. Raises MalformedError."""
    if len(data) % 2:
        raise MalformedError(f"option request of {len(data)} octets")
    return tuple(int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2))


def encode_requested(codes: Iterable[int]) -> bytes:
    """The value of an Option Request option."""
    return b"".join(int(code).to_bytes(2, "big") for code in codes)


def encode_addresses(addresses: Iterable[IPv6Address]) -> bytes:
    """One address after another."""
    return b"".join(address.packed for address in addresses)


def _decode_address(data: bytes) -> LeasedAddress:
    if len(data) < _ADDRESS.size:
        raise MalformedError(f"IA address of {len(data)} octets")
    address, preferred, valid = _ADDRESS.unpack_from(data)
    decode_options(data[_ADDRESS.size :])
    return LeasedAddress(IPv6Address(address), preferred, valid)


def _encode_address(leased: LeasedAddress) -> bytes:
    return _ADDRESS.pack(leased.address.packed, leased.preferred_seconds, leased.valid_seconds)
