"""Whether the controller writes at all, over HTTP."""

import httpx
from tests.northbound.cloud import error
from tests.northbound.conftest import MemoryStore

from overlace.model.controller import CONTROLLER, Controller

PATH = "/v2.0/overlace/controller"


async def test_given_an_operator_when_observing_is_switched_then_it_is_stored_and_shown(
    api: httpx.AsyncClient, store: MemoryStore
) -> None:
    assert (await api.get(PATH)).json() == {"controller": {"observe_only": False, "tunnel_port": 4789}}
    answer = await api.put(PATH, json={"controller": {"observe_only": True}})
    assert answer.json() == {"controller": {"observe_only": True, "tunnel_port": 4789}}
    kept = store.snapshot.get(Controller, CONTROLLER)
    assert kept is not None
    assert kept.observe_only
    await api.put(PATH, json={"controller": {"observe_only": False}})
    assert (await api.get(PATH)).json()["controller"]["observe_only"] is False


async def test_given_an_operator_when_tunnels_get_a_port_then_the_rest_stays_as_it_was(
    api: httpx.AsyncClient,
) -> None:
    await api.put(PATH, json={"controller": {"observe_only": True}})
    answer = await api.put(PATH, json={"controller": {"tunnel_port": 14789}})
    assert answer.json() == {"controller": {"observe_only": True, "tunnel_port": 14789}}


async def test_given_anything_else_when_put_then_it_is_refused_and_nothing_changes(
    api: httpx.AsyncClient, store: MemoryStore
) -> None:
    observing = ({"observe_only": "yes"}, {"observe_only": True, "more": 1}, {"observe_only": None})
    ports = ({"tunnel_port": each} for each in (0, 65536, -1, True, "4789", 4789.0, None))
    for body in ({}, *observing, *ports):
        assert error(await api.put(PATH, json={"controller": body}))[0] == 400
    assert store.snapshot.get(Controller, CONTROLLER) is None
