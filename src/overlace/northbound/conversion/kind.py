"""How one kind of attribute is read from JSON, written to JSON and compared with a query's text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


def identity(value: Any) -> Any:
    """For values that JSON has as they are."""
    return value


def same_text(rendered: Any, wanted: str) -> bool:
    """Whether a query's text names this value."""
    return str(rendered) == wanted


@dataclass(frozen=True, slots=True)
class Kind:
    """`parse` raises ValueError with the reason; `matches` gets the rendered value, and so does `selects`.

    That says whether all texts of a query together name the value, where it is not enough that one does.
    """

    parse: Callable[[Any], Any]
    render: Callable[[Any], Any] = identity
    matches: Callable[[Any, str], bool] = same_text
    selects: Callable[[Any, Sequence[str]], bool] | None = None

    def chooses(self, rendered: Any, wanted: Sequence[str]) -> bool:
        """Whether a filter with these texts lets the value through."""
        if self.selects is not None:
            return self.selects(rendered, wanted)
        return any(self.matches(rendered, text) for text in wanted)
