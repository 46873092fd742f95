"""Given a monitor that speaks QMP, when it is asked, then it gets answers, not events, and refusals are plain."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from overlace.lab.errors import LabError
from overlace.lab.machines.monitor import Monitor

Message = dict[str, object]
GREETING: list[Message] = [{"QMP": {}}]
DONE: list[Message] = [{"return": {}}]


@contextmanager
def machine(path: Path, *answers: list[Message]) -> Iterator[None]:
    """A machine that answers each request after the greeting's with the next messages, and hangs up after the last."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rwb") as stream:
            for number, messages in enumerate([GREETING, DONE, *answers]):
                if number:
                    stream.readline()
                for message in messages:
                    stream.write(json.dumps(message).encode() + b"\r\n")
                stream.flush()

    served = threading.Thread(target=serve)
    served.start()
    try:
        yield
    finally:
        served.join()
        listener.close()


def event(name: str) -> Message:
    return {"event": name, "data": {}, "timestamp": {"seconds": 0, "microseconds": 250000}}


def test_events_among_the_answers_are_passed_over(tmp_path: Path) -> None:
    answer: Message = {"return": {"status": "running"}}
    with machine(tmp_path / "q", [event("STOP"), answer]), Monitor(tmp_path / "q") as monitor:
        assert monitor.execute("query-status") == {"status": "running"}


def test_what_qemu_refuses_is_told_in_its_words(tmp_path: Path) -> None:
    refusal: Message = {"error": {"class": "GenericError", "desc": "no such device"}}
    with (
        machine(tmp_path / "q", [refusal]),
        Monitor(tmp_path / "q") as monitor,
        pytest.raises(LabError, match="QEMU refused device_del: no such device"),
    ):
        monitor.execute("device_del", {"id": "x"})


def test_a_machine_that_ends_and_one_that_is_not_there_are_told(tmp_path: Path) -> None:
    with machine(tmp_path / "q"), Monitor(tmp_path / "q") as monitor, pytest.raises(LabError, match="ended"):
        monitor.execute("query-status")
    with pytest.raises(LabError, match="no guest answers"):
        Monitor(tmp_path / "nobody")
