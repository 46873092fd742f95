"""One thing that is wrong: what was seen, what it comes from, and what to do."""

from dataclasses import dataclass
from enum import IntEnum


class Severity(IntEnum):
    """How bad it is; the greater the worse."""

    NOTE = 1
    """Works; worth knowing."""
    WARNING = 2
    """Works for now, or for most."""
    ERROR = 3
    """Something does not work, or is not safe."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`kind` is what programs go by, and stays; docs/doctor.md has all. `about` names the host, network or file."""

    kind: str
    severity: Severity
    about: str
    seen: str
    cause: str
    cure: str

    def as_object(self) -> dict[str, object]:
        """As programs read it."""
        return {
            "kind": self.kind,
            "severity": self.severity.name.lower(),
            "about": self.about,
            "seen": self.seen,
            "cause": self.cause,
            "cure": self.cure,
        }


def error(kind: str, about: str, seen: str, cause: str, cure: str) -> Finding:
    """Something does not work."""
    return Finding(kind, Severity.ERROR, about, seen, cause, cure)


def warning(kind: str, about: str, seen: str, cause: str, cure: str) -> Finding:
    """Something will not work, or not for all."""
    return Finding(kind, Severity.WARNING, about, seen, cause, cure)


def note(kind: str, about: str, seen: str, cause: str, cure: str) -> Finding:
    """Something is as somebody wanted it, and may be forgotten."""
    return Finding(kind, Severity.NOTE, about, seen, cause, cure)
