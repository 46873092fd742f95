"""All scenarios, one after another, into one file; `python -m bench.report` makes tables of it.

    python -m bench.scenarios [--short] [--only port_ready,memory] [--halting] [--output build/bench.json]

Each runs as a process of its own, as it does alone, and its figures go under its key beside the machine, the
versions and the time; keys that were not run keep what an earlier run found. `--short` takes sizes that show that
everything works, and nothing else. Processors are kept awake meanwhile (bench/awake.py), unless `--halting` lets them
halt when idle, as they do by themselves.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.awake import awake
from bench.summary import write

_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Part:
    """One module that takes `--output`, with its arguments for a full and for a short run."""

    module: str
    full: str = ""
    short: str = ""


SCENARIOS: Mapping[str, Mapping[str, Part]] = {
    "port_ready": {
        "": Part("port_ready", short="--hosts 20 --ports-per-host 5 --samples 3 --fan-outs 2,20"),
    },
    "first_packet": {
        "": Part("first_packet", "--ports 1000,5000,10000,20000 --routers", "--ports 0 --samples 2"),
    },
    "flat_cost": {
        "": Part(
            "flat_cost",
            short="--hosts 20 --sizes 500,1000 --churn 100 --samples 5 --network-sizes 20,50 --group-sizes 10,20",
        ),
    },
    "cold_start": {
        "restart": Part("restart", short="--ports 1000 --hosts 20 --refills 2"),
        "traffic": Part("cold_start", short="--ports 0 --rounds 1 --seconds 4"),
        "audit": Part("audit_pressure", short="--ports 200 --rounds 1"),
    },
    "memory": {
        "": Part("memory", short="--sizes 500,1000 --hosts 10 --churn 50"),
    },
    "datapath": {
        "": Part("datapath", short="--samples 2 --rounds 1 --seconds 0.2"),
    },
    "move": {
        "": Part("move", short="--moves 1"),
    },
    "boot_storm": {
        "simulated": Part("boot_storm", short="--ports 50 --hosts 10 --rounds 1"),
        "pings": Part("boot_pings", short="--ports 20 --clients 2 --hosts 2 --rounds 1"),
    },
    "api_rates": {
        "": Part("api_rates", short="--ports 100 --rounds 1"),
    },
}


def run(keys: list[str], output: Path, *, short: bool, halting: bool) -> list[str]:
    """Run these scenarios; after each the file is written. Gives those that failed, which keep no one from the rest."""
    figures: dict[str, Any] = json.loads(output.read_text()) if output.exists() else {}
    failed: list[str] = []
    for key in keys:
        on = machine()
        try:
            with nullcontext() if halting else awake():
                found = {
                    name: _figures(part, output.parent, short=short) for name, part in SCENARIOS[key].items()
                }
        except subprocess.CalledProcessError as error:
            print(f"--- {key} failed: {error}", flush=True)
            failed.append(key)
            continue
        taken = found.get("", found)
        figures[key] = taken | {"taken": {"at": _now(), "short": short, "processors_halt": halting} | on}
        write(figures, output)
    return failed


def _figures(part: Part, directory: Path, *, short: bool) -> dict[str, Any]:
    print(f"--- {part.module}", flush=True)
    output = directory / f"{part.module}.json"
    arguments = (part.short if short else part.full).split()
    command = [sys.executable, "-m", f"bench.{part.module}", *arguments, "--output", str(output)]
    subprocess.run(command, check=True, cwd=_ROOT)
    figures: dict[str, Any] = json.loads(output.read_text())
    return figures


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return {
        "processors": f"{os.cpu_count()} x {model[1] if model else platform.machine()}",
        "load_average": round(os.getloadavg()[0], 2),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "open_vswitch": _version(["ovs-vswitchd", "--version"]),
        "ovn": _version(["ovn-nbctl", "--version"]),
        "overlace": _version(["git", "describe", "--always", "--dirty"]),
    }


def _version(command: list[str]) -> str:
    try:
        text = subprocess.run(command, capture_output=True, text=True, check=True, cwd=_ROOT).stdout
    except (OSError, subprocess.CalledProcessError):
        return "none"
    return text.splitlines()[0].split()[-1]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--short", action="store_true", help="small sizes: a trial, not a measurement")
    parser.add_argument("--halting", action="store_true", help="let idle processors halt")
    parser.add_argument("--only", default=",".join(SCENARIOS), help="some of the scenarios")
    parser.add_argument("--output", type=Path, default=Path("build/bench.json"))
    options = parser.parse_args()
    keys = options.only.split(",")
    if unknown := [key for key in keys if key not in SCENARIOS]:
        parser.error(f"no such scenario: {', '.join(unknown)}; there are {', '.join(SCENARIOS)}")
    if failed := run(keys, options.output, short=options.short, halting=options.halting):
        raise SystemExit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
