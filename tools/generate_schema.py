"""Write the public attribute definitions of the networking API as JSON.

`make schema` runs it with the interpreter of the conformance tests, which has neutron-lib; the project's own
environment never has. What neutron-lib does not describe as data (security groups, quotas) is not in it.

The output maps an extension's alias to its name, description, date and the attributes that it adds to each
collection. The server serves extension texts from it and the tests compare our declarations with it.
"""

import importlib
import json
import pkgutil
import sys
from pathlib import Path
from typing import Any

from neutron_lib import constants
from neutron_lib.api import definitions

UNSPECIFIED = "<unspecified>"


def main(target: Path) -> None:
    """Collect every definition module and write the result."""
    extensions = {alias: record for alias, record in map(describe, modules()) if alias}
    target.write_text(json.dumps(extensions, indent=1, sort_keys=True) + "\n")


def modules() -> list[Any]:
    """All modules of neutron_lib.api.definitions that describe an extension."""
    names = [found.name for found in pkgutil.iter_modules(definitions.__path__)]
    loaded = [importlib.import_module(f"neutron_lib.api.definitions.{name}") for name in sorted(names)]
    return [module for module in loaded if getattr(module, "ALIAS", None)]


def describe(module: Any) -> tuple[str, dict[str, Any]]:
    """One extension as plain values."""
    resources = {**module.RESOURCE_ATTRIBUTE_MAP}
    for collection, attributes in (
        getattr(module, "SUB_RESOURCE_ATTRIBUTE_MAP", {}).items()
        if getattr(module, "SUB_RESOURCE_ATTRIBUTE_MAP", None)
        else ()
    ):
        resources.setdefault(collection, attributes.get("parameters", attributes))
    record = {
        "name": module.NAME,
        "description": module.DESCRIPTION,
        "updated": module.UPDATED_TIMESTAMP,
        "resources": {name: attributes_of(given) for name, given in resources.items()},
    }
    return module.ALIAS, record


def attributes_of(given: dict[str, Any]) -> dict[str, Any]:
    """The attributes of one collection, reduced to what a client can notice."""
    return {name: attribute_of(each) for name, each in given.items() if isinstance(each, dict)}


def attribute_of(given: dict[str, Any]) -> dict[str, Any]:
    """What may be sent, what comes back, and what stands for an omitted value."""
    reduced: dict[str, Any] = {
        "post": bool(given.get("allow_post")),
        "put": bool(given.get("allow_put")),
        "visible": bool(given.get("is_visible")),
        "required": bool(given.get("allow_post")) and "default" not in given,
    }
    if "default" in given:
        reduced["default"] = plain(given["default"])
    return reduced


def plain(value: Any) -> Any:
    """JSON for a default, with neutron-lib's sentinel spelled out."""
    if value is constants.ATTR_NOT_SPECIFIED:
        return UNSPECIFIED
    if value is None or isinstance(value, (bool, int, str, list, dict)):
        return value
    return str(value)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
