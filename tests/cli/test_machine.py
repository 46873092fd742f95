"""Given a controller, when machines are declared and asked to move, then people read what happens, and what cannot be
says why and what to do."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.cli.controller import Controller, serving

from overlace.cli.main import main


@pytest.fixture(scope="module")
def controller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Controller]:
    directory: Path = tmp_path_factory.mktemp("controller")
    with serving(directory, "--launcher", "/bin/false") as controller:
        for line in (
            "site add tokyo",
            "site add osaka",
            "host add h1 --site tokyo",
            "host add h2 --site osaka",
        ):
            assert overlace(controller, line).exit_code == 0
        yield controller


def overlace(controller: Controller, line: str) -> Result:
    return CliRunner().invoke(main, line.split(), env={"OVERLACE_API_URL": controller.url})


def test_a_machine_is_declared_shown_and_removed(controller: Controller) -> None:
    made = json.loads(overlace(controller, "machine add web --host h1 --own-disks --json").output)
    assert (made["id"], made["host_id"], made["driver"], made["own_disks"]) == ("web", "h1", "qmp", True)
    made = json.loads(overlace(controller, "machine add db --host h1 --driver libvirt --json").output)
    assert made["driver"] == "libvirt"
    assert "web" in overlace(controller, "machine list").output
    assert overlace(controller, "machine add web --host h1").exit_code == 6
    assert overlace(controller, "machine add mail --host h9").exit_code == 5
    assert overlace(controller, "machine remove web").exit_code == 0
    assert overlace(controller, "machine remove db").exit_code == 0
    assert "there is no machine yet" in overlace(controller, "machine list").output


def test_a_machine_goes_to_no_host_that_is_not_connected(controller: Controller) -> None:
    overlace(controller, "machine add db --host h1")
    refused = overlace(controller, "machine move db --to-site osaka")
    assert refused.exit_code == 6
    assert "machine db can go nowhere: no other host there is connected" in refused.output
    assert overlace(controller, "machine move db --to h9").exit_code == 5
    assert overlace(controller, "machine move db").exit_code == 2
    assert overlace(controller, "machine move nobody --to h2").exit_code == 5


def test_a_replica_is_asked_for_shown_and_stopped(controller: Controller) -> None:
    overlace(controller, "machine add store --host h1 --own-disks")
    begun = overlace(controller, "machine replicate store --to h2 --every 30 --no-wait")
    assert begun.output == "store: no replica at h2 yet, resting\n"
    assert "none yet at osaka, resting" in overlace(controller, "machine show store").output
    changed = json.loads(overlace(controller, "machine replicate store --every 300 --no-wait --json").output)
    assert (changed["every"], changed["promise_kept"]) == (300, False)
    assert overlace(controller, "machine replicate store").exit_code == 2
    assert overlace(controller, "machine replicate store --stop --every 5").exit_code == 2
    assert overlace(controller, "machine replicate store --to h9").exit_code == 5
    assert overlace(controller, "machine replicate nobody --to h2").exit_code == 5
    stopped = overlace(controller, "machine replicate store --stop --no-wait")
    assert stopped.output == "the replica of store is being removed\n"
    again = overlace(controller, "machine replicate store --to h2")
    assert (again.exit_code, "is being removed" in again.output) == (6, True)


def test_a_rescue_says_what_it_lacks(controller: Controller) -> None:
    overlace(controller, "machine add mail --host h1 --own-disks")
    refused = overlace(controller, "machine rescue mail --host-is-dead")
    assert refused.exit_code == 6
    assert "it has no replica" in refused.output


def test_a_host_without_machines_is_evacuated_at_once(controller: Controller) -> None:
    assert "nothing would be moved" in overlace(controller, "host evacuate h2 --dry-run").output
    assert overlace(controller, "site evacuate osaka --to h1 --to-site tokyo").exit_code == 2
    done = json.loads(overlace(controller, "site evacuate osaka --json").output)
    assert (done["kind"], done["state"]) == ("evacuation", "done")
    assert done["id"] in overlace(controller, "procedure list").output
    assert json.loads(overlace(controller, "procedure list --running --json").output) == []
    assert "evacuation" in overlace(controller, f"procedure show {done['id']}").output
    late = overlace(controller, f"procedure abort {done['id']}")
    assert (late.exit_code, "has ended: done" in late.output) == (6, True)
