"""Certificates: over, ending, not yet valid, not readable, or good for no address."""

from collections.abc import Iterator

from overlace.app.doctor.facts import Facts
from overlace.app.doctor.finding import Finding, error, warning
from overlace.app.trust import HostClock
from overlace.pki.expiry import Expiry, Validity
from overlace.southbound.status import Phase

CLOCK_APART = 60.0
"""Seconds."""
_KINDS = {
    Validity.EXPIRED: ("certificate_expired", "it was not renewed in time"),
    Validity.ENDING: ("certificate_ending", "certificates are good for a year, authorities for ten"),
    Validity.NOT_YET: (
        "certificate_not_yet",
        "the clock of this machine is behind, or was ahead when it was made",
    ),
}


def check_trust(facts: Facts) -> Iterator[Finding]:
    """Those of the controller's own directory; what peers show is among the refusals."""
    for each in facts.service.expiries:
        yield from _validity(each)
    yield from map(_clock, (each for each in facts.service.clocks if abs(each.ahead) > CLOCK_APART))
    if facts.service.trust_problem is not None:
        yield error(
            "certificates_unreadable",
            "controller",
            f"what is in the certificate directory is not in use: {facts.service.trust_problem}",
            "a file was changed, lost, or belongs to another user now",
            "do what the message says, or take the directory back from a backup (overlace restore --pki)",
        )
    absent = all(each.phase is Phase.ABSENT for each in facts.switches.values())
    if (
        not facts.service.is_plaintext
        and not facts.service.certificate_addresses
        and facts.switches
        and absent
    ):
        yield warning(
            "certificate_without_address",
            "controller",
            "the controller's certificate is made out to no address, and no switch is connected",
            "it listens on all addresses, so it does not know at which of them hosts call",
            "overlace pki renew controller --address ADDRESS",
        )


def _clock(each: HostClock) -> Finding:
    way = "ahead of" if each.ahead > 0 else "behind"
    return warning(
        "host_clock_apart",
        each.host,
        f"the clock of {each.host} was {abs(each.ahead):.0f} s {way} this machine's when it got its certificate",
        "no time service sets it, or this machine's; from an hour on certificates are taken for invalid",
        f"set the clocks right (timedatectl set-ntp true), then: overlace pki renew {each.host}",
    )


def _validity(each: Expiry) -> Iterator[Finding]:
    if each.notice is None:
        return
    kind, cause = _KINDS[each.validity]
    seen, _, cure = each.notice.partition("; cure with: ")
    severe = warning if each.validity is Validity.ENDING else error
    yield severe(
        kind, each.subject, seen.partition(": ")[0], cause, cure or "set the clock of this machine right"
    )
