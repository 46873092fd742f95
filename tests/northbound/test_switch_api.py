"""The switches, and what an operator may ask of one."""

import httpx
import pytest
from tests.northbound.cloud import error
from tests.northbound.conftest import StillWorld

SWITCHES = "/v2.0/overlace/switches"


async def test_given_switches_when_listed_and_shown_then_they_say_how_they_are(
    api: httpx.AsyncClient, world: StillWorld
) -> None:
    world.alive |= {"h1", "h2"}
    shown = (await api.get(SWITCHES)).json()["switches"]
    assert [(each["name"], each["phase"]) for each in shown] == [("h1", "in_sync"), ("h2", "in_sync")]
    assert (await api.get(f"{SWITCHES}/h2")).json()["switch"]["name"] == "h2"
    assert error(await api.get(f"{SWITCHES}/h3")) == (404, "SwitchNotFound")


@pytest.mark.parametrize(
    ("word", "asked"),
    [
        ("resync", "resynchronise"),
        ("audit", "audit"),
        ("adopt", "adopt"),
        ("allow-removal", "allow_removal"),
    ],
)
async def test_given_an_operation_when_asked_for_then_that_switch_does_it(
    api: httpx.AsyncClient, world: StillWorld, word: str, asked: str
) -> None:
    world.alive |= {"h1", "h2"}
    answer = await api.post(f"{SWITCHES}/h1/{word}")
    assert answer.json()["switch"] == {"name": "h1", "phase": "comparing"}
    assert world.asked == [(asked, "h1")]
    world.busy.add("h2")
    assert error(await api.post(f"{SWITCHES}/h2/{word}")) == (409, "SwitchNotReady")


async def test_given_a_switch_when_its_difference_is_asked_for_then_it_is_read(
    api: httpx.AsyncClient, world: StillWorld
) -> None:
    world.alive |= {"h1", "h2"}
    world.busy.add("h2")
    assert (await api.get(f"{SWITCHES}/h1/difference")).json()["difference"]["name"] == "h1"
    assert error(await api.get(f"{SWITCHES}/h2/difference")) == (409, "SwitchNotReady")
    assert error(await api.get(f"{SWITCHES}/h9/difference")) == (404, "SwitchNotFound")


async def test_given_an_unknown_operation_or_switch_when_asked_for_then_nothing_is_done(
    api: httpx.AsyncClient, world: StillWorld
) -> None:
    world.alive.add("h1")
    assert error(await api.post(f"{SWITCHES}/h1/explode"))[0] == 404
    assert error(await api.post(f"{SWITCHES}/h9/adopt"))[0] == 404
    assert world.asked == []
