"""Given controllers that are well, ill or down, when `overlace doctor` is run, then its text and status say so."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.cli.controller import Controller, free_ports, serving

from overlace.cli.main import main


@pytest.fixture(scope="module")
def controller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Controller]:
    with serving(tmp_path_factory.mktemp("doctor")) as controller:
        yield controller


def doctor(url: str, *words: str) -> Result:
    return CliRunner().invoke(main, ["doctor", *words], env={"OVERLACE_API_URL": url})


def kinds(result: Result) -> list[str]:
    return [each["kind"] for each in json.loads(result.stdout)]


def test_given_a_well_controller_when_examined_then_nothing_is_worse_than_a_note(
    controller: Controller,
) -> None:
    for words in (["--json"], ["--probe", "--json"]):
        result = doctor(controller.url, *words)
        assert result.exit_code == 0
        assert {each["severity"] for each in json.loads(result.stdout)} <= {"note"}


def test_given_warnings_and_errors_when_examined_then_the_status_says_the_worst(
    controller: Controller,
) -> None:
    environment = {"OVERLACE_API_URL": controller.url}
    CliRunner().invoke(main, ["site", "add", "tokyo"], env=environment)
    CliRunner().invoke(main, ["host", "add", "h1", "--site", "tokyo"], env=environment)
    result = doctor(controller.url)
    assert result.exit_code == 20
    assert "error: h1 is not connected" in result.stdout
    assert "cure:  overlace host set h1 --endpoint ADDRESS" in result.stdout
    assert {"switch_absent", "no_endpoint"} <= set(kinds(doctor(controller.url, "--json")))
    CliRunner().invoke(main, ["host", "remove", "h1"], env=environment)
    assert doctor(controller.url).exit_code == 0


def test_given_a_controller_that_is_down_when_its_files_are_named_then_they_are_examined(
    tmp_path: Path,
) -> None:
    api, openflow, ovsdb, enrolment = free_ports(4)
    configuration = tmp_path / "overlace.yaml"
    ports = f"api-port: {api}\nopenflow-port: {openflow}\novsdb-port: {ovsdb}\nenrolment-port: {enrolment}\n"
    configuration.write_text(f"database: {tmp_path}/db\npki: {tmp_path}/pki\n{ports}")
    url = f"http://127.0.0.1:{api}"
    result = doctor(url, "--config", str(configuration), "--json")
    assert (result.exit_code, kinds(result)) == (20, ["controller_down", "database_lost"])
    with socket.create_server(("127.0.0.1", openflow)):
        assert "--openflow-port" in doctor(url, "--config", str(configuration)).stdout
    result = doctor(url, "--database", str(tmp_path / "other"), "--json")
    assert "controller_down" in kinds(result)


def test_given_neither_controller_nor_files_when_asked_then_both_ways_are_named() -> None:
    [port] = free_ports(1)
    result = doctor(f"http://127.0.0.1:{port}")
    assert result.exit_code == 3
    assert "cannot be reached" in result.stderr and "--config or --database" in result.stderr


def test_given_a_configuration_that_is_none_when_examined_then_the_word_is_named(tmp_path: Path) -> None:
    configuration = tmp_path / "overlace.yaml"
    configuration.write_text("datebase: /var/lib/overlace/db\n")
    [port] = free_ports(1)
    result = doctor(f"http://127.0.0.1:{port}", "--config", str(configuration))
    assert result.exit_code == 2
    assert "datebase" in result.stderr
