"""Laboratories for tests: each with a name and a state directory of its own, removed whatever happens."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.lab.names import unused_name

from overlace.lab.lab import Lab


@pytest.fixture(scope="module")
def base() -> Iterator[Path]:
    """A short directory for laboratories' state; pytest's own are too long for Unix sockets."""
    path = Path(tempfile.mkdtemp(prefix="ovl-"))
    yield path
    for name in Lab.names(path):
        Lab.remove(name, base=path)
    shutil.rmtree(path)


@pytest.fixture
def name() -> str:
    """A laboratory name that no other test uses."""
    return unused_name()


@pytest.fixture(scope="module")
def lab(base: Path) -> Iterator[Lab]:
    """The default laboratory, shared by the tests of a module."""
    with Lab.up(name=unused_name(), base=base) as running:
        yield running
