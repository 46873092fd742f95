"""Given a controller, when it is started wrongly or stopped, then it says what is wrong, and ends well."""

import json
import signal
import socket
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.cli.controller import Controller, bootstrap, serving

from overlace.cli.main import main


def overlace(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, arguments, env=environment)


def refused(directory: Path, *options: str) -> str:
    result = overlace(*Controller(directory, options).arguments)
    assert result.exit_code == 1, result.output
    return result.output


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_when_a_signal_asks_it_to_then_it_ends_well_and_the_next_one_starts(tmp_path: Path, how: int) -> None:
    with serving(tmp_path) as controller:
        assert controller.stop(how) == 0
        assert "controller stopped" in controller.log
        controller.start()
        assert controller.stop() == 0


def test_given_a_client_that_never_ends_its_request_when_stopped_then_it_ends_all_the_same(
    tmp_path: Path,
) -> None:
    with (
        serving(tmp_path) as controller,
        socket.create_connection(("127.0.0.1", controller.ports[0])) as client,
    ):
        client.sendall(b"POST /v2.0/networks HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{")
        assert controller.stop() == 0


def test_given_a_controller_when_another_takes_its_database_then_that_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path) as controller:
        assert controller.process is not None
        message = refused(tmp_path)
        assert f"another process (pid {controller.process.pid}) has the database" in message
        assert controller.stop() == 0


def test_given_taken_ports_when_started_then_each_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"for the API: 127.0.0.1 port {port} is taken" in refused(tmp_path, "--api-port", str(port))
        for option in ("--openflow-port", "--ovsdb-port", "--enrolment-port"):
            message = refused(tmp_path, option, str(port))
            what = "joining hosts" if option == "--enrolment-port" else "switches"
            assert f"cannot listen for {what}" in message
            assert option in message


def test_given_a_file_that_is_no_database_when_started_then_it_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "overlace.db"
    path.write_bytes(b"not a database" * 100)
    assert "file is not a database" in refused(tmp_path)
    assert path.read_bytes() == b"not a database" * 100


def test_given_a_database_of_a_newer_release_when_started_then_the_cure_is_named(tmp_path: Path) -> None:
    path = tmp_path / "overlace.db"
    bootstrap(path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'r9999'")
    connection.close()
    assert "Start the release that wrote it" in refused(tmp_path)


def test_given_no_directory_when_started_then_the_cure_is_named(tmp_path: Path) -> None:
    assert "make the directory" in refused(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("options", "cure"),
    [
        (("--api-address", "0.0.0.0"), "say --auth identity"),
        (("--api-address", "::", "--auth", "basic"), "--api-certificate and --api-key"),
        (("--api-address", "api.example"), "is not an address"),
        (("--auth", "identity"), "overlace bootstrap"),
        (("--api-key", "api.key"), "go together"),
        (("--api-key", "a.key", "--api-certificate", "a.pem"), "there is no file a.pem"),
    ],
)
def test_given_settings_that_give_the_network_away_when_started_then_the_cure_is_named(
    tmp_path: Path, options: tuple[str, ...], cure: str
) -> None:
    assert cure in refused(tmp_path, *options)


def test_given_a_key_that_is_none_when_started_then_that_is_said(tmp_path: Path) -> None:
    for name in ("api.pem", "api.key"):
        (tmp_path / name).write_text("neither")
    options = ("--api-certificate", str(tmp_path / "api.pem"), "--api-key", str(tmp_path / "api.key"))
    assert "certificate or key cannot be used" in refused(tmp_path, *options)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("log-forma: json", "did you mean 'log-format'?"),
        ("auth: perhaps", "auth: 'perhaps' is not one of 'none', 'basic', 'identity'"),
        ("api-port: 70000", "api-port: 70000 is not in the range"),
        ("- auth", "holds no options"),
        ("auth: [", "is not YAML"),
    ],
)
def test_given_a_wrong_configuration_file_when_started_then_file_and_word_are_named(
    tmp_path: Path, text: str, complaint: str
) -> None:
    path = tmp_path / "overlace.yaml"
    path.write_text(text)
    result = overlace("serve", "--config", str(path))
    assert result.exit_code == 2
    assert complaint in result.output
    assert str(path) in result.output


def test_given_file_environment_and_command_line_then_the_later_wins(tmp_path: Path) -> None:
    path = tmp_path / "overlace.yaml"
    path.write_text("api-address: file.example\ndatabase: nowhere/file.db\n")
    arguments = ("serve", "--config", str(path))
    assert "'file.example' is not" in overlace(*arguments).output
    assert "'env.example' is not" in overlace(*arguments, OVERLACE_API_ADDRESS="env.example").output
    asked = overlace(*arguments, "--api-address", "line.example", OVERLACE_API_ADDRESS="env.example")
    assert "'line.example' is not" in asked.output


def test_given_json_logs_then_every_line_is_an_object(tmp_path: Path) -> None:
    with serving(tmp_path, "--log-format", "json") as controller:
        assert controller.stop() == 0
        lines = [json.loads(line) for line in controller.log.splitlines()]
    assert [line["event"] for line in lines][-1] == "controller stopped"
    assert all({"level", "timestamp"} <= line.keys() for line in lines)
