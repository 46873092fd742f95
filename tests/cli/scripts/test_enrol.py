"""What the join script runs on the host to get its certificate."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.pki.requests import request
from tests.southbound.harness import RealClock

from overlace.app.trust import Trust
from overlace.cli.scripts import enrol
from overlace.pki.issuer import Issuer
from overlace.pki.subject import Role, Subject
from overlace.southbound.enrolment import EnrolmentPort
from overlace.southbound.refusals import Refusals
from overlace.southbound.server import Listen

H1 = Subject(Role.HOST, "h1")
ADDRESSES = ("127.0.0.1", "::1")


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return Issuer.create(tmp_path / "pki", RealClock(), ADDRESSES)


@pytest.fixture
def host(tmp_path: Path, issuer: Issuer) -> Path:
    """The directory of a host with a request, and the authorities that its script carries."""
    directory = tmp_path / "host"
    directory.mkdir()
    (directory / "request.pem").write_bytes(request("host:h1"))
    (directory / "carried.pem").write_text(issuer.directory.read().trust)
    return directory


@asynccontextmanager
async def serving(issuer: Issuer, address: str) -> AsyncIterator[int]:
    """An enrolment port."""
    trust = Trust(issuer, RealClock())
    async with asyncio.TaskGroup() as tasks:
        port = EnrolmentPort(tasks, trust, Refusals(RealClock()))
        await port.start(Listen(address, 0, trust.enrolment))
        yield port.port
        await port.stop()


async def run(host: Path, address: str, port: int, token: str) -> str:
    """Run it as the script does; what it complains of, empty when of nothing."""
    arguments = [address, str(port), "host:h1", str(host), str(host / "carried.pem")]
    command = [sys.executable, enrol.__file__, *arguments]
    done = await asyncio.to_thread(
        subprocess.run, command, env={"OVERLACE_TOKEN": token}, capture_output=True, text=True, timeout=30
    )
    assert (done.returncode == 0) == (done.stderr == "")
    assert (host / "certificate.new").exists() == (done.returncode == 0)
    return done.stderr


@pytest.mark.parametrize("address", ADDRESSES)
async def test_certificate_and_authorities_are_kept(issuer: Issuer, host: Path, address: str) -> None:
    async with serving(issuer, address) as port:
        assert await run(host, address, port, issuer.new_token(H1)) == ""
    newest = issuer.directory.read().newest("host:h1")
    assert newest is not None and (host / "certificate.new").read_text() == newest.certificate
    assert (host / "trust.new").read_text() == issuer.directory.read().trust


async def test_a_refusal_is_told_in_the_controller_s_words(issuer: Issuer, host: Path) -> None:
    async with serving(issuer, "127.0.0.1") as port:
        assert "refused: the token is not known" in await run(host, "127.0.0.1", port, "guessed")


async def test_the_token_is_shown_to_no_other_controller(issuer: Issuer, host: Path, tmp_path: Path) -> None:
    token = issuer.new_token(H1)
    stranger = Issuer.create(tmp_path / "stranger", RealClock(), ADDRESSES)
    async with serving(stranger, "127.0.0.1") as port:
        assert "is not the controller of this script" in await run(host, "127.0.0.1", port, token)
    elsewhere = Issuer.create(tmp_path / "elsewhere", RealClock(), ["192.0.2.9"])
    (host / "carried.pem").write_text(elsewhere.directory.read().trust)
    async with serving(elsewhere, "127.0.0.1") as port:
        assert "is not the controller of this script" in await run(host, "127.0.0.1", port, token)


async def test_a_controller_that_does_not_answer_is_named(host: Path) -> None:
    assert "no certificate from 127.0.0.1 port 9" in await run(host, "127.0.0.1", 9, "token")
