"""Given a controller whose network no longer fits the underlay, then the commands say so."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from tests.cli.controller import Controller, serving

from overlace.cli.main import main


@pytest.fixture(scope="module")
def controller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Controller]:
    directory: Path = tmp_path_factory.mktemp("underlay")
    with serving(directory) as controller:
        yield controller


def told(controller: Controller, line: str) -> str:
    result = CliRunner().invoke(main, line.split(), env={"OVERLACE_API_URL": controller.url})
    assert result.exit_code == 0, result.output
    return result.output


def test_what_is_wrong_is_told_with_its_cure(controller: Controller) -> None:
    assert told(controller, "underlay alarms") == "nothing is wrong\n"
    with httpx.Client(base_url=f"{controller.url}/v2.0") as client:
        client.post("/overlace/sites", json={"site": {"id": "tokyo", "mtu": 1600}}).raise_for_status()
        client.post("/networks", json={"network": {"name": "wide", "mtu": 1550}}).raise_for_status()
        client.put("/overlace/sites/tokyo", json={"site": {"mtu": 1500}}).raise_for_status()
        refused = client.post("/networks", json={"network": {"name": "wider", "mtu": 1451}})
    assert "maximum is 1450 (site tokyo carries packets of 1500 bytes" in refused.text
    text = told(controller, "underlay alarms")
    assert text.startswith("network too wide: network wide (")
    assert "has MTU 1550, the most that reaches every host is 1450" in text
    (alarm,) = json.loads(told(controller, "underlay alarms --json"))
    assert alarm["kind"] == "network too wide"
    assert json.loads(told(controller, "underlay alarms --host h1 --json")) == []


@pytest.mark.parametrize("what", ["liveness", "paths"])
def test_without_hosts_there_is_nothing_to_show(controller: Controller, what: str) -> None:
    assert json.loads(told(controller, f"underlay {what} --json")) == []
    assert told(controller, f"underlay {what}").split()[0] in ("host", "source")


def test_the_tunnels_udp_port_is_shown_and_set(controller: Controller) -> None:
    assert told(controller, "underlay show") == "tunnels use UDP port 4789\n"
    said = told(controller, "underlay set --tunnel-port 14789")
    assert said == "tunnels of all hosts use UDP port 14789 from now on\n"
    assert json.loads(told(controller, "underlay show --json")) == {"tunnel_port": 14789}
    assert json.loads(told(controller, "underlay set --tunnel-port 4789 --json")) == {"tunnel_port": 4789}


@pytest.mark.parametrize("number", ["0", "65536", "many"])
def test_what_is_no_udp_port_is_refused(controller: Controller, number: str) -> None:
    result = CliRunner().invoke(
        main,
        ["underlay", "set", "--tunnel-port", number],
        env={"OVERLACE_API_URL": controller.url},
    )
    assert result.exit_code == 2
    assert "--tunnel-port" in result.output
    refused = httpx.put(
        f"{controller.url}/v2.0/overlace/controller", json={"controller": {"tunnel_port": number}}
    )
    assert refused.status_code == 400
    assert "tunnel_port" in refused.text
    assert told(controller, "underlay show") == "tunnels use UDP port 4789\n"
