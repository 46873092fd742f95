"""Who is turned away at the ports for switches, and why."""

from collections.abc import Iterator

from overlace.app.doctor.facts import Facts
from overlace.app.doctor.finding import Finding, error, warning

_WORDS = (
    # A word of the reason, the kind, and what is behind it.
    (
        "not valid yet",
        "peer_certificate_not_yet",
        "the clock of the host was ahead when it joined, or this one is behind",
    ),
    ("this controller's certificate for expired", "host_clock", "the clock of the host is ahead"),
    (
        "does not accept this controller's",
        "host_clock",
        "the clock of the host is behind, or it was set up by hand",
    ),
    ("has expired", "peer_certificate_expired", "it was not renewed in time"),
    (
        "not this controller's",
        "peer_wrong_authority",
        "the host joined another controller, or one before a new start",
    ),
    (
        "signs itself",
        "peer_wrong_authority",
        "somebody else set the host's certificate up (ovs-vsctl set-ssl)",
    ),
    ("was revoked", "peer_revoked", "an administrator has revoked it (overlace pki revoke)"),
    (
        "is made out to",
        "peer_wrong_name",
        "the certificate of one host was copied to another, or the host was renamed",
    ),
    ("shows no certificate", "peer_no_certificate", "it was never joined, or its certificate was taken away"),
    ("does not speak TLS", "peer_plaintext", "the host calls with tcp: instead of ssl:"),
    (
        "does not trust",
        "peer_distrusts",
        "it joined another controller, or was set up by hand",
    ),
    (
        "is not known; add it",
        "host_unknown",
        "it was joined, but not declared, or was removed and goes on calling",
    ),
    ("neither external_ids", "host_nameless", "somebody removed external_ids:overlace-host"),
    ("datapath id", "datapath_conflict", "two bridges have one datapath id: a machine was cloned"),
    ("the token", "token_refused", "the script of `overlace join` was run too late, or twice"),
)
AGAIN = "join it again: overlace join NAME"


def check_connections(facts: Facts) -> Iterator[Finding]:
    """Refusals of the last seconds, and switches that nobody knows."""
    for each in facts.refusals:
        kind, cause = next(
            ((kind, cause) for word, kind, cause in _WORDS if word in each.reason),
            ("peer_refused", "it is no Open vSwitch, or does not speak OpenFlow 1.5"),
        )
        text, cure = _parts(each.reason)
        seen = f"{each.address} is refused at the {each.port} port ({each.times} times): {text}"
        yield error(kind, each.address, seen, cause, cure or AGAIN)
    for address, datapath_id in facts.strangers:
        yield warning(
            "switch_unknown",
            address,
            f"a switch at {address} with datapath id {datapath_id:016x} is connected, and nobody knows it",
            "a transit switch was not declared, or the bridge of a host is not the one that it was joined with",
            "overlace switch add NAME --site SITE --datapath-id ID; or join the host again: overlace join NAME",
        )


def _parts(reason: str) -> tuple[str, str]:
    """What is wrong, and the remedy where it is another than to join again; a semicolon or a question divides them."""
    if reason.endswith("is its clock right?"):
        return reason.partition(":")[
            0
        ], "set its clock right (chrony or systemd-timesyncd); else join it again"
    if "joined with --plaintext" in reason:
        return reason.partition(":")[0], "join it again, without --plaintext: overlace join NAME"
    text, _, cure = reason.partition("; ")
    return text, "" if cure == "join it again" else cure
