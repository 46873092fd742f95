"""Procedures to look at. They are begun and aborted by `procedure_api`."""

from collections.abc import Callable
from typing import Any, NoReturn

from overlace.model.declaration import Attribute
from overlace.model.procedure import Procedure
from overlace.model.site import Host
from overlace.northbound.errors import Forbidden
from overlace.northbound.resources.base import Operation, Resource
from overlace.northbound.schema.attributes import Computed, Perspective


def _word(name: str) -> Computed:
    return Computed(Attribute(), lambda procedure, _: getattr(procedure, name).value)


def _site(host_of: Callable[[Procedure], str]) -> Computed:
    def show(procedure: Procedure, seen: Perspective) -> str | None:
        host = seen.reader.get(Host, host_of(procedure))
        return None if host is None else host.site_id

    return Computed(Attribute(filter=False, sort=False), show)


class Procedures(Resource[Procedure]):
    """A project sees its own, with sites for hosts."""

    cls = Procedure
    path = "overlace/procedures"
    filter_indexes = {"machine_id": "machine", "project_id": "project", "parent": "parent"}
    computed = {
        "kind": _word("kind"),
        "mode": _word("mode"),
        "state": _word("state"),
        "step": _word("step"),
        "from_site": _site(lambda procedure: procedure.from_host),
        "to_site": _site(lambda procedure: procedure.to_host),
        "progress": Computed(
            Attribute(filter=False, sort=False),
            lambda procedure, seen: seen.views.procedures.procedure_progress(procedure.id),
        ),
        "problem": Computed(
            Attribute(filter=False, sort=False, admin_view=True),
            lambda procedure, seen: seen.views.procedures.procedure_problem(procedure.id),
        ),
    }

    def create(self, operation: Operation, given: dict[str, Any]) -> NoReturn:  # noqa: ARG002
        """Refused."""
        raise Forbidden("(rule:create_procedure)")

    def update(self, operation: Operation, value: Procedure, given: dict[str, Any]) -> NoReturn:  # noqa: ARG002
        """Refused."""
        raise Forbidden("(rule:update_procedure)")

    def delete(self, operation: Operation, value: Procedure) -> NoReturn:  # noqa: ARG002
        """Refused: what was done stays told."""
        raise Forbidden("(rule:delete_procedure)")
