"""What a line of the `openstack` client is expected to do. The test tries it, the document tells of it.

Lines of a chapter are run in their order, so that each finds what those before it have left. `keep` is the name
under which later lines and outcomes know the id that a line printed first: `$RULE`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

CLOUD, LOCAL = "overlace", "local"
"""The administrator's entries of clouds.yaml: with a login, and without."""
LISTED_BY = "Name"


@dataclass(frozen=True, slots=True)
class Shown:
    """The line prints these attributes; a list of rows has one such row."""

    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Listed:
    """The line prints a list with exactly these values in this column."""

    values: Sequence[Any]
    column: str
    ordered: bool


@dataclass(frozen=True, slots=True)
class Counted:
    """The line prints a list of so many rows."""

    number: int


@dataclass(frozen=True, slots=True)
class Changed:
    """The line ends well, and another then shows these attributes."""

    attributes: Mapping[str, Any]
    seen_by: str


@dataclass(frozen=True, slots=True)
class Removed:
    """The line ends well, and others that asked for the things no longer find them."""

    missed_by: Sequence[str]


@dataclass(frozen=True, slots=True)
class Refused:
    """The line ends with an error that says this; with nothing, when the client itself is silent about it."""

    message: str


Outcome = Shown | Listed | Counted | Changed | Removed | Refused


@dataclass(frozen=True, slots=True)
class Command:
    """One line after `openstack`. `without_login` is its outcome there, where it is another."""

    line: str
    outcome: Outcome
    without_login: Outcome | None = None
    keep: str = ""

    def expected(self, *, with_login: bool) -> Outcome:
        """The outcome with a password, or with authentication type none."""
        return self.outcome if with_login or self.without_login is None else self.without_login


@dataclass(frozen=True, slots=True)
class Chapter:
    """Lines that belong together, said to one entry of clouds.yaml.

    `before` and `after` are Overlace's own commands, which prepare and tidy up.
    """

    title: str
    commands: Sequence[Command]
    before: Sequence[str] = field(default=())
    after: Sequence[str] = field(default=())
    needs_login: bool = False
    cloud: str = CLOUD


def makes(line: str, keep: str = "", **attributes: Any) -> Command:
    """Something new, printed with these attributes."""
    return Command(line, Shown(_named(attributes)), keep=keep)


def shows(line: str, without_login: str = "", **attributes: Any) -> Command:
    """What there is. `without_login`: the client's own refusal there."""
    other = Refused(without_login) if without_login else None
    return Command(line, Shown(_named(attributes)), other)


def lists(line: str, *values: Any, column: str = LISTED_BY, ordered: bool = False, keep: str = "") -> Command:
    """All that there is, or what the filters let through."""
    return Command(line, Listed(values, column, ordered), keep=keep)


def counts(line: str, number: int) -> Command:
    """Rows without a name of their own."""
    return Command(line, Counted(number))


def changes(line: str, seen_by: str = "", **attributes: Any) -> Command:
    """Something that there is; `show` of the last word tells, where no other line is named."""
    return Command(line, Changed(_named(attributes), seen_by or _shown_by(line)))


def removes(line: str) -> Command:
    """Something, which `show` then does not find."""
    noun, _, things = line.partition(" delete ")
    return Command(line, Removed([f"{noun} show {each}" for each in things.split()]))


def refuses(line: str, message: str, without_login: str = "") -> Command:
    """What cannot be, in words that say why. `without_login`: the client's own refusal there."""
    return Command(line, Refused(message), Refused(without_login) if without_login else None)


def _shown_by(line: str) -> str:
    words = line.split()
    verb = next(number for number, word in enumerate(words) if word in ("set", "unset"))
    return " ".join([*words[:verb], "show", words[-1]])


def _named(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Words of Python for the client's: `provider__network_type` is `provider:network_type`."""
    return {name.replace("__", ":"): value for name, value in attributes.items()}
