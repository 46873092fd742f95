"""Given a controller that does not answer, when its machine is examined, then what keeps it from serving is named."""

import socket
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.cli.controller import free_ports

from overlace.app.database import held
from overlace.app.doctor.finding import Finding
from overlace.app.doctor.offline import examine_offline
from overlace.app.settings import ControllerSettings
from overlace.kit.clock import ManualClock
from overlace.pki.issuer import Issuer

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> ControllerSettings:
    """Of a controller that was stopped properly."""
    Issuer.create(tmp_path / "pki", ManualClock(epoch=NOW), ["127.0.0.1"])
    with closing(sqlite3.connect(tmp_path / "db")) as database, database:
        database.execute("create table meta (name text)")
    api, openflow, ovsdb, enrolment = free_ports(4)
    return ControllerSettings(
        database=tmp_path / "db",
        pki=tmp_path / "pki",
        api_port=api,
        openflow_port=openflow,
        ovsdb_port=ovsdb,
        enrolment_port=enrolment,
    )


def kinds(settings: ControllerSettings, now: datetime = NOW) -> list[str]:
    return [each.kind for each in examine_offline(settings, now)]


def the(settings: ControllerSettings, kind: str, now: datetime = NOW) -> Finding:
    [found] = [each for each in examine_offline(settings, now) if each.kind == kind]
    return found


def test_given_a_controller_that_was_stopped_when_examined_then_that_is_all(
    settings: ControllerSettings,
) -> None:
    assert kinds(settings) == ["controller_down"]
    assert "systemctl start overlace" in the(settings, "controller_down").cure


def test_given_one_that_runs_elsewhere_when_examined_then_its_process_is_named(
    settings: ControllerSettings,
) -> None:
    with held(settings.database), socket.create_server(("127.0.0.1", settings.api_port)):
        assert kinds(settings) == ["controller_silent"]
        assert "--api-url" in the(settings, "controller_silent").cure


def test_given_a_port_of_another_when_examined_then_the_option_is_named(settings: ControllerSettings) -> None:
    with socket.create_server(("127.0.0.1", settings.ovsdb_port)):
        assert "--ovsdb-port" in the(settings, "port_taken").cure
    assert "port_taken" not in kinds(settings)


def test_given_an_address_that_is_gone_when_examined_then_it_is_named(settings: ControllerSettings) -> None:
    assert "192.0.2.77" in the(replace(settings, switch_address="192.0.2.77"), "address_lost").seen


def test_given_an_open_api_without_users_when_examined_then_the_settings_are_refused(
    settings: ControllerSettings,
) -> None:
    assert "overlace bootstrap" in the(replace(settings, api_address="0.0.0.0"), "settings_refused").cure


@pytest.mark.parametrize(
    ("damage", "kind", "cure"),
    [
        (lambda path: path.unlink(), "database_lost", "overlace restore"),
        (lambda path: path.write_bytes(b"no database at all" * 99), "database_unusable", "overlace restore"),
        (
            lambda path: (path.parent / "pki/register.json").write_text("{"),
            "certificates_unreadable",
            "backup",
        ),
        (lambda path: (path.parent / "pki/controller.pem").chmod(0o644), "certificates_unreadable", "chmod"),
    ],
)
def test_given_files_that_are_damaged_when_examined_then_each_is_named(
    settings: ControllerSettings, damage: object, kind: str, cure: str
) -> None:
    assert callable(damage)
    damage(settings.database)
    assert cure in the(settings, kind).cure


def test_given_a_clock_that_is_wrong_when_examined_then_certificates_say_so(
    settings: ControllerSettings,
) -> None:
    assert "certificate_not_yet" in kinds(settings, NOW - timedelta(days=400))
    assert "certificate_expired" in kinds(settings, NOW + timedelta(days=400))


def test_given_a_directory_that_is_gone_when_examined_then_it_is_named(settings: ControllerSettings) -> None:
    lost = replace(settings, database=settings.database.parent / "gone" / "db")
    assert "gone" in the(lost, "database_lost").seen
