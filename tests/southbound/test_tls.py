"""TLS between a real Open vSwitch and the southbound: who is let in, who is refused and how that is told."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.datapath.private_switch import BRIDGE, PrivateSwitch, private_switch
from tests.pki.requests import request
from tests.southbound.flow_samples import flow
from tests.southbound.harness import LOOPBACK, Controller, RealClock, added, controller, eventually, fragment
from tests.southbound.test_with_open_vswitch import kill_vswitchd

from overlace.app.trust import Trust
from overlace.pki.authority import certificate_to_pem, new_authority
from overlace.pki.issuer import Issuer
from overlace.pki.keys import PrivateKey, key_to_pem, new_key
from overlace.pki.subject import Role, Subject
from overlace.southbound.expected import ExpectedSwitch, SwitchKind
from overlace.southbound.server import Listen

pytestmark = pytest.mark.switch

CLOCK = RealClock()
H1, H2 = Subject(Role.HOST, "h1"), Subject(Role.HOST, "h2")
EXPECTED = {name: ExpectedSwitch(SwitchKind.HOST, BRIDGE) for name in ("h1", "h2")}


@pytest.fixture
def switch() -> Iterator[PrivateSwitch]:
    """h1, its ovsdb-server with TLS configured in the database as on Debian."""
    with private_switch() as running:
        running.vsctl("set", "Open_vSwitch", ".", "external_ids:overlace-host=h1")
        add = ("ovs-appctl", "-t", "ovsdb-server", "ovsdb-server/add-remote")
        running.command(*add, "db:Open_vSwitch,Open_vSwitch,manager_options")
        yield running
        kill_vswitchd(running)


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return Issuer.create(tmp_path / "pki", CLOCK, [LOOPBACK])


@asynccontextmanager
async def serving(issuer: Issuer) -> AsyncIterator[tuple[Controller, Trust]]:
    """A southbound that speaks OpenFlow over TLS, with a plan for both hosts."""
    trust = Trust(issuer, CLOCK)
    listen = Listen(LOOPBACK, 0, trust)
    async with controller(openflow=listen) as running:
        trust.revoked = running.hub.check_certificates
        running.hub.set_expected(EXPECTED)
        for sequence, name in enumerate(EXPECTED, 1):
            running.hub.publish(added(sequence, name, fragment("network", "blue", flows=(flow(1),))))
        running.hub.plan_ready()
        yield running, trust


async def connect(switch: PrivateSwitch, running: Controller, name: str = "h1") -> None:
    """Let the switch, which is `name`'s by its datapath id, call the controller."""
    datapath_id = int(switch.vsctl("get", "Bridge", BRIDGE, "datapath_id").strip().strip('"'), 16)
    expected = dict(EXPECTED) | {name: ExpectedSwitch(SwitchKind.HOST, BRIDGE, datapath_id)}
    running.hub.set_expected(expected)
    target = f"ssl:{LOOPBACK}:{running.openflow_port}"
    await asyncio.to_thread(
        switch.vsctl,
        *("set-controller", BRIDGE, target, "--", "set", "Controller", BRIDGE, "max_backoff=1000"),
    )


def give(switch: PrivateSwitch, key: PrivateKey, certificate: str, trust: str) -> None:
    """Make this the identity of the switch; a renewal when it had one: certificate first, then the key."""
    directory = switch.directory
    for name, text in (("trust", trust), ("certificate", certificate), ("key", key_to_pem(key).decode())):
        (directory / f"{name}.new").write_text(text)
        (directory / f"{name}.new").rename(directory / f"{name}.pem")
    paths = [f"{directory}/{name}.pem" for name in ("key", "certificate", "trust")]
    switch.vsctl("set-ssl", *paths)


def enrol(
    switch: PrivateSwitch, issuer: Issuer, subject: Subject = H1, lifetime: timedelta = timedelta(days=1)
) -> None:
    """Give the switch a certificate of the issuer."""
    key = new_key()
    issued = issuer.sign(subject, request(str(subject), key=key), lifetime)
    give(switch, key, issued.certificate, issuer.directory.read().trust)


async def refused(switch: PrivateSwitch, running: Controller, why: str) -> None:
    """The controller says `why`, and the switch does not come in."""
    with capture_logs() as logs:
        await connect(switch, running)
        await eventually(lambda: any(why in str(line.get("reason")) for line in logs))
    assert all(line.get("peer", "127.0.0.1:").startswith("127.0.0.1:") for line in logs)
    assert ("h1", True) not in running.record.connections


async def test_a_switch_with_a_certificate_is_served(switch: PrivateSwitch, issuer: Issuer) -> None:
    async with serving(issuer) as (running, _):
        enrol(switch, issuer)
        await connect(switch, running)
        await running.acknowledged("h1", 1)


async def test_a_certificate_of_another_authority_is_refused(switch: PrivateSwitch, issuer: Issuer) -> None:
    async with serving(issuer) as (running, _):
        stranger, key = new_authority(1, new_key(), CLOCK.now()), new_key()
        certificate = stranger.issue(H1, key.public_key(), CLOCK.now())
        give(switch, key, certificate_to_pem(certificate), issuer.directory.read().trust)
        await refused(switch, running, "an authority that is not this controller's; join it again")


async def test_the_certificate_of_another_host_is_refused(switch: PrivateSwitch, issuer: Issuer) -> None:
    async with serving(issuer) as (running, _):
        enrol(switch, issuer, H2)
        await refused(switch, running, "claims to be h1 but its certificate is made out to 'host:h2'")


async def test_a_certificate_that_has_expired_is_refused(switch: PrivateSwitch, issuer: Issuer) -> None:
    async with serving(issuer) as (running, _):
        enrol(switch, issuer, lifetime=timedelta(seconds=1))
        await asyncio.sleep(1.1)
        await refused(switch, running, "has expired; renew it with: overlace pki renew")


async def test_a_switch_that_does_not_trust_the_controller_is_told_apart(
    switch: PrivateSwitch, issuer: Issuer
) -> None:
    async with serving(issuer) as (running, _):
        key = new_key()
        issued = issuer.sign(H1, request("host:h1", key=key))
        stranger = new_authority(1, new_key(), CLOCK.now())
        give(switch, key, issued.certificate, certificate_to_pem(stranger.certificate))
        await refused(switch, running, "it does not trust this controller's certificate")


async def test_a_host_cannot_play_the_controller_to_another(
    switch: PrivateSwitch, issuer: Issuer, tmp_path: Path
) -> None:
    # given somebody who has the key of host h2 and stands where the controller is
    enrol(switch, issuer)
    key = new_key()
    issued = issuer.sign(H2, request("host:h2", key=key))
    stolen = Issuer.create(tmp_path / "stolen", CLOCK, [LOOPBACK])
    stolen.directory.write_controller(key, issued.certificate)
    async with serving(stolen) as (running, _):
        # then h1's Open vSwitch refuses it, since that certificate is for a client
        await refused(switch, running, "takes the certificate shown here for no controller's")


async def test_a_renewed_certificate_is_used_and_the_connection_stays(
    switch: PrivateSwitch, issuer: Issuer
) -> None:
    async with serving(issuer) as (running, trust):
        enrol(switch, issuer)
        await connect(switch, running)
        await running.acknowledged("h1", 1)

        # when authorities roll over and everybody is renewed
        issuer.begin_rollover()
        trust.refresh()
        enrol(switch, issuer)
        issuer.finish_rollover()
        trust.refresh()

        # then the connection made before stays
        running.hub.publish(added(3, "h1", fragment("network", "green", flows=(flow(2),))))
        await running.acknowledged("h1", 3)
        assert running.record.connections == [("h1", True)]

        # and the next one is made with the new certificates on both sides
        await asyncio.to_thread(switch.vsctl, "del-controller", BRIDGE)
        await eventually(lambda: ("h1", False) in running.record.connections)
        await connect(switch, running)
        await eventually(lambda: running.record.connections[-1] == ("h1", True))


async def test_a_revoked_switch_is_dropped_by_name_and_not_let_in_again(
    switch: PrivateSwitch, issuer: Issuer
) -> None:
    async with serving(issuer) as (running, trust):
        enrol(switch, issuer)
        await connect(switch, running)
        await running.acknowledged("h1", 1)

        with capture_logs() as logs:
            issuer.revoke(H1)
            trust.refresh()
            await eventually(lambda: running.record.connections[-1] == ("h1", False))
            why = "the certificate of host:h1 was revoked at"
            # once for the connection that it had, and again for the next that it tries
            await eventually(lambda: sum(why in str(line.get("reason")) for line in logs) >= 2)
        assert running.record.connections == [("h1", True), ("h1", False)]

        enrol(switch, issuer)
        trust.refresh()
        await eventually(lambda: running.record.connections[-1] == ("h1", True))


async def test_silence_and_garbage_before_the_handshake_hold_nobody_up(
    switch: PrivateSwitch, issuer: Issuer
) -> None:
    async with serving(issuer) as (running, _):
        silent = [await asyncio.open_connection(LOOPBACK, running.openflow_port) for _ in range(40)]
        with capture_logs() as logs:
            for text in (b"GET / HTTP/1.1\r\n\r\n", b"\x06\0\0\x08\0\0\0\0", bytes(range(256)) * 99, b""):
                reader, writer = await asyncio.open_connection(LOOPBACK, running.openflow_port)
                writer.write(text)
                writer.write_eof()
                with_reset = await asyncio.gather(reader.read(), return_exceptions=True)
                assert len(with_reset) == 1
                writer.close()
            await eventually(lambda: len(logs) == 4)
        # who says nothing and goes, as when it is only asked whether the port is open, was not refused
        assert [line["event"] for line in logs].count("connection refused") == 3
        assert all("TLS" in refusal.reason for refusal in running.hub.refusals.lately())
        enrol(switch, issuer)
        await connect(switch, running)
        await running.acknowledged("h1", 1)
        for _, writer in silent:
            writer.close()
