"""The laboratory with both systems side by side: Overlace and OVN on the same hosts, each on bridges of its own."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.ovn import Ovn
from tools.cloud import Cloud

from overlace.lab.lab import Lab
from overlace.lab.topology import Site, Topology


@dataclass(frozen=True, slots=True)
class Laboratory:
    """Hosts of one site, which have joined both systems."""

    lab: Lab
    cloud: Cloud
    ovn: Ovn


@contextmanager
def side_by_side(name: str, hosts: tuple[str, ...] = ("h1", "h2")) -> Iterator[Laboratory]:
    """Build it and start both systems; at the end of the block everything of it is taken down."""
    topology = Topology(sites=(Site("site-a", hosts, ipv4="10.1.0.0/24"),), underlay="ipv4")
    with tempfile.TemporaryDirectory() as scratch, Lab.up(topology, name) as lab:
        cloud, ovn = Cloud(lab, Path(scratch)), Ovn(lab)
        try:
            cloud.start()
            cloud.join_hosts()
            ovn.start(lab.hosts)
            yield Laboratory(lab, cloud, ovn)
        finally:
            cloud.kill()
            ovn.stop()
