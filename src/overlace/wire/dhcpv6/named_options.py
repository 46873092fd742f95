"""DHCPv6 options given by name and text, as Neutron's `extra_dhcp_opts` gives them for `ip_version` 6.

The names are those that dnsmasq established. An option may also be given by number; its value is then taken as
addresses, hexadecimal octets with colons, or text.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv6Address

from overlace.wire.dhcpv6.message import Option, encode_options
from overlace.wire.dhcpv6.options import OptionCode, encode_addresses
from overlace.wire.dns_names import encode_names

_HEXADECIMAL = re.compile(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2})+")
_NTP_ADDRESS, _NTP_NAME = 1, 3

_OWN_CODES = frozenset(
    {*range(OptionCode.CLIENT_ID, OptionCode.RECONFIGURE_ACCEPT + 1), OptionCode.IA_PD, OptionCode.IA_PREFIX}
)
"""Options with which server and client run the protocol; no configuration may set them."""


def parse_extra_options(pairs: Iterable[tuple[str, str]]) -> tuple[Option, ...]:
    """Read pairs of option name (or number) and value; later pairs win, an empty value means: not to be sent.

    Raises ValueError saying which is wrong.
    """
    options: dict[int, bytes] = {}
    for name, text in pairs:
        try:
            code, encode = _form(name)
            options[code] = encode(text.strip()) if text.strip() else b""
        except ValueError as error:
            raise ValueError(f"DHCPv6 option {name}={text!r}: {error}") from error
    return tuple(options.items())


def _form(name: str) -> tuple[int, Callable[[str], bytes]]:
    name = name.removeprefix("option6:").lower()
    if name in _NAMES:
        return _NAMES[name]
    if name.isascii() and name.isdigit() and 0 < int(name) < 1 << 16:
        code = int(name)
        if code in _OWN_CODES:
            raise ValueError("the DHCP server itself sets this option")
        return code, _FORMS.get(code, _guess)
    raise ValueError("neither the name nor the number of a DHCPv6 option")


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",")]


def _address(text: str) -> IPv6Address:
    """Also in brackets, as dnsmasq writes addresses of IPv6."""
    return IPv6Address(text.removeprefix("[").removesuffix("]"))


def _addresses(text: str) -> bytes:
    return encode_addresses(map(_address, _items(text)))


def _domains(text: str) -> bytes:
    return encode_names(tuple(_items(text)))


def _text(text: str) -> bytes:
    return text.encode()


def _seconds(text: str) -> bytes:
    value = int(text)
    if not 0 <= value < 1 << 32:
        raise ValueError(f"{value} seconds do not fit in 4 octets")
    return value.to_bytes(4, "big")


def _time_servers(text: str) -> bytes:
    """Addresses and names, each in a suboption of its own (RFC 5908 section 4)."""
    return encode_options(tuple(map(_time_server, _items(text))))


def _time_server(text: str) -> Option:
    try:
        return _NTP_ADDRESS, _address(text).packed
    except ValueError:
        return _NTP_NAME, encode_names((text,))


def _boot_parameters(text: str) -> bytes:
    """Each with its length before it (RFC 5970 3.2)."""
    parameters = [each.encode() for each in _items(text)]
    return b"".join(len(each).to_bytes(2, "big") + each for each in parameters)


def _guess(text: str) -> bytes:
    try:
        return _addresses(text)
    except ValueError:
        if _HEXADECIMAL.fullmatch(text):
            return bytes.fromhex(text.replace(":", ""))
        return _text(text)


_NAMES: Mapping[str, tuple[int, Callable[[str], bytes]]] = {
    "sip-server-domain": (21, _domains),
    "sip-server": (22, _addresses),
    "dns-server": (OptionCode.DNS_SERVERS, _addresses),
    "domain-search": (OptionCode.DOMAIN_LIST, _domains),
    "nis-server": (27, _addresses),
    "nis+-server": (28, _addresses),
    "nis-domain": (29, _domains),
    "nis+-domain": (30, _domains),
    "sntp-server": (31, _addresses),
    "information-refresh-time": (OptionCode.INFORMATION_REFRESH_TIME, _seconds),
    "ntp-server": (OptionCode.NTP_SERVER, _time_servers),
    "bootfile-url": (OptionCode.BOOT_FILE_URL, _text),
    "bootfile-param": (OptionCode.BOOT_FILE_PARAMETERS, _boot_parameters),
}
_FORMS: Mapping[int, Callable[[str], bytes]] = dict(_NAMES.values())
