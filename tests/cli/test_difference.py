"""Given what stands between a switch and its plan, when it is told, then people read what they would lose and why."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from click.testing import CliRunner

from overlace.cli.main import main

IN_VERSION_1: dict[str, Any] = {
    "name": "h1",
    "phase": "held",
    "phase_means": "on hold",
    "hold": None,
    "pipeline_version": 1,
    "wanted_pipeline_version": 1,
    "observed": 9,
    "missing": 0,
    "changed": 0,
    "foreign": 9,
    "groups": 0,
    "meters": 0,
    "settled": True,
    "tunnel_ports": {"missing": [], "changed": [], "foreign": []},
    "objects": [],
    "flows": [],
    "unknown_ports": [{"id": "7d0e", "interface": "tap3", "served": False}],
}


class Controller(ThreadingHTTPServer):
    """Answers every question with one difference."""

    def __init__(self, found: dict[str, Any]) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.body = json.dumps({"difference": found}).encode()


class Answer(BaseHTTPRequestHandler):
    server: Controller

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: object) -> None:
        pass


def told(line: str, found: dict[str, Any]) -> str:
    with Controller(found) as controller:
        Thread(target=controller.serve_forever, args=(0.01,)).start()
        url = f"http://127.0.0.1:{controller.server_address[1]}"
        result = CliRunner().invoke(main, line.split(), env={"OVERLACE_API_URL": url})
        controller.shutdown()
    assert result.exit_code == 0, result.output
    return result.output


def test_given_a_host_of_this_version_when_told_then_versions_are_not() -> None:
    text = told("diff h1", IN_VERSION_1)
    assert "pipeline version" not in text
    assert "1 more interfaces announce ports that are served by nobody" in text


def test_given_a_host_of_another_version_when_told_then_it_is_said_that_no_port_can_be_read_back() -> None:
    found = IN_VERSION_1 | {"pipeline_version": 2}
    text = told("diff h1", found)
    assert (
        "its flows are of pipeline version 2, this release's of 1: they are replaced in one atomic bundle"
        in text
    )
    for line in ("diff h1", "recover h1"):
        assert "from flows of another pipeline version no port is read back" in told(line, found)


def test_given_a_switch_without_a_marker_when_told_then_versions_are_not() -> None:
    assert "pipeline version" not in told("diff h1", IN_VERSION_1 | {"pipeline_version": None})
