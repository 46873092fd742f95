"""Given a state file, when several change it, then nothing is lost and names and paths are checked."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from overlace.lab.description import load_topology
from overlace.lab.errors import LabError
from overlace.lab.process import ProcessId
from overlace.lab.state import DIRECTORY_VARIABLE, State, StateFile, lab_directory


@pytest.fixture
def file(tmp_path: Path) -> StateFile:
    made = StateFile(tmp_path / "demo")
    made.create(State("demo", load_topology("transit")))
    return made


def test_the_state_comes_back_as_it_was_written(file: StateFile) -> None:
    assert file.load() == State("demo", load_topology("transit"))


def test_changes_by_many_threads_are_all_kept(file: StateFile) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda pid: file.add_processes([ProcessId(pid, pid)]), range(50)))
    assert sorted(process.pid for process in file.load().processes) == list(range(50))


def test_a_second_laboratory_of_the_same_name_is_refused(file: StateFile) -> None:
    with pytest.raises(LabError, match="'demo' exists already.*overlace lab down --name demo"):
        file.create(State("demo", load_topology()))


def test_a_missing_laboratory_is_told_with_the_way_to_start_it(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="no laboratory 'gone' in .*overlace lab up --name gone"):
        StateFile(tmp_path / "gone").load()


@pytest.mark.parametrize("name", ["", "with-hyphen", "UPPER", "a" * 17, "../up"])
def test_a_name_that_would_not_keep_namespaces_apart_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(LabError, match="not usable: 1 to 16 of a-z and 0-9"):
        lab_directory(name, tmp_path)


def test_the_directory_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DIRECTORY_VARIABLE, "/somewhere")
    assert lab_directory("demo") == Path("/somewhere/demo")


def test_a_directory_too_long_for_sockets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="too long for Unix sockets: set OVERLACE_LAB_DIR"):
        lab_directory("demo", tmp_path / ("x" * 100))


def test_links_are_cut_and_mended_once(file: StateFile) -> None:
    state = file.load().with_cut("wan", True).with_cut("t1-t2", True).with_cut("wan", True)
    assert sorted(state.cut) == ["t1-t2", "wan"]
    assert state.with_cut("wan", False).cut == ("t1-t2",)
