"""Joining over TLS in a laboratory: the printed scripts on hosts as Debian starts them, a real controller."""

import json
import re
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tools.cloud import Cloud, until
from tools.host_state import state_of

from overlace.cli.main import main
from overlace.lab.description import decode_topology
from overlace.lab.execution import Completed
from overlace.lab.lab import Lab
from overlace.lab.namespace import entered

pytestmark = pytest.mark.lab

SITE = "{underlay: ipv4, sites: [{name: site-a, ipv4: 10.1.0.0/24, hosts: [h1, h2, h3]}]}"
REQUEST = (
    "openssl genpkey -algorithm RSA -out their.key 2>/dev/null && "
    "openssl req -new -key their.key -subj /CN={subject} -out their.csr"
)


class Site:
    """Three hosts and a controller; none of which has joined yet."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.lab = cloud.lab

    def overlace(self, *words: str, given: str | None = None) -> str:
        """The `overlace` command as the operator of the controller types it."""
        done = self.command(*words, given=given)
        assert done.exit_code == 0, done.stderr
        return done.stdout

    def command(self, *words: str, given: str | None = None) -> Result:
        environment = {"OVERLACE_PKI": f"{self.cloud.directory}/pki"}
        return CliRunner().invoke(main, words, input=given, env=environment)

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

    def sessions(self, host: str) -> set[str]:
        """The connections that the host's Open vSwitch has now, by their local ports."""
        listed = self.lab.host_run(host, ["ss", "-Htn", "state", "established"]).stdout
        rows = [line.split() for line in listed.splitlines()]
        return {local for *_, local, peer in rows if peer.endswith((":6653", ":6640"))}

    def found(self) -> dict[str, str]:
        """What the doctor has seen of h3, by kind."""
        findings = self.cloud.api("GET", "/v2.0/overlace/doctor")["findings"]
        return {each["kind"]: each["seen"] for each in findings if each["about"] == "h3"}

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


def test_a_token_is_good_once_and_for_one_name(site: Site) -> None:
    script = site.join_script("h2")

    # another host's name in the script is not what the token is for
    stolen = script.replace("NAME=h2", "NAME=h3").replace("SUBJECT=host:h2", "SUBJECT=host:h3")
    refused = site.run("h3", stolen)
    assert refused.status != 0
    assert "the token is for host:h2, not for host:h3" in refused.stderr
    assert site.vsctl("h3", "list-br") == site.lab.node("h3").own_bridge
    assert site.vsctl("h3", "get-ssl") == ""

    # the host it is for uses it, and then it is spent, also for that host
    assert site.run("h2", script).status == 0
    until(lambda: site.connected("h2"), "h2 does not connect", 20)
    site.vsctl("h2", "del-ssl")
    site.lab.host_run(
        "h2", ["rm", "-r", f"{site.lab.node('h2').environment['OVS_SYSCONFDIR']}/openvswitch/overlace"]
    )
    again = site.run("h2", script)
    assert again.status != 0
    assert "the token was used at" in again.stderr
    assert "print a new script with: overlace join h2" in again.stderr
    assert "enrolment refused" in site.log()
    assert site.run("h2", site.join_script("h2")).status == 0


def test_a_script_for_another_does_not_replace_who_a_host_is(site: Site) -> None:
    before = site.configuration("h1")
    scripts = {
        site.join_script("h3"): "joined as h1 already",
        site.join_script("t1", "--transit", "--bridge", "br-overlace"): "has a controller already",
        site.join_script("t1", "--transit", "--bridge", "br-new"): "there is no bridge br-new",
        site.overlace("pki", "renew", "h3"): "this machine is host:h1 already, not host:h3",
    }
    for script, why in scripts.items():
        refused = site.run("h1", script)
        assert refused.status != 0
        assert why in refused.stderr
    assert site.configuration("h1") == before


def test_a_transit_switch_joins_with_its_bridge_and_leaves_it_as_it_was(site: Site) -> None:
    bridge = ("add-br", "br-fabric", "--", "set", "Bridge", "br-fabric", "datapath_type=netdev")
    site.vsctl("h3", *bridge)
    joined = site.run("h3", site.join_script("t1", "--transit", "--bridge", "br-fabric"))
    assert joined.status == 0, joined.stderr
    assert site.vsctl("h3", "get-controller", "br-fabric") == f"ssl:{site.lab.controller_address}:6653"
    assert site.vsctl("h3", "get-manager") == ""
    until(lambda: "unknown switch connected" in site.log(), "the bridge does not call", 20)

    assert site.run("h3", site.overlace("leave", "t1")).status == 0
    assert site.vsctl("h3", "get-controller", "br-fabric") == ""
    assert site.vsctl("h3", "get-ssl") == ""
    site.vsctl("h3", "del-br", "br-fabric")
    site.overlace("pki", "revoke", "switch:t1")


def test_a_host_that_joined_with_another_bridge_than_it_was_added_with_is_told_apart(site: Site) -> None:
    assert site.run("h3", site.join_script("h3", "--bridge", "br-other")).status == 0
    until(lambda: "bridge_missing" in site.found(), f"it is not named: {site.found()}", 20)
    assert "h3 has no bridge br-overlace, but br-other of Overlace's" in site.found()["bridge_missing"]
    assert "switch_half_connected" not in site.found()
    assert site.run("h3", site.overlace("leave", "h3")).status == 0


def test_a_host_that_joined_in_plaintext_goes_over_to_tls(site: Site) -> None:
    assert site.run("h3", site.join_script("h3", "--plaintext")).status == 0
    address = site.lab.controller_address
    assert site.vsctl("h3", "get-manager") == f"tcp:{address}:6640"
    assert site.run("h3", site.join_script("h3")).status == 0
    assert site.vsctl("h3", "get-manager") == f"ssl:{address}:6640"
    assert site.vsctl("h3", "get-controller", "br-overlace") == f"ssl:{address}:6653"
    assert site.run("h3", site.overlace("leave", "h3")).status == 0


def test_an_expired_token_is_refused_with_the_cure(site: Site) -> None:
    script = site.join_script("h3", "--valid-for", "1s")
    time.sleep(1.1)
    refused = site.run("h3", script)
    assert refused.status != 0
    assert "the token expired at" in refused.stderr
    assert "overlace join h3" in refused.stderr


def test_what_somebody_else_has_set_up_is_not_touched(site: Site) -> None:
    # given a bridge of the name that is another's
    site.vsctl("h3", "add-br", "br-theirs", "--", "set", "Bridge", "br-theirs", "datapath_type=netdev")
    before = site.configuration("h3")
    refused = site.run("h3", site.join_script("h3", "--bridge", "br-theirs"))
    assert refused.status != 0
    assert "bridge br-theirs exists and is not Overlace's" in refused.stderr
    assert site.configuration("h3") == before

    # and a TLS identity that is another's
    site.vsctl("h3", "set-ssl", "/their/key", "/their/certificate", "/their/authority")
    before = site.configuration("h3")
    refused = site.run("h3", site.join_script("h3"))
    assert refused.status != 0
    assert "can have only one" in refused.stderr
    assert "--plaintext" in refused.stderr
    assert site.configuration("h3") == before
    site.vsctl("h3", "del-ssl", "--", "del-br", "br-theirs")


def test_a_tls_identity_of_another_that_will_do_is_shared(site: Site) -> None:
    # given an identity that somebody else set, with a certificate of ours and an authority file that knows ours
    directory = site.lab.node("h3").directory
    site.lab.host_run("h3", ["sh", "-c", f"cd {directory} && {REQUEST.format(subject='host:h3')}"])
    request = (directory / "their.csr").read_text()
    (directory / "their.pem").write_text(site.overlace("pki", "sign", "h3", given=request))
    (directory / "their-ca.pem").write_text(site.overlace("pki", "trust"))
    site.vsctl("h3", "set-ssl", *(f"{directory}/their{each}" for each in (".key", ".pem", "-ca.pem")))
    before = site.vsctl("h3", "get-ssl")

    # when the host joins, then it uses that, and leaves it there when it leaves
    assert site.run("h3", site.join_script("h3")).status == 0
    assert site.vsctl("h3", "get-ssl") == before
    until(lambda: site.connected("h3"), "h3 does not connect", 20)
    assert site.run("h3", site.overlace("leave", "h3")).status == 0
    assert site.vsctl("h3", "get-ssl") == before
    assert site.vsctl("h3", "list-br") == site.lab.node("h3").own_bridge
    site.vsctl("h3", "del-ssl")


def test_leaving_takes_exactly_our_things_away(site: Site) -> None:
    site.vsctl("h3", "set-manager", "ptcp:6639:127.0.0.1")
    before = state_of(site.lab, "h3")
    assert site.run("h3", site.join_script("h3")).status == 0
    until(lambda: site.connected("h3"), "h3 does not connect", 20)
    assert state_of(site.lab, "h3") != before

    left = site.run("h3", site.overlace("leave", "h3"))

    assert left.status == 0, left.stderr
    # not a row, a column or a file is another than before, in the whole database
    assert state_of(site.lab, "h3") == before
    # once more is no harm, and another host's script is refused
    assert site.run("h3", site.overlace("leave", "h3")).status == 0
    assert site.run("h1", site.overlace("leave", "h3")).status != 0


def test_an_identity_that_another_has_come_to_use_stays_until_it_does_no_more(site: Site) -> None:
    assert site.run("h3", site.join_script("h3")).status == 0
    site.vsctl("h3", "set-manager", f"ssl:{site.lab.controller_address}:6640", "ssl:192.0.2.9:6640")
    left = site.run("h3", site.overlace("leave", "h3"))
    assert "other connections of Open vSwitch use the TLS identity" in left.stderr
    assert "key.pem" in site.vsctl("h3", "get-ssl")

    site.vsctl("h3", "del-manager")
    assert site.run("h3", site.overlace("leave", "h3")).status == 0
    assert site.vsctl("h3", "get-ssl") == ""


def test_a_host_joins_without_a_token_by_hand(site: Site) -> None:
    script = site.join_script("h3", "--offline")
    stopped = site.run("h3", script)
    assert stopped.status == 0
    assert stopped.stdout.startswith("-----BEGIN CERTIFICATE REQUEST-----")
    assert site.run("h3", script).stdout == stopped.stdout
    assert site.vsctl("h3", "get-ssl") == ""

    certificate = site.overlace("pki", "sign", "h3", given=stopped.stdout)
    (site.lab.node("h3").directory / "etc/openvswitch/overlace/certificate.new").write_text(certificate)
    assert site.run("h3", script).status == 0
    until(lambda: site.connected("h3"), "h3 does not connect", 20)


def test_a_revoked_host_is_cut_off_by_name_and_may_join_again(site: Site) -> None:
    until(lambda: site.connected("h2"), "h2 is not there", 20)
    site.overlace("pki", "revoke", "h2")
    until(lambda: not site.connected("h2"), "h2 stays connected", 20)
    until(lambda: "the certificate of host:h2 was revoked" in site.log(), "it is not said", 20)
    assert site.connected("h1")
    assert site.certificates()["host:h2"]["validity"] == "revoked"

    assert site.run("h2", site.join_script("h2")).status == 0
    until(lambda: site.connected("h2"), "h2 does not come back", 30)


def test_authorities_roll_over_while_everything_stays_connected(site: Site) -> None:
    hosts = ("h1", "h2", "h3")
    until(lambda: all(len(site.sessions(each)) == 2 for each in hosts), "not all are there", 30)
    site.cloud.tenant("red")
    for number, host in enumerate(hosts, 1):
        port = site.cloud.port(f"red{number}", 10 + number)
        site.cloud.workload(f"red{number}", host, 10 + number, port["id"])
    until(lambda: all(site.cloud.status(each) == "ACTIVE" for each in site.cloud.ports), "ports are down", 30)
    traffic = site.lab.popen("red1", ["ping", "-i", "0.2", "-W", "2", "192.168.0.13"])
    before = {each: site.sessions(each) for each in hosts}

    # both authorities are trusted, and it cannot be ended while hosts would be cut off
    site.overlace("pki", "rollover", "begin")
    refused = site.command("pki", "rollover", "finish")
    assert refused.exit_code != 0
    assert "host:h1, host:h2, host:h3" in refused.stderr

    # hosts are renewed one by one
    for each in hosts:
        renewed = site.run(each, site.overlace("pki", "renew", each))
        assert renewed.status == 0, renewed.stderr
    assert json.loads(site.overlace("pki", "rollover", "status", "--json"))["remaining"] == []
    site.overlace("pki", "rollover", "finish")
    certificates = site.certificates()
    assert "authority:1" not in certificates
    holders = ("controller:overlace", *(f"host:{each}" for each in hosts))
    assert {certificates[each]["authority"] for each in holders} == {2}
    assert {each: site.sessions(each) for each in hosts} == before

    traffic.send_signal(signal.SIGINT)
    sent, answered = map(
        int, re.findall(r"(\d+) packets transmitted, (\d+) received", traffic.communicate()[0])[0]
    )
    assert answered > sent / 2 > 1

    # and a controller that starts anew is taken by all of them, which show their new certificates
    site.cloud.kill()
    site.cloud.start()
    until(lambda: all(site.connected(each) for each in hosts), "not all come back", 40)


def test_bytes_that_are_no_tls_harm_nobody(site: Site) -> None:
    sessions = site.sessions("h1")
    for port in (6653, 6640, 6655):
        for text in (b"GET / HTTP/1.1\r\n\r\n", b"\x06\x00\x00\x08\0\0\0\0", bytes(range(256)) * 80, b""):
            with entered(site.lab.controller_namespace):
                stranger = socket.create_connection((str(site.lab.controller_address), port), timeout=5)
            with stranger:
                stranger.sendall(text)
                stranger.shutdown(socket.SHUT_WR)
                while stranger.recv(4096):
                    pass
    until(lambda: "it does not speak TLS" in site.log(), "it is not said", 10)
    assert site.connected("h1")
    assert site.sessions("h1") == sessions
