"""`make demo-upgrade`: hosts with many flows go over to the next release and back, to and fro, under 5 ms echo streams.

The next release is this one with another pipeline version and all tables moved, so each host's flows are replaced as a
whole, in one bundle, and by halves nothing would be forwarded. Writes build/upgrade.json. RULES= and ROUNDS= in the
environment say how many security group rules there are, and how often it goes there and back.
"""

import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tools.cloud import BRIDGE, OFCTL, ROOT, Cloud, host_names, until
from tools.hosts_demo import TWO_HOSTS, Hosts, come, next_release, versions

from overlace.lab.lab import Lab

RULES, ROUNDS = 20_000, 3
OF_A_GROUP, OF_A_REQUEST = 2_000, 250
SECONDS = 20


def fill(cloud: Cloud, rules: int) -> None:
    """As many rules as that, all of which apply to the guests of both hosts."""
    cloud.api("PUT", "/v2.0/quotas/one", {"quota": {"security_group_rule": -1, "security_group": -1}})
    groups = [_group(cloud, number) for number in range(-(-rules // OF_A_GROUP))]
    for first in range(0, rules, OF_A_REQUEST):
        several = [
            _rule(groups[number // OF_A_GROUP], number) for number in range(first, first + OF_A_REQUEST)
        ]
        cloud.api("POST", "/v2.0/security-group-rules", {"security_group_rules": several})
    for name in ("one", "two"):
        port = cloud.ports[name]
        given = {"security_groups": [*port["security_groups"], *groups]}
        cloud.api("PUT", f"/v2.0/ports/{port['id']}", {"port": given})
    until(lambda: not cloud.behind(), "the rules do not come to the hosts", 60)


def _group(cloud: Cloud, number: int) -> str:
    group = {"name": f"wide{number}", "project_id": "one"}
    return str(cloud.api("POST", "/v2.0/security-groups", {"security_group": group})["security_group"]["id"])


def _rule(group: str, number: int) -> dict[str, object]:
    return {
        "security_group_id": group,
        "direction": "ingress",
        "ethertype": "IPv4",
        "protocol": "tcp",
        "port_range_min": 22,
        "port_range_max": 22,
        "remote_ip_prefix": f"10.{number >> 8}.{number & 0xFF}.0/24",
    }


def flows(hosts: Hosts) -> dict[str, int]:
    """How many each host has."""
    count = [*OFCTL, "dump-aggregate", BRIDGE]
    shown = {host: hosts.lab.host_run(host, count).stdout for host in host_names(hosts.lab)}
    return {host: int(text.rpartition("flow_count=")[2]) for host, text in shown.items()}


def go_over(hosts: Hosts, release: Path | None) -> float:
    """Stop the one release, start the other; the seconds until all hosts are as it wants them."""
    hosts.cloud.kill()
    hosts.cloud.release = release
    began = time.monotonic()
    hosts.cloud.start()
    hosts.until_all("in_sync")
    return round(time.monotonic() - began, 1)


def main() -> int:
    """Run it; exit 0 when nothing was lost and each release found its own version everywhere."""
    directory = Path(tempfile.mkdtemp(prefix="overlace-upgrade-"))
    Lab.remove("upgrade")
    lab = Lab.up(TWO_HOSTS, "upgrade")
    hosts = Hosts(Cloud(lab, directory), watched=False)
    seconds, found = [], set()
    try:
        hosts.at_work()
        come(hosts)
        fill(hosts.cloud, int(os.environ.get("RULES", RULES)))
        counted = flows(hosts)
        print(f"flows: {counted}", flush=True)
        hosts.lost.clear()
        hosts.watched = True
        following = next_release(directory / "next")
        for number in range(1, int(os.environ.get("ROUNDS", ROUNDS)) + 1):
            for name, release in ((f"upgraded {number}", following), (f"rolled back {number}", None)):
                hosts.step(name, SECONDS, lambda release=release: seconds.append(go_over(hosts, release)))
                found.add((release is not None, *versions(hosts)))
    finally:
        hosts.cloud.kill()
        lab.down()
    shutil.rmtree(directory)
    results = {"interval_ms": 5, "flows": counted, "lost": hosts.lost, "seconds": seconds}
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build/upgrade.json").write_text(json.dumps(results, indent=1) + "\n")
    print(f"in sync after {seconds} s")
    good = not any(hosts.lost.values()) and found == {(True, 1), (False, 0)}
    print("all as promised" if good else "NOT as promised", file=sys.stderr)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
