"""Peers that nobody expects: so many, for so long, and nothing is kept for them."""

import asyncio
import gc
from asyncio.sslproto import SSLProtocol
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.southbound.fake_switch import fake_switch
from tests.southbound.harness import LOOPBACK, RealClock, controller, eventually

from overlace.app.trust import Trust
from overlace.pki.issuer import Issuer
from overlace.southbound import shell
from overlace.southbound.expected import ExpectedSwitch, SwitchKind
from overlace.southbound.openflow_channel import SwitchConnection
from overlace.southbound.server import Listen
from overlace.wire.openflow.codec import encode
from overlace.wire.openflow.messages import EchoRequest, Hello

HELLO = encode(Hello((6,)), 1)


async def ended(reader: asyncio.StreamReader) -> bool:
    """Whether the other end has closed; waits for it."""
    try:
        async with asyncio.timeout(15):
            await reader.read()
    except ConnectionResetError:
        pass
    return True


async def test_given_too_many_strangers_when_an_expected_switch_connects_from_elsewhere_then_it_is_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(SwitchConnection, "most_strangers", 3)
    async with controller() as running, AsyncExitStack() as stack:
        running.hub.set_expected({"s": ExpectedSwitch(SwitchKind.TRANSIT, "", 7)})
        running.hub.plan_ready()
        await stack.enter_async_context(fake_switch(running.openflow_port, 7))
        await eventually(lambda: ("s", True) in running.record.connections)
        strangers = [await asyncio.open_connection(LOOPBACK, running.openflow_port) for _ in range(5)]
        for reader, _ in strangers[3:]:
            assert await ended(reader)
        assert not any(reader.at_eof() for reader, _ in strangers[:3])
        assert ("s", False) not in running.record.connections
        for _, writer in strangers:
            writer.close()


async def test_given_a_stranger_when_its_time_is_up_then_it_is_let_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shell, "STRANGER_TIME", 0.1)
    async with controller() as running:
        reader, writer = await asyncio.open_connection(LOOPBACK, running.openflow_port)
        writer.write(HELLO)
        assert await ended(reader)
        writer.close()


async def test_given_a_stranger_that_asks_and_never_reads_when_answers_pile_up_then_it_is_cut_off() -> None:
    async with controller() as running:
        _, writer = await asyncio.open_connection(LOOPBACK, running.openflow_port, limit=1)
        echo = encode(EchoRequest(bytes(60_000)), 2)
        with pytest.raises(ConnectionError):
            writer.write(HELLO)
            for _ in range(2000):
                writer.write(echo)
                async with asyncio.timeout(15):
                    await writer.drain()
        writer.close()


async def test_given_strangers_whose_handshakes_fail_when_they_are_gone_then_nothing_of_them_waits_for_the_collector(
    tmp_path: Path,
) -> None:
    trust = Trust(Issuer.create(tmp_path / "pki", RealClock(), [LOOPBACK]), RealClock())
    async with controller(openflow=Listen(LOOPBACK, 0, trust)) as running:
        gc.collect()
        gc.disable()
        try:
            # given some that do not speak TLS, and some that hang up
            for said in (b"GET / HTTP/1.0\r\n\r\n", b"") * 5:
                reader, writer = await asyncio.open_connection(LOOPBACK, running.openflow_port)
                writer.write(said)
                writer.write_eof()
                assert await ended(reader)
                writer.close()
            # then their sessions and OpenSSL's buffers go with them
            await eventually(lambda: not any(isinstance(each, SSLProtocol) for each in gc.get_objects()))
        finally:
            gc.enable()
