"""One declaration per resource, from which table, value class and API schema all follow.

A resource is a frozen dataclass whose fields carry an `Attribute` in their metadata. The store makes a column
of every field, the API a schema of every field with an attribute, and the tests compare that schema with the
public definitions of the networking API.
"""

from collections.abc import Callable, Iterable
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, Final, Protocol, TypeVar

from overlace.kit.addresses import IPAddress

T = TypeVar("T")

UNSPECIFIED: Final = "<unspecified>"
"""The default of an attribute that a request may omit and for which the resource's own rules decide."""


InnerKey = str | int | IPAddress
"""What values under one outer key of an index are told apart by."""


class Entity(Protocol):
    """What every stored value has: an identifier that is unique within its class."""

    @property
    def id(self) -> str:
        """A UUID, or for hosts and sites the operator's name."""
        ...


@dataclass(frozen=True, slots=True)
class Attribute:
    """How the API shows one field. `name` is the API's word where it differs from the field's."""

    name: str = ""
    post: bool = False
    put: bool = False
    visible: bool = True
    filter: bool = True
    sort: bool = True
    required: bool = False
    default: object = UNSPECIFIED
    kind: str = "string"
    """The converter and validator the API applies; see `northbound.attributes`."""
    admin_only: bool = False
    """Only an administrator may set it."""
    admin_view: bool = False
    """Only an administrator sees it."""


def api(
    name: str = "",
    *,
    post: bool = False,
    put: bool = False,
    visible: bool = True,
    filter: bool = True,  # noqa: A002 - the API's own word
    sort: bool = True,
    required: bool = False,
    default: object = UNSPECIFIED,
    kind: str = "string",
    admin_only: bool = False,
    admin_view: bool = False,
    value: Any = MISSING,
) -> Any:
    """A dataclass field that the API shows. `value` is the field's default in Python, when it has one."""
    attribute = Attribute(
        name, post, put, visible, filter, sort, required, default, kind, admin_only, admin_view
    )
    if value is MISSING:
        return field(metadata={"api": attribute})
    return field(default=value, metadata={"api": attribute})


@dataclass(frozen=True, slots=True)
class Index:
    """A second way to find values: `keys(value)` gives (outer, inner) pairs; inner may be empty. What the value holds
    anyway, an address, say, stands for itself: a text of it would be one more object.

    `snapshot.outer(index, a)` lists the inner keys under `a`, `snapshot.members(index, a, b)` the values.
    """

    name: str
    keys: Callable[[Any], Iterable[tuple[str, InnerKey]]]


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A declared resource: its class, its API words and its indexes."""

    cls: type
    kind: str
    collection: str
    indexes: tuple[Index, ...] = ()

    def attributes(self) -> dict[str, tuple[Field[Any], Attribute]]:
        """API name -> (dataclass field, attribute), in declaration order."""
        found: dict[str, tuple[Field[Any], Attribute]] = {}
        for each in fields(self.cls):
            attribute = each.metadata.get("api")
            if attribute is not None:
                found[attribute.name or each.name] = (each, attribute)
        return found


RESOURCES: dict[type, ResourceType] = {}
"""Every declared resource, in order of declaration."""


def resource(kind: str, collection: str, *indexes: Index) -> Callable[[type[T]], type[T]]:
    """Declare the decorated dataclass as a resource."""

    def declare(cls: type[T]) -> type[T]:
        RESOURCES[cls] = ResourceType(cls, kind, collection, indexes)
        return cls

    return declare
