"""Given a cloud at two sites, when a real machine and a workload move there and back, then the demonstrations' promises
hold: the same code as `make demo-migration` and `make demo-many-moves`, a few moves only."""

from collections.abc import Iterator

import pytest
from tools.cloud import Cloud

from overlace.lab.lab import Lab
from tools import many_moves, migration_demo

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Lab.up(None, "moves") as lab:
        cloud = Cloud(lab, tmp_path_factory.mktemp("moves"))
        try:
            cloud.serve_options = migration_demo.movers(lab)
            cloud.start()
            cloud.join_hosts()
            yield cloud
        finally:
            cloud.kill()


def test_a_workload_moves_to_and_fro_and_the_tables_are_as_planned_after_each(cloud: Cloud) -> None:
    many_moves.furnish(cloud)
    there_and_back = (many_moves.THERE, many_moves.HERE) * 2
    moves = [many_moves.move(cloud, destination) for destination in there_and_back]
    assert many_moves.broken(many_moves.summary(moves), 4) == []


def test_a_real_machine_moves_by_libvirt_and_back_while_nobody_tells_the_network(cloud: Cloud) -> None:
    (journey,) = migration_demo.furnish(cloud, ["libvirt"], disk="4M", one_way_ms=5)
    there, back = journey.move(), journey.move("unannounced")
    assert migration_demo.broken([back], 1) == []
    # libvirt tells of the switch-over when it is over: on a busy machine 5 frames of 20,000 were lost until then.
    assert set(migration_demo.broken([there], 1)) <= {"the network loses at most one frame a move"}
    assert there["network_lost"] <= 20
    told, untold = (move["receipt"] for move in (there, back))
    assert told["prepared_by"] == "procedure"
    assert (untold["prepared_by"], untold["activated_by"]) == ("interface", "first frame")
