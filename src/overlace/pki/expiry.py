"""When certificates end: one answer for the command line, the status page and the metrics."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from overlace.pki.register import Register

NOTICE = timedelta(days=30)


class Validity(StrEnum):
    """Where a certificate stands."""

    NOT_YET = "not yet valid"
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

    @property
    def notice(self) -> str | None:
        """What is to be said about it, with the cure; None while all is well (or it was revoked on purpose)."""
        if self.validity is Validity.NOT_YET:
            return f"the certificate of {self.subject} is not valid yet: set the clock of this machine right"
        if self.validity not in (Validity.ENDING, Validity.EXPIRED):
            return None
        ends = "has expired" if self.validity is Validity.EXPIRED else f"ends in {self.days_left} days"
        return f"the certificate of {self.subject} {ends}; cure with: {self._cure}"

    @property
    def _cure(self) -> str:
        kind, _, name = self.subject.partition(":")
        match kind:
            case "authority":
                return "overlace pki rollover begin"
            case "controller":
                return "overlace pki renew controller"
            case "switch":
                return f"overlace pki renew {self.subject}"
            case _:
                return f"overlace pki renew {name}"

    def as_object(self) -> dict[str, object]:
        """As programs read it."""
        return {
            "subject": self.subject,
            "serial": self.serial,
            "authority": self.authority,
            "not_after": self.not_after.isoformat(),
            "days_left": self.days_left,
            "validity": str(self.validity),
            "notice": self.notice,
        }


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
    if now < not_before:
        return Validity.NOT_YET
    if now >= not_after:
        return Validity.EXPIRED
    notice = min(NOTICE, (not_after - not_before) / 3)
    return Validity.ENDING if now >= not_after - notice else Validity.VALID
