"""Receipts of moves, for the project whose port moved."""

from typing import Any, NoReturn

from overlace.model.declaration import Attribute
from overlace.model.move import Move
from overlace.northbound.errors import Forbidden
from overlace.northbound.resources.base import Operation, Resource
from overlace.northbound.schema.attributes import Computed


class Moves(Resource[Move]):
    """Read only: moves are made by bindings."""

    cls = Move
    path = "overlace/moves"
    admin_writes = True
    filter_indexes = {"port_id": "port", "project_id": "project"}
    computed = {
        "id": Computed(Attribute(), lambda move, _: move.id),
        "state": Computed(Attribute(), lambda move, _: move.state.value),
        "prepared_by": Computed(Attribute(), lambda move, _: move.prepared_by.value),
        "activated_by": Computed(Attribute(), lambda move, _: move.activated_by.value or None),
    }

    def create(self, operation: Operation, given: dict[str, Any]) -> NoReturn:  # noqa: ARG002
        """Refused."""
        raise Forbidden("(rule:create_move)")

    def delete(self, operation: Operation, value: Move) -> NoReturn:  # noqa: ARG002
        """Refused."""
        raise Forbidden("(rule:delete_move)")
