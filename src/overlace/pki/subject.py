"""Whom a certificate is made out to. The common name is the southbound's proof of who connects."""

import re
from dataclasses import dataclass
from enum import StrEnum

from overlace.pki.errors import RequestRefused

# RFC 5280, appendix A.1: ub-common-name is 64 characters, of which "switch:" takes seven.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,56}")


class Role(StrEnum):
    """What the holder of a certificate is."""

    HOST = "host"
    SWITCH = "switch"
    CONTROLLER = "controller"


@dataclass(frozen=True, slots=True)
class Subject:
    """A role and a name. Raises RequestRefused for a name that no certificate can carry."""

    role: Role
    name: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise RequestRefused(
                f"{self.name!r} cannot be in a certificate: a name has 1 to 57 letters, digits, dots, hyphens "
                "and underscores, and begins with a letter or digit"
            )

    def __str__(self) -> str:
        """The common name, such as ``host:h1``."""
        return f"{self.role}:{self.name}"

    @classmethod
    def parse(cls, common_name: str) -> "Subject":
        """The subject behind a common name. Raises RequestRefused."""
        role, _, name = common_name.partition(":")
        try:
            return cls(Role(role), name)
        except ValueError as error:
            raise RequestRefused(
                f"{common_name!r} is not host:<name>, switch:<name> or controller:<name>"
            ) from error
