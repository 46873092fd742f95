"""Bindings to look at: which port is on which host, in what state of a move."""

from typing import Any, NoReturn

from overlace.model.declaration import Attribute
from overlace.model.port import Binding
from overlace.northbound.conversion.scalars import render_timestamp
from overlace.northbound.errors import Forbidden
from overlace.northbound.resources.base import Operation, Resource
from overlace.northbound.schema.attributes import Computed, Show


def _shown(name: str) -> Computed:
    show: Show = lambda binding, _: getattr(binding, name)  # noqa: E731
    return Computed(Attribute(), show)


class Bindings(Resource[Binding]):
    """Read only: bindings are made by ports and moves."""

    cls = Binding
    path = "overlace/bindings"
    admin_writes = True
    filter_indexes = {"port_id": "port", "host_id": "host"}
    computed = {
        "id": _shown("id"),
        "port_id": _shown("port_id"),
        "network_id": _shown("network_id"),
        "host_id": _shown("host_id"),
        "state": Computed(Attribute(), lambda binding, _: binding.state.value),
        "generation": _shown("generation"),
        "zone": _shown("zone"),
        "since": Computed(Attribute(), lambda binding, _: render_timestamp(binding.since)),
        "reason": _shown("reason"),
    }

    def create(self, operation: Operation, given: dict[str, Any]) -> NoReturn:  # noqa: ARG002
        """Refused."""
        raise Forbidden("(rule:create_binding)")

    def delete(self, operation: Operation, value: Binding) -> NoReturn:  # noqa: ARG002
        """Refused."""
        raise Forbidden("(rule:delete_binding)")
