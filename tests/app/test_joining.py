"""Joining over TLS in a laboratory: the printed scripts on hosts as Debian starts them, a real controller."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tools.demo import Cloud, until

from overlace.lab.description import decode_topology
from overlace.lab.execution import Completed
from overlace.lab.lab import Lab

pytestmark = pytest.mark.lab

SITE = "{underlay: ipv4, sites: [{name: site-a, ipv4: 10.1.0.0/24, hosts: [h1, h2, h3]}]}"
BRIDGE = "br-overlace"


class Site:
    """A laboratory of three hosts with a controller, of which h1 and h4's red1 and red4 are joined by TLS."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.lab = cloud.lab

    def overlace(self, *words: str, given: str | None = None) -> str:
        """The `overlace` command as the operator of the controller types it."""
        command = [f"{Path(sys.executable).parent}/overlace", *words, "--pki", f"{self.cloud.directory}/pki"]
        done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def join_script(self, host: str, *more: str) -> str:
        return self.overlace(
            "join", host, "--controller", str(self.lab.controller_address), "--datapath", "netdev", *more
        )

    def run(self, host: str, script: str) -> Completed:
        return self.lab.host_run(host, ["sh"], stdin=script, check=False)

    def vsctl(self, host: str, *words: str) -> str:
        return self.lab.host_run(host, ["ovs-vsctl", *words]).stdout.strip()

    def connected(self, host: str) -> bool:
        return bool(self.cloud.switch(host).get("acknowledged"))

    def configuration(self, host: str) -> str:
        """What is configured in the host's Open vSwitch."""
        columns = {
            "Open_vSwitch": "bridges,manager_options,ssl,external_ids",
            "Bridge": "name,controller,fail_mode,datapath_type,other_config,protocols,ports",
            "SSL": "_uuid,private_key,certificate,ca_cert",
            "Controller": "_uuid,target",
            "Manager": "_uuid,target",
        }
        return "\n".join(
            self.vsctl(host, f"--columns={each}", "list", table) for table, each in columns.items()
        )

    def log(self) -> str:
        return (self.cloud.directory / "controller.log").read_text()

    def certificates(self) -> dict[str, dict[str, Any]]:
        return {each["subject"]: each for each in json.loads(self.overlace("pki", "list", "--json"))}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with (
        tempfile.TemporaryDirectory(prefix="ovl-") as directory,
        Lab.up(decode_topology(SITE), "pkijoin") as lab,
    ):
        cloud = Cloud(lab, Path(directory))
        try:
            cloud.start()
            cloud.api("POST", "/v2.0/overlace/sites", {"site": {"id": "site-a", "mtu": 1600}})
            for name in ("h1", "h2", "h3"):
                endpoints = [{"address": str(lab.host(name).endpoints[0])}]
                cloud.api(
                    "POST",
                    "/v2.0/overlace/hosts",
                    {"host": {"id": name, "site_id": "site-a", "endpoints": endpoints}},
                )
            yield Site(cloud)
        finally:
            cloud.kill()


def test_a_host_joins_and_running_the_script_again_changes_nothing(site: Site) -> None:
    # given a manager of somebody else
    site.vsctl("h1", "set-manager", "ptcp:6639:127.0.0.1")
    script = site.join_script("h1")

    # when the script runs
    done = site.run("h1", script)

    # then the host comes up over TLS, and the other manager is still there
    assert done.status == 0, done.stderr
    until(lambda: site.connected("h1"), "h1 does not connect", 20)
    managers = site.vsctl("h1", "get-manager").split()
    assert managers == ["ptcp:6639:127.0.0.1", f"ssl:{site.lab.controller_address}:6640"]
    assert site.certificates()["host:h1"]["validity"] == "valid"

    # and again: its token is spent, but it has all that it needs
    before = (site.configuration("h1"), site.certificates()["host:h1"]["serial"])
    again = site.run("h1", script)
    assert again.status == 0, again.stderr
    assert (site.configuration("h1"), site.certificates()["host:h1"]["serial"]) == before
