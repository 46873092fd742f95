"""Given the unmodified `openstack` client and a real controller, when every resource is worked with, then all is well.

The client is loaded once and runs in forked children, since its start takes longer than its work.
"""

import io
import json
import multiprocessing
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from multiprocessing.connection import Connection
from typing import Any

import httpx
import pytest
import yaml
from click.testing import CliRunner
from openstackclient import shell
from tests.cli.controller import PASSWORD, Controller, bootstrap, serving

from overlace.cli.main import main

AUTHENTICATIONS = ("identity", "none")


def run_client(line: str, result: Connection) -> None:
    """Run the client's own entry point; for a process of its own, as it keeps connections and endpoints."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = shell.main(["--os-cloud", "overlace", *line.split()])
    result.send((int(status or 0), out.getvalue(), err.getvalue()))


class Client:
    """`openstack --os-cloud overlace ...`."""

    def __call__(self, line: str) -> str:
        """What it prints. It has to end well."""
        status, out, err = self.run(line)
        assert status == 0, f"openstack {line}: {err or out}"
        return out

    def run(self, line: str) -> tuple[int, str, str]:
        """Exit status, output and errors."""
        context = multiprocessing.get_context("fork")
        receiver, sender = context.Pipe(duplex=False)
        child = context.Process(target=run_client, args=(line, sender))
        child.start()
        sender.close()
        try:
            assert receiver.poll(120), f"openstack {line} does not end"
            status, out, err = receiver.recv()
            return status, out, err
        finally:
            child.kill()
            child.join()

    def json(self, line: str) -> Any:
        """What it prints for programs."""
        return json.loads(self(f"{line} -f json"))

    def names(self, line: str) -> list[str]:
        """The names in a list."""
        return [each["Name"] for each in self.json(line)]


@pytest.fixture(scope="module", params=AUTHENTICATIONS)
def controller(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Controller]:
    directory = tmp_path_factory.mktemp("controller")
    if request.param != "none":
        bootstrap(directory / "overlace.db")
    with serving(directory, "--auth", request.param) as controller:
        (directory / "clouds.yaml").write_text(yaml.safe_dump({"clouds": {"overlace": cloud(controller)}}))
        yield controller


def cloud(controller: Controller) -> dict[str, Any]:
    """The entry of clouds.yaml that docs/operations.md shows."""
    who = {"username": "admin", "password": PASSWORD}
    if "identity" in controller.options:
        return {
            "auth": {
                "auth_url": f"{controller.url}/identity/v3",
                **who,
                "project_name": "admin",
                "user_domain_id": "default",
                "project_domain_id": "default",
            }
        }
    return {"auth_type": "none", "auth": {"endpoint": controller.url}}


@pytest.fixture
def openstack(controller: Controller, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(controller.directory / "clouds.yaml"))
    return Client()


def test_networks_and_subnets(openstack: Client) -> None:
    assert openstack.json("network create red")["name"] == "red"
    openstack("subnet create --network red --subnet-range 10.0.0.0/24 v4")
    openstack("subnet create --network red --ip-version 6 --subnet-range fd00::/64 v6")
    openstack("network set --description rosy red")
    openstack("subnet set --dns-nameserver 192.0.2.53 --name four v4")
    assert openstack.json("network show red")["description"] == "rosy"
    assert openstack.json("subnet show four")["dns_nameservers"] == ["192.0.2.53"]
    assert openstack.names("network list") == ["red"]
    assert sorted(openstack.names("subnet list")) == ["four", "v6"]
    openstack("subnet delete four v6")
    openstack("network delete red")
    assert openstack.names("network list") == []


def test_ports(openstack: Client) -> None:
    openstack("network create blue")
    openstack("subnet create --network blue --subnet-range 10.0.0.0/24 v4")
    port = openstack.json("port create --network blue --fixed-ip ip-address=10.0.0.9 web")
    assert [each["ip_address"] for each in port["fixed_ips"]] == ["10.0.0.9"]
    openstack("port set --description front --tag www web")
    shown = openstack.json("port show web")
    assert (shown["description"], shown["tags"], shown["status"]) == ("front", ["www"], "DOWN")
    assert openstack.names("port list --network blue") == ["web"]
    status, _, err = openstack.run("network delete blue")
    assert status == 1
    assert "There are one or more ports still in use" in err
    openstack("port unset --tag www web")
    openstack("port delete web")
    openstack("subnet delete v4")
    openstack("network delete blue")


def test_security_groups_and_rules(openstack: Client) -> None:
    openstack("security group create web")
    openstack("security group set --description front web")
    rule = openstack.json("security group rule create --protocol tcp --dst-port 80:81 web")
    assert (rule["port_range_min"], rule["port_range_max"]) == (80, 81)
    assert openstack.json(f"security group rule show {rule['id']}")["protocol"] == "tcp"
    assert rule["id"] in [each["ID"] for each in openstack.json("security group rule list web")]
    openstack(f"security group rule delete {rule['id']}")
    assert "web" in openstack.names("security group list")
    assert openstack.json("security group show web")["description"] == "front"
    openstack("security group delete web")


def test_agents_and_extensions(openstack: Client) -> None:
    overlace("site add a")
    overlace("host add h1 --site a --endpoint 192.0.2.1")
    (agent,) = openstack.json("network agent list")
    assert (agent["Host"], agent["Agent Type"], agent["Alive"]) == ("h1", "Open vSwitch agent", False)
    openstack(f"network agent set --disable {agent['ID']}")
    assert openstack.json(f"network agent show {agent['ID']}")["admin_state_up"] is False
    assert "port-security" in [each["Alias"] for each in openstack.json("extension list --network")]
    overlace("host remove h1")
    overlace("site remove a")


def test_quotas(openstack: Client, controller: Controller) -> None:
    """Without an identity API the client stops before it asks for a quota; who has none asks over HTTP."""
    if "identity" not in controller.options:
        status, _, reason = openstack.run("quota set --networks 7 admin")
        assert (status, reason) == (
            1,
            "Service requires API version '3' but the configured version is '2'\n",
        )
        location = f"{controller.url}/v2.0/quotas/admin"
        changed = httpx.put(location, json={"quota": {"network": 7}})
        assert changed.json()["quota"]["network"] == 7
        assert httpx.get(location).json()["quota"]["network"] == 7
        assert httpx.delete(location).status_code == 204
        return
    openstack("quota set --networks 7 admin")
    limits = {each["Resource"]: each["Limit"] for each in openstack.json("quota show --network admin")}
    assert limits["networks"] == 7
    openstack("quota delete --network admin")


def overlace(line: str) -> None:
    """Overlace's own commands read the same clouds.yaml."""
    result = CliRunner().invoke(main, line.split(), env={"OS_CLOUD": "overlace"})
    assert result.exit_code == 0, result.output
