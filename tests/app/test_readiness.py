"""Given a service manager that waits, when told, then it hears exactly that; without one nothing happens."""

import os
import socket
from pathlib import Path

import pytest

from overlace.app.readiness import READY, STOPPING, tell_manager


@pytest.mark.parametrize("abstract", [False, True])
def test_given_a_manager_when_told_then_it_hears(tmp_path: Path, abstract: bool) -> None:
    name = f"@overlace-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{name[1:]}" if abstract else name)
        manager.settimeout(10)
        tell_manager(READY, {"NOTIFY_SOCKET": name})
        tell_manager(STOPPING, {"NOTIFY_SOCKET": name})
        assert [manager.recv(64), manager.recv(64)] == [b"READY=1", b"STOPPING=1"]


def test_given_no_manager_or_one_that_is_gone_when_told_then_the_process_goes_on(tmp_path: Path) -> None:
    tell_manager(READY, {})
    tell_manager(READY, {"NOTIFY_SOCKET": str(tmp_path / "nobody")})
