"""The schema of one resource: what may be sent, how it is converted, and what is shown to whom."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from sys import intern
from typing import Any

from overlace.model.declaration import UNSPECIFIED, Attribute, ResourceType
from overlace.northbound.auth.caller import Caller
from overlace.northbound.conversion import KINDS
from overlace.northbound.errors import BadRequest, Forbidden
from overlace.northbound.intents import Reader
from overlace.northbound.views import Views


@dataclass(frozen=True, slots=True)
class Perspective:
    """What a value is shown with: the state around it, and what the rest of the process knows."""

    reader: Reader
    views: Views


Show = Callable[[Any, Perspective], Any]


@dataclass(frozen=True, slots=True)
class Computed:
    """An attribute that no field holds; `show` None means it is only ever sent."""

    attribute: Attribute
    show: Show | None = None


def _field_show(name: str, kind: str) -> Show:
    get, render = attrgetter(name), KINDS[kind].render
    return lambda value, _: render(get(value))


class Schema:
    """The attributes of a resource in API words; `tenant_id` stands beside every `project_id`."""

    def __init__(self, declared: ResourceType, computed: Mapping[str, Computed]) -> None:
        self.kind = declared.kind
        self.attributes: dict[str, Attribute] = {}
        self.fields: dict[str, str] = {}
        self._shows: dict[str, Show] = {}
        for name, (field, attribute) in declared.attributes().items():
            self._add(name, attribute, _field_show(field.name, attribute.kind))
            self.fields[name] = field.name
            if name == "project_id":
                self._add("tenant_id", attribute, self._shows[name])
        for name, each in computed.items():
            self._add(name, each.attribute, each.show)
        self._all = [(n, s) for n, s in self._shows.items() if self.attributes[n].visible]
        self._public = [(n, s) for n, s in self._all if not self.attributes[n].admin_view]

    def _add(self, name: str, attribute: Attribute, show: Show | None) -> None:
        self.attributes[name] = attribute
        self._shows.pop(name, None)
        if show is not None:
            self._shows[name] = show

    def show(
        self, value: Any, seen: Perspective, caller: Caller, fields: Iterable[str] = ()
    ) -> dict[str, Any]:
        """The JSON object of a value, for this caller, with all or the named attributes."""
        shows = self._all if caller.is_admin else self._public
        wanted = set(fields)
        return {name: show(value, seen) for name, show in shows if not wanted or name in wanted}

    def show_public(self, value: Any, seen: Perspective) -> dict[str, Any]:
        """The JSON object of a value as everyone sees it who sees it at all."""
        return {name: show(value, seen) for name, show in self._public}

    def known(self, name: str, caller: Caller) -> Show | None:
        """How this caller gets to know an attribute, be it only by filtering; None when not at all."""
        if name in self.attributes and self.attributes[name].admin_view and not caller.is_admin:
            return None
        return self._shows.get(name)

    def for_create(self, given: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        """Converted values of a create request, with the defaults of what was omitted."""
        self._refuse_unknown(given)
        parsed = self._converted(given, caller, "POST")
        for name, attribute in self.attributes.items():
            if attribute.post and name not in given:
                if attribute.required:
                    raise BadRequest(f"Failed to parse request. Required attribute '{name}' not specified")
                if attribute.default is not UNSPECIFIED:
                    parsed[name] = KINDS[attribute.kind].parse(attribute.default)
        parsed["project_id"] = self._project(given, caller)
        parsed.pop("tenant_id", None)
        return parsed

    def for_update(self, given: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        """Converted values of an update request, only of what was sent."""
        self._refuse_unknown(given)
        return self._converted(given, caller, "PUT")

    def _refuse_unknown(self, given: Mapping[str, Any]) -> None:
        if unknown := [name for name in given if name not in self.attributes]:
            raise BadRequest(f"Unrecognized attribute(s) '{', '.join(unknown)}'")

    def _converted(self, given: Mapping[str, Any], caller: Caller, method: str) -> dict[str, Any]:
        parsed: dict[str, Any] = {}
        for name, value in given.items():
            attribute = self.attributes[name]
            if not (attribute.post if method == "POST" else attribute.put):
                raise BadRequest(f"Attribute '{name}' not allowed in {method}")
            parsed[name] = self._convert(name, attribute, value)
            if attribute.admin_only and not caller.is_admin and not self._is_default(attribute, parsed[name]):
                verb = "create" if method == "POST" else "update"
                raise Forbidden(f"(rule:{verb}_{self.kind}:{name})")
        return parsed

    @staticmethod
    def _convert(name: str, attribute: Attribute, value: Any) -> Any:
        try:
            return KINDS[attribute.kind].parse(value)
        except ValueError as reason:
            raise BadRequest(f"Invalid input for {name}. Reason: {reason}.") from None

    @staticmethod
    def _is_default(attribute: Attribute, value: Any) -> bool:
        return attribute.default is not UNSPECIFIED and value == attribute.default

    @staticmethod
    def _project(given: Mapping[str, Any], caller: Caller) -> str:
        project, tenant = given.get("project_id"), given.get("tenant_id")
        if project and tenant and project != tenant:
            raise BadRequest("'project_id' and 'tenant_id' do not match")
        chosen = project or tenant or caller.project_id
        if chosen != caller.project_id and not caller.is_admin:
            raise BadRequest(
                "Specifying 'project_id' other than the authenticated project in request requires admin privileges"
            )  # noqa: E501
        return intern(str(chosen))
