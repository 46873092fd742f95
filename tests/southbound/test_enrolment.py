"""The enrolment port: one request, one answer, whoever asks."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.pki.requests import request
from tests.southbound.harness import LOOPBACK, RealClock

from overlace.app.trust import Trust
from overlace.pki.issuer import Issuer
from overlace.pki.subject import Role, Subject
from overlace.southbound.enrolment import LARGEST_REQUEST, EnrolmentPort
from overlace.southbound.refusals import Refusals
from overlace.southbound.server import Listen

H1 = Subject(Role.HOST, "h1")


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return Issuer.create(tmp_path / "pki", RealClock(), [LOOPBACK])


@asynccontextmanager
async def serving(issuer: Issuer) -> AsyncIterator[int]:
    """The port on which it listens."""
    trust = Trust(issuer, RealClock())
    async with asyncio.TaskGroup() as tasks:
        port = EnrolmentPort(tasks, trust, Refusals(RealClock()))
        await port.start(Listen(LOOPBACK, 0, trust.enrolment))
        yield port.port
        await port.stop()


async def ask(issuer: Issuer, port: int, sent: bytes) -> dict[str, Any]:
    """Send bytes as a joining host would, checking the controller, and give the answer."""
    context = ssl.create_default_context(cadata=issuer.directory.read().trust)
    reader, writer = await asyncio.open_connection(LOOPBACK, port, ssl=context)
    writer.write(sent)
    async with asyncio.timeout(20):
        answer = await reader.read()
    writer.close()
    return dict(json.loads(answer))


def line(token: str, subject: str = "host:h1", csr: bytes | None = None) -> bytes:
    said = {"subject": subject, "token": token, "request": (csr or request(subject)).decode()}
    return json.dumps(said).encode() + b"\n"


async def test_whoever_asks_is_told_the_time(issuer: Issuer) -> None:
    before = RealClock().now().timestamp()
    async with serving(issuer) as port:
        answer = await ask(issuer, port, b"clock\n")
    assert answer.keys() == {"clock"}
    assert before <= answer["clock"] <= RealClock().now().timestamp()


async def test_a_token_gives_a_certificate_and_the_authorities(issuer: Issuer) -> None:
    async with serving(issuer) as port:
        answer = await ask(issuer, port, line(issuer.new_token(H1)))
    register = issuer.directory.read()
    newest = register.newest("host:h1")
    assert newest is not None
    assert answer == {"certificate": newest.certificate, "trust": register.trust}


async def test_a_request_in_pieces_is_put_together(issuer: Issuer) -> None:
    async with serving(issuer) as port:
        whole = line(issuer.new_token(H1))
        context = ssl.create_default_context(cadata=issuer.directory.read().trust)
        reader, writer = await asyncio.open_connection(LOOPBACK, port, ssl=context)
        for start in range(0, len(whole), 97):
            writer.write(whole[start : start + 97])
            await writer.drain()
        async with asyncio.timeout(20):
            assert "certificate" in json.loads(await reader.read())
        writer.close()


async def test_what_is_refused_is_told_to_both_sides(issuer: Issuer) -> None:
    token = issuer.new_token(H1)
    refusals = {
        line(token, "host:h2"): "the token is for host:h1, not for host:h2",
        line(token, csr=request("host:h2")): "made out to 'host:h2', not to 'host:h1'",
        line("guessed"): "not known",
        line(token, "root"): "is not host:<name>",
        b"{}\n": "this is no enrolment request",
        b"\xff\xfe\n": "this is no enrolment request",
        b"x" * (LARGEST_REQUEST + 1): "too long",
    }
    async with serving(issuer) as port:
        for sent, why in refusals.items():
            with capture_logs() as logs:
                answer = await ask(issuer, port, sent)
            assert why in answer["refused"]
            assert any(each["event"] == "enrolment refused" and why in each["reason"] for each in logs)
        # none of it has spent the token
        assert "certificate" in await ask(issuer, port, line(token))


async def test_of_many_who_use_one_token_at_once_one_gets_it(issuer: Issuer) -> None:
    token = issuer.new_token(H1)
    async with serving(issuer) as port:
        answers = await asyncio.gather(*(ask(issuer, port, line(token)) for _ in range(8)))
    assert sum("certificate" in each for each in answers) == 1
    assert sum("was used at" in each.get("refused", "") for each in answers) == 7
