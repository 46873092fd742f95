"""One declaration a resource: kinds, collections and API words are unique."""

from dataclasses import fields

import pytest

from overlace.model import (
    controller,
    identity,
    machine,
    move,
    network,
    policy,
    port,
    procedure,
    replica,
    site,
    trail,
)
from overlace.model.declaration import RESOURCES

MODULES = (controller, identity, machine, move, network, policy, port, procedure, replica, site, trail)
"""Importing them declares the resources."""


def test_every_module_declares_something() -> None:
    assert {cls.__module__ for cls in RESOURCES} == {each.__name__ for each in MODULES}


def test_kinds_and_collections_are_unique() -> None:
    assert len({each.kind for each in RESOURCES.values()}) == len(RESOURCES)
    assert len({each.collection for each in RESOURCES.values()}) == len(RESOURCES)


@pytest.mark.parametrize("cls", list(RESOURCES), ids=lambda cls: cls.__name__)
def test_every_api_word_stands_for_one_field(cls: type) -> None:
    declared = [each for each in fields(cls) if "api" in each.metadata]
    attributes = RESOURCES[cls].attributes()
    assert [field.name for field, _ in attributes.values()] == [each.name for each in declared]


def test_the_apis_word_may_differ_from_the_fields() -> None:
    attributes = RESOURCES[network.Network].attributes()
    assert attributes["router:external"][0].name == "external"
    assert "key" not in attributes
