"""Overlace comes to hosts whose guests are at work, loses its database, and leaves: `make demo-hosts` without a watch.

What is lost on the way is the demonstration's business: this machine is busy.
"""

import tempfile
from pathlib import Path

import pytest
from tools.cloud import Cloud
from tools.hosts_demo import PROMISED, TWO_HOSTS, Hosts, live

from overlace.lab.lab import Lab

pytestmark = pytest.mark.lab


def test_given_two_hosts_at_work_when_all_has_happened_then_they_are_as_before() -> None:
    with tempfile.TemporaryDirectory(prefix="ovl-") as directory, Lab.up(TWO_HOSTS, "atwork") as lab:
        cloud = Cloud(lab, Path(directory))
        hosts = Hosts(cloud, watched=False)
        try:
            live(hosts)
        finally:
            cloud.kill()
    assert {name: hosts.facts[name] for name in PROMISED} == PROMISED
