"""Our declarations against the public definitions of every extension that is claimed."""

import json
from importlib.resources import files
from typing import Any

import pytest

from overlace.model.declaration import UNSPECIFIED, Attribute
from overlace.northbound.application import resources
from overlace.northbound.resources.base import Resource
from overlace.northbound.schema.claims import DEFINED

BASE = ("network", "subnet", "port")
ABOVE_THE_DEFINITIONS = {
    # The public server fills these from the caller before it looks whether they are there.
    ("*", "tenant_id", "required"),
    ("*", "tenant_id", "default"),
    # A list that only comes back has no default to send.
    ("networks", "subnets", "default"),
}


def _definitions() -> dict[str, dict[str, dict[str, Any]]]:
    extensions = json.loads(files("overlace.northbound.schema").joinpath("neutron.json").read_text())
    merged: dict[str, dict[str, dict[str, Any]]] = {}
    for alias in (*BASE, *DEFINED):
        for collection, attributes in extensions[alias]["resources"].items():
            merged.setdefault(collection, {}).update(attributes)
    return merged


def _ours(attribute: Attribute) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "post": attribute.post,
        "put": attribute.put,
        "visible": attribute.visible,
        "required": attribute.required,
    }
    if attribute.post and not attribute.required:
        shown["default"] = attribute.default
    return shown


DEFINITIONS = _definitions()
CASES = [
    (resource, name)
    for resource in resources()
    if not resource.location.startswith("overlace/")  # our own, whatever the name
    for name, each in DEFINITIONS.get(resource.collection, {}).items()
    if each["post"] or each["put"] or each["visible"]
]
"""Every attribute that a client can notice."""


@pytest.mark.parametrize(
    ("resource", "name"), CASES, ids=[f"{resource.collection}:{name}" for resource, name in CASES]
)
def test_given_a_claimed_extension_when_compared_then_our_attribute_equals_its(
    resource: Resource[Any], name: str
) -> None:
    theirs = dict(DEFINITIONS[resource.collection][name])
    ours = _ours(resource.schema.attributes[name])
    for collection, attribute, property_name in ABOVE_THE_DEFINITIONS:
        if collection in ("*", resource.collection) and attribute == name:
            theirs.pop(property_name, None)
            ours.pop(property_name, None)
    if not theirs["post"]:
        theirs.pop("default", None)
    assert ours == theirs


def test_given_the_sentinel_when_defaults_are_compared_then_omitted_is_not_null() -> None:
    assert DEFINITIONS["ports"]["fixed_ips"]["default"] == UNSPECIFIED
    assert DEFINITIONS["ports"]["extra_dhcp_opts"]["default"] is None
