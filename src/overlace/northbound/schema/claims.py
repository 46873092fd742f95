"""The extensions of the networking API that are claimed: all of each, or it is not in this list."""

import json
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Extension:
    """An extension as the API lists it."""

    alias: str
    name: str
    description: str
    updated: str

    def shown(self) -> dict[str, object]:
        """As the API lists it."""
        return {**asdict(self), "links": []}


DEFINED = (
    "agent",
    "allowed-address-pairs",
    "binding",
    "binding-extended",
    "empty-string-filtering",
    "external-net",
    "extra_dhcp_opt",
    "ip-substring-filtering",
    "ip_allocation",
    "multi-provider",
    "net-mtu",
    "net-mtu-writable",
    "network-ip-availability",
    "pagination",
    "port-mac-address-regenerate",
    "port-security",
    "port-security-groups-filtering",
    "project-id",
    "provider",
    "quota-check-limit",
    "revision-if-match",
    "security-groups-rules-belongs-to-default-sg",
    "security-groups-shared-filtering",
    "segment",
    "sort-key-validation",
    "sorting",
    "standard-attr-segment",
    "stateful-security-group",
    "tag-creation",
    "tag-ports-during-bulk-creation",
)
"""Those whose definition is public as data (`neutron.json`)."""

_DATE = "2015-01-01T10:00:00-00:00"
BASIC = (
    Extension("security-group", "security-group", "Security groups and their rules.", _DATE),
    Extension("quotas", "Quota management support", "Limits on the resources of a project.", _DATE),
    Extension("quota_details", "Quota details management support", "Limits with their use.", _DATE),
    Extension("standard-attr-description", "standard-attr-description", "Descriptions of resources.", _DATE),
    Extension(
        "standard-attr-revisions", "Resource revision numbers", "A number that rises with each change.", _DATE
    ),
    Extension("standard-attr-tag", "Tag support", "Tags on resources, and filters by them.", _DATE),
    Extension("tag", "Tag support for resource: network", "Tags on networks.", _DATE),
    Extension("standard-attr-timestamp", "Resource timestamps", "created_at and updated_at.", _DATE),
)
"""Those that the public definitions leave out."""


@cache
def claimed() -> dict[str, Extension]:
    """Every claimed extension by alias."""
    defined = json.loads(files("overlace.northbound.schema").joinpath("neutron.json").read_text())
    found = [
        Extension(alias, defined[alias]["name"], defined[alias]["description"], defined[alias]["updated"])
        for alias in DEFINED
    ]
    return {each.alias: each for each in sorted([*found, *BASIC], key=lambda each: each.alias)}
