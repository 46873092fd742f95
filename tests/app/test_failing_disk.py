"""Given a disk that fails to sync, then nobody is told that something was kept, and the process ends."""

import sys
from pathlib import Path

from bench.controller_process import ControllerProcess

FAILING = """
import errno, os, pathlib, sys
sync, sign = os.fdatasync, pathlib.Path(sys.argv.pop(1))

def fdatasync(log):
    if sign.exists():
        raise OSError(errno.EIO, os.strerror(errno.EIO))
    sync(log)

os.fdatasync = fdatasync
from overlace.cli.main import main
main()
"""


def test_given_a_disk_that_fails_when_something_is_asked_then_the_process_ends_and_says_why(
    tmp_path: Path,
) -> None:
    broken = tmp_path / "broken"
    controller = ControllerProcess(tmp_path)
    # given a controller whose disk can be made to fail
    index = controller.command.index("serve")
    controller.command[:index] = [sys.executable, "-c", FAILING, str(broken)]
    controller.start()
    try:
        first = controller.api("POST", "/v2.0/networks", {"network": {"name": "kept"}})["network"]["id"]
        # when it fails, then what is asked is refused with the reason
        broken.touch()
        try:
            controller.api("POST", "/v2.0/networks", {"network": {"name": "lost"}})
            raise AssertionError("it was said to be kept")
        except RuntimeError as refusal:
            assert "503" in str(refusal)
            assert "disk" in str(refusal)
        except OSError:
            pass  # the process was quicker
        # and the process ends by itself, not as a success
        assert controller.wait(20) == 1
        assert "Input/output error" in (tmp_path / "controller.log").read_text()
        # and another one, with a disk that works, has what was said to be kept
        broken.unlink()
        controller.start()
        assert first in {each["id"] for each in controller.api("GET", "/v2.0/networks")["networks"]}
    finally:
        controller.kill()
