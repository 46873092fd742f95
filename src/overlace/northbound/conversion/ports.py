"""The structured attributes of ports."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from overlace.kit.addresses import IPAddress, format_mac
from overlace.model.port import AddressPair, DhcpOption, FixedIp
from overlace.northbound.conversion.addresses import parse_ip, parse_loose_prefix, parse_unicast_mac
from overlace.northbound.conversion.kind import Kind
from overlace.northbound.conversion.scalars import parse_integer, parse_string, parse_uuid


@dataclass(frozen=True, slots=True)
class RequestedIp:
    """What a client asks of an address: its subnet, its value, or both."""

    subnet_id: str | None
    ip_address: IPAddress | None


def parse_fixed_ips(value: Any) -> tuple[RequestedIp, ...]:
    """A list of {"subnet_id", "ip_address"}, each with at least one of the two."""
    return tuple(_requested(each) for each in _records(value))


def _requested(given: dict[str, Any]) -> RequestedIp:
    if unknown := set(given) - {"subnet_id", "ip_address"}:
        raise ValueError(f"Unexpected keys supplied: {', '.join(sorted(unknown))}")
    subnet_id, address = given.get("subnet_id"), given.get("ip_address")
    if subnet_id is None and address is None:
        raise ValueError("a fixed IP needs a subnet_id or an ip_address")
    return RequestedIp(
        None if subnet_id is None else parse_uuid(subnet_id), None if address is None else parse_ip(address)
    )


def render_fixed_ips(fixed_ips: tuple[FixedIp, ...]) -> list[dict[str, str]]:
    """As the API shows them."""
    return [{"subnet_id": each.subnet_id, "ip_address": str(each.ip_address)} for each in fixed_ips]


def selects_fixed_ips(rendered: Any, wanted: Sequence[str]) -> bool:
    """``subnet_id=X``, ``ip_address=X``, ``ip_address_substr=X``: one address answers to one of each word."""
    asked: dict[str, list[str]] = {}
    for each in wanted:
        word, _, text = each.partition("=")
        asked.setdefault(word, []).append(text)
    return any(all(_is_one_of(each, word, texts) for word, texts in asked.items()) for each in rendered)


def _is_one_of(fixed: dict[str, str], word: str, texts: Sequence[str]) -> bool:
    if word == "ip_address_substr":
        return any(text in fixed["ip_address"] for text in texts)
    return fixed.get(word) in texts


def parse_address_pairs(value: Any) -> tuple[AddressPair, ...]:
    """A list of {"ip_address", "mac_address"}; the second may be missing."""
    pairs = tuple(_pair(each) for each in _records(value))
    if len(set(pairs)) != len(pairs):
        raise ValueError("Request contains duplicate address pair")
    return pairs


def _pair(given: dict[str, Any]) -> AddressPair:
    if "ip_address" not in given:
        raise ValueError("AllowedAddressPair must contain ip_address")
    if unknown := set(given) - {"ip_address", "mac_address"}:
        raise ValueError(f"Unrecognized attribute(s) '{', '.join(sorted(unknown))}'")
    mac = given.get("mac_address")
    return AddressPair(
        parse_loose_prefix(given["ip_address"]), None if mac is None else parse_unicast_mac(mac)
    )


def render_address_pair(pair: AddressPair, own_mac: int) -> dict[str, str]:
    """A single address without its length, as clients sent it; the port's own MAC where none was given."""
    single = pair.ip_address.num_addresses == 1
    address = str(pair.ip_address.network_address if single else pair.ip_address)
    mac = own_mac if pair.mac_address is None else pair.mac_address
    return {"ip_address": address, "mac_address": format_mac(mac)}


def parse_dhcp_options(value: Any) -> tuple[DhcpOption, ...]:
    """A list of {"opt_name", "opt_value", "ip_version"}; a null value removes the option on update."""
    return tuple(_option(each) for each in _records(value))


def _option(given: dict[str, Any]) -> DhcpOption:
    if unknown := set(given) - {"opt_name", "opt_value", "ip_version"}:
        raise ValueError(f"Unexpected keys supplied: {', '.join(sorted(unknown))}")
    name, text = given.get("opt_name"), given.get("opt_value")
    if not name or text == "":
        raise ValueError("an extra DHCP option needs a name and a value")
    version = parse_integer(given.get("ip_version", 4))
    if version not in (4, 6):
        raise ValueError(f"'{version}' is not in [4, 6]")
    return DhcpOption(parse_string(name), "" if text is None else parse_string(text), version)


def render_dhcp_options(options: tuple[DhcpOption, ...]) -> list[dict[str, object]]:
    """As the API shows them."""
    return [
        {"opt_name": each.opt_name, "opt_value": each.opt_value, "ip_version": each.ip_version}
        for each in options
    ]


def parse_profile(value: Any) -> dict[str, Any]:
    """A dictionary; null means an empty one."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"'{value}' is not a dictionary")
    return value


def _records(value: Any) -> list[dict[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise ValueError(f"'{value}' is not a list of dictionaries")
    return value


def _unrendered(value: Any) -> Any:
    return value


PORTS = {
    "fixed_ips": Kind(parse_fixed_ips, render_fixed_ips, selects=selects_fixed_ips),
    "address_pairs": Kind(parse_address_pairs, _unrendered),
    "dhcp_options": Kind(parse_dhcp_options, render_dhcp_options),
    "profile": Kind(parse_profile),
}
