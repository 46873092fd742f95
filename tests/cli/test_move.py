"""Given a port that is moved by request, its receipts say from where, to where and by whom."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result
from tests.cli.controller import Controller, serving

from overlace.cli.main import main


@pytest.fixture(scope="module")
def controller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Controller]:
    directory: Path = tmp_path_factory.mktemp("controller")
    with serving(directory) as controller:
        with httpx.Client(base_url=f"{controller.url}/v2.0") as api:
            api.post("/overlace/sites", json={"site": {"id": "tokyo"}})
            for number, host in enumerate(("h1", "h2"), start=1):
                endpoints = [{"address": f"192.0.2.{number}"}]
                body = {"id": host, "site_id": "tokyo", "endpoints": endpoints}
                api.post("/overlace/hosts", json={"host": body})
            network = api.post("/networks", json={"network": {"name": "red"}}).json()["network"]["id"]
            for name in ("web", "idle"):
                port = {"name": name, "network_id": network, "binding:host_id": "h1"}
                api.post("/ports", json={"port": port})
        yield controller


def overlace(controller: Controller, line: str) -> Result:
    return CliRunner().invoke(main, line.split(), env={"OVERLACE_API_URL": controller.url})


def test_a_move_leaves_a_receipt_from_its_preparation_on(controller: Controller) -> None:
    assert "nothing has moved yet" in overlace(controller, "move list").output
    with httpx.Client(base_url=f"{controller.url}/v2.0") as api:
        port = next(each["id"] for each in api.get("/ports").json()["ports"] if each["name"] == "web")
        assert api.post(f"/ports/{port}/bindings", json={"binding": {"host": "h2"}}).status_code == 201
        assert json.loads(overlace(controller, "move show web --json").output)["state"] == "prepared"
        assert api.put(f"/ports/{port}/bindings/h2/activate").status_code == 200
        refused = api.post(f"/ports/{port}/bindings", json={"binding": {"host": "h9"}})
        assert refused.status_code == 404
    receipt = json.loads(overlace(controller, "move show web --json").output)
    assert (receipt["from_host"], receipt["to_host"], receipt["state"]) == ("h1", "h2", "activated")
    assert (receipt["prepared_by"], receipt["activated_by"]) == ("api", "api")
    assert receipt["prepared_at"] <= receipt["activated_at"]
    listed = overlace(controller, "move list").output.splitlines()
    assert ["web", "h1", "h2"] in [line.split()[:3] for line in listed]
    assert overlace(controller, "move show web").output.split()[:2] == ["port", "web"]
    assert [each["port"] for each in json.loads(overlace(controller, "move list --json").output)] == ["web"]
    assert json.loads(overlace(controller, "move list --port idle --json").output) == []
    missing = overlace(controller, "move show idle")
    assert missing.exit_code == 5 and "no such move" in missing.output
