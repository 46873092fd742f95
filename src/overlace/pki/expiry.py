"""When certificates end: one answer for the command line, the status page and the metrics."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from overlace.pki.register import Register

NOTICE = timedelta(days=30)


class Validity(StrEnum):
    """Where a certificate stands."""

    VALID = "valid"
    ENDING = "ending"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Expiry:
    """The newest certificate of one subject (or an authority, `subject` being ``authority:<number>``)."""

    subject: str
    serial: str
    authority: int
    not_after: datetime
    validity: Validity
    seconds_left: float
    """Negative when it is over."""

    @property
    def days_left(self) -> int:
        """Whole days, rounded down."""
        return int(self.seconds_left // 86400)


def expiries(register: Register, now: datetime) -> tuple[Expiry, ...]:
    """Authorities first, then the newest certificate of every subject by name."""
    found = [
        Expiry(
            f"authority:{each.number}",
            "",
            each.number,
            each.not_after,
            validity(each.not_before, each.not_after, now),
            (each.not_after - now).total_seconds(),
        )
        for each in register.authorities
    ]
    for subject in register.subjects():
        newest = register.newest(subject)
        assert newest is not None
        state = validity(newest.not_before, newest.not_after, now)
        if newest.revoked_at is not None:
            state = Validity.REVOKED
        left = (newest.not_after - now).total_seconds()
        found.append(Expiry(subject, newest.serial, newest.authority, newest.not_after, state, left))
    return tuple(found)


def validity(not_before: datetime, not_after: datetime, now: datetime) -> Validity:
    """ENDING begins thirty days before the end, or after two thirds of a short life."""
    if now >= not_after:
        return Validity.EXPIRED
    notice = min(NOTICE, (not_after - not_before) / 3)
    return Validity.ENDING if now >= not_after - notice else Validity.VALID
