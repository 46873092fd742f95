"""`make demo-upgrade FROM=COMMIT`: hosts of an earlier release go over to this one, with its database, and back.

The earlier release is the sources of that commit of this repository. Two guests of the overlay speak to each other in
5 ms echo streams meanwhile. Writes build/upgrade-from.json.
"""

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from tools.cloud import ROOT, Cloud, host_names, until
from tools.hosts_demo import OCTETS, TWO_HOSTS, Hosts

from overlace.lab.lab import Lab

GUESTS = {"one": "h1", "two": "h2"}
SECONDS = 25


def sources(commit: str, directory: Path) -> Path:
    """The package as it was at that commit."""
    told = subprocess.run(["git", "-C", ROOT, "archive", commit, "src"], capture_output=True, check=False)
    if told.returncode:
        raise SystemExit(f"FROM={commit}: {told.stderr.decode().strip()}")
    with tarfile.open(fileobj=io.BytesIO(told.stdout)) as archive:
        archive.extractall(directory, filter="data")
    return directory / "src"


def at_work(hosts: Hosts) -> None:
    """The earlier release has two guests."""
    cloud = hosts.cloud
    cloud.start()
    cloud.join_hosts()
    cloud.tenant("red")
    for name, host in GUESTS.items():
        port = cloud.port(f"red{OCTETS[name]}", OCTETS[name])
        cloud.workload(name, host, OCTETS[name], port["id"])
    until(lambda: {cloud.status(name) for name in cloud.ports} == {"ACTIVE"}, "ports are not ACTIVE", 40)
    hosts.streams = [("one", "two"), ("two", "one")]
    hosts.step("before", 2, lambda: None)


def back(hosts: Hosts, release: Path, archive: str) -> None:
    """The earlier release refuses the database that is not its own any more, and gets its backup."""
    cloud = hosts.cloud
    cloud.kill()
    cloud.release = release
    try:
        cloud.start()
        hosts.facts["opened_the_database_of_this_release"] = True
    except SystemExit:
        hosts.facts["opened_the_database_of_this_release"] = False
        hosts.overlace("restore", archive, "--database", f"{cloud.directory}/overlace.db")
        cloud.start()
        hosts.until_all("held")
        for name in host_names(cloud.lab):
            cloud.api("POST", f"/v2.0/overlace/switches/{name}/adopt")
    hosts.until_all("in_sync")


def over(hosts: Hosts, release: Path) -> None:
    """There and back."""
    cloud = hosts.cloud
    archive = f"{cloud.directory}/backup.tar"

    def upgrade() -> None:
        cloud.kill()
        cloud.release = None
        cloud.start()
        hosts.until_all("in_sync")

    hosts.overlace("backup", archive, "--database", f"{cloud.directory}/overlace.db")
    hosts.step("this release", SECONDS, upgrade)
    hosts.step("back to the earlier one", SECONDS, lambda: back(hosts, release, archive))


def main() -> int:
    """Run it; exit 0 when nothing was lost."""
    directory = Path(tempfile.mkdtemp(prefix="overlace-from-"))
    release = sources(os.environ["FROM"], directory / "earlier")
    Lab.remove("earlier")
    lab = Lab.up(TWO_HOSTS, "earlier")
    hosts = Hosts(Cloud(lab, directory))
    hosts.cloud.release = release
    try:
        at_work(hosts)
        over(hosts, release)
    finally:
        hosts.cloud.kill()
        lab.down()
    shutil.rmtree(directory)
    results: dict[str, Any] = {
        "from": os.environ["FROM"],
        "interval_ms": 5,
        "lost": hosts.lost,
        **hosts.facts,
    }
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build/upgrade-from.json").write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(hosts.facts))
    good = not any(hosts.lost.values())
    print("nothing was lost" if good else "packets were LOST", file=sys.stderr)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
