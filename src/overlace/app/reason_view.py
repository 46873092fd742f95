"""Reasons as the API shows them: whole to administrators, without hosts to projects."""

from collections.abc import Iterable, Mapping

from overlace.engine.reason import Ground, Reason

_WITHOUT_HOSTS: Mapping[Ground, str] = {
    Ground.NOT_PLUGGED: "the port is not plugged in at any host",
    Ground.HOST_NOT_ALLOWED: "the port is plugged in at a host that the project may not use",
    Ground.ANNOUNCED_TWICE: "two interfaces of one host claim to be the port",
    Ground.NO_OFPORT: "the port's interface does not work",
    Ground.BINDING_PENDING: "the port's binding is being made",
    Ground.PREPARED: "the port is prepared at another host and becomes active with its first frame there",
    Ground.FENCED: "an interface of the port is left at a host that it has moved away from",
    Ground.HOST_AWAY: "the port's host is not connected",
    Ground.HOST_SILENT: "the port's host is not fully connected",
    Ground.SWITCH_HELD: "the port's host is on hold",
    Ground.WAITING: "hosts have not acknowledged the port's last change yet",
    Ground.REFUSED: "a host refuses some of the port's rules",
    Ground.UNREACHABLE_HOST: "some hosts of the network cannot reach each other",
    Ground.PENDING: "some hosts are away and follow when they return",
}
_ASK = "ask the administrator"
_NAMES_NO_HOST = {Ground.PORT_DOWN, Ground.NETWORK_DOWN, Ground.NO_ADDRESS, Ground.NO_SEGMENT}


def reasons_view(reasons: Iterable[Reason], *, with_hosts: bool) -> list[dict[str, object]]:
    """JSON values, in the order given, each once."""
    shown = (_whole(each) if with_hosts else _without_hosts(each) for each in reasons)
    return list({str(each): each for each in shown}.values())


def _whole(reason: Reason) -> dict[str, object]:
    return {
        "kind": reason.ground.value,
        "text": reason.text,
        "cure": reason.cure,
        "host": reason.host or None,
        "blocking": reason.blocking,
    }


def _without_hosts(reason: Reason) -> dict[str, object]:
    shown = {"kind": reason.ground.value, "blocking": reason.blocking}
    if reason.ground in _NAMES_NO_HOST:
        return {**shown, "text": reason.text, "cure": reason.cure}
    text = _WITHOUT_HOSTS.get(reason.ground, "the physical network does not carry all of the network")
    return {**shown, "text": text, "cure": _ASK}
