"""Whether the controller writes at all, over HTTP."""

import httpx
from tests.northbound.cloud import error
from tests.northbound.conftest import MemoryStore

from overlace.model.controller import CONTROLLER, Controller

PATH = "/v2.0/overlace/controller"


async def test_given_an_operator_when_observing_is_switched_then_it_is_stored_and_shown(
    api: httpx.AsyncClient, store: MemoryStore
) -> None:
    assert (await api.get(PATH)).json() == {"controller": {"observe_only": False}}
    answer = await api.put(PATH, json={"controller": {"observe_only": True}})
    assert answer.json() == {"controller": {"observe_only": True}}
    kept = store.snapshot.get(Controller, CONTROLLER)
    assert kept is not None
    assert kept.observe_only
    await api.put(PATH, json={"controller": {"observe_only": False}})
    assert (await api.get(PATH)).json()["controller"]["observe_only"] is False


async def test_given_anything_else_when_put_then_it_is_refused_and_nothing_changes(
    api: httpx.AsyncClient, store: MemoryStore
) -> None:
    for body in ({}, {"observe_only": "yes"}, {"observe_only": True, "more": 1}, {"observe_only": None}):
        assert error(await api.put(PATH, json={"controller": body}))[0] == 400
    assert store.snapshot.get(Controller, CONTROLLER) is None
