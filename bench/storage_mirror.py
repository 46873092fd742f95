"""What it takes to bring a disk to another site: QEMU's single-stream mirror beside the stripes of a move, same run.

    python -m bench.storage_mirror [--delays 10,50,100] [--losses 0,0.1,1] [--disk 1024] [--data 300] [--limit 600]
    python -m bench.storage_mirror --table

Two hosts of a laboratory, one at each site; delays are round trips in ms, losses in per cent each way, sizes in MiB.
The disk is raw, its data random, the rest holes. `mirror` is blockdev-mirror over one NBD connection until it is ready,
`stripes` what a move does (orchestration/qmp/disks.py), both with the congestion control of
--control (the kernel lets namespaces have what net.ipv4.tcp_allowed_congestion_control says). Bytes are those of the
source's interface with all headers. The copy is compared with the original afterwards, and the
destination's storage is written to before and after (MB/s, 64 MiB with fsync). The processors that were busy meanwhile
are counted, the copy's own work included. Each case gets --limit seconds; what did not come to an end is given with how
far it was, and the ratio is that of the bytes sent in a second, too. With --append the cases of earlier
runs stay in the file, so that a grid can be measured cell by cell; --table prints what the file has, and measures
nothing.
"""

import argparse
import asyncio
import contextlib
import filecmp
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from overlace.lab.lab import Lab
from overlace.orchestration.qmp.disks import DiskCopy
from overlace.orchestration.qmp.exports import FIRST_PORT
from overlace.orchestration.qmp.monitor import Monitor
from overlace.orchestration.sight import Disks

METHODS = ("mirror", "stripes")
SOURCE, DESTINATION = "h1", "h3"
NODE = "disk0"
OUTPUT = Path("build/storage.json")


@dataclass(frozen=True)
class Case:
    """One copy: how it went."""

    rtt_ms: float
    loss_pct: float
    method: str
    control: str
    done: bool
    seconds: float
    percent: float
    wire_mb: float
    identical: bool
    storage_mb_s: tuple[float, float]
    processors_busy: float


class Bench:
    """Both hosts, and the files."""

    def __init__(self, lab: Lab, directory: Path, disk: int, data: int, limit: float, control: str) -> None:
        self.control = control
        self.lab = lab
        self.source = directory / "source.img"
        self.destination = directory / "destination.img"
        self.directory = directory
        self.disk = disk << 20
        self.limit = limit
        with self.source.open("wb") as file:
            file.truncate(self.disk)
            for _ in range(data):
                file.write(os.urandom(1 << 20))

    async def measure(self, rtt_ms: float, loss_pct: float, method: str) -> Case:
        """One copy over a way like this."""
        self.lab.wan(delay_ms=rtt_ms / 2, loss_pct=loss_pct)
        for host in (SOURCE, DESTINATION):
            self.lab.host_run(host, ["sysctl", "-qw", f"net.ipv4.tcp_congestion_control={self.control}"])
        self.destination.unlink(missing_ok=True)
        with self.destination.open("wb") as file:
            file.truncate(self.disk)
        before = self.storage_speed()
        async with (
            asyncio.TaskGroup() as tasks,
            self.qemu(SOURCE, self.source, tasks) as source,
            self.qemu(DESTINATION, self.destination, tasks) as destination,
        ):
            sent, busy, began = self.sent(), processor_seconds(), time.monotonic()
            address = str(self.lab.host(DESTINATION).endpoints[0])
            copy = mirror if method == "mirror" else stripes
            done, percent = await copy(source, destination, address, self.limit)
            seconds, wire = time.monotonic() - began, self.sent() - sent
            busy = (processor_seconds() - busy) / seconds
        identical = done and filecmp.cmp(self.source, self.destination, shallow=False)
        speeds = (before, self.storage_speed())
        return Case(
            rtt_ms,
            loss_pct,
            method,
            self.control,
            done,
            round(seconds, 2),
            round(percent, 1),
            wire / 1e6,
            identical,
            speeds,
            round(busy, 2),
        )

    def sent(self) -> int:
        """Bytes that the source has sent into the underlay."""
        counted = self.lab.host_run(SOURCE, ["cat", "/proc/net/dev"]).stdout.splitlines()
        return max(int(line.split()[9]) for line in counted[2:] if not line.split()[0].startswith("lo"))

    def storage_speed(self) -> float:
        """MB/s that the destination's storage takes."""
        path, block = self.directory / "speed", os.urandom(1 << 20)
        began = time.monotonic()
        with path.open("wb") as file:
            for _ in range(64):
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        seconds = time.monotonic() - began
        path.unlink()
        return round((64 << 20) / 1e6 / seconds, 1)

    @contextlib.asynccontextmanager
    async def qemu(self, host: str, disk: Path, tasks: asyncio.TaskGroup) -> AsyncIterator[Monitor]:
        """A machine that does nothing but hold a disk."""
        socket = self.directory / f"{host}.qmp"
        node = f"driver=raw,node-name={NODE},discard=unmap,file.driver=file,file.discard=unmap"
        command = [
            "qemu-system-x86_64",
            "-accel",
            "tcg",
            "-machine",
            "none",
            "-nodefaults",
            "-display",
            "none",
            "-S",
        ]
        command += ["-qmp", f"unix:{socket},server=on,wait=off", "-blockdev", f"{node},file.filename={disk}"]
        with (self.directory / f"{host}.log").open("wb") as log:
            namespace = ["ip", "netns", "exec", self.lab.host(host).namespace]
            process = await asyncio.create_subprocess_exec(*namespace, *command, stdout=log, stderr=log)
        try:
            async with asyncio.timeout(20):
                while not socket.exists():  # noqa: ASYNC110 - QEMU tells in no other way
                    await asyncio.sleep(0.05)
            await asyncio.sleep(0.2)
            monitor = await Monitor.connect(str(socket), lambda: None, tasks)
            yield monitor
            await monitor.close()
        finally:
            process.kill()
            await process.wait()
            socket.unlink(missing_ok=True)


def processor_seconds() -> float:
    """What all processors of the machine have worked since it began."""
    user, nice, system, _, _, interrupts, soft, *_ = Path("/proc/stat").read_text().split()[1:]
    return sum(map(int, (user, nice, system, interrupts, soft))) / os.sysconf("SC_CLK_TCK")


async def stripes(source: Monitor, destination: Monitor, address: str, limit: float) -> tuple[bool, float]:
    """As a move does it."""
    copy = DiskCopy(0)
    await copy.begin(source, destination, address, (NODE,))
    end = time.monotonic() + limit
    while copy.state is Disks.COPYING and time.monotonic() < end:
        await asyncio.sleep(0.03)
        await copy.advance(source, (NODE,))
    return copy.state is Disks.IN_STEP, copy.progress.percent


async def mirror(source: Monitor, destination: Monitor, address: str, limit: float) -> tuple[bool, float]:
    """QEMU's own, over one connection."""
    where = {"type": "inet", "data": {"host": address, "port": str(FIRST_PORT)}}
    await destination.execute("nbd-server-start", addr=where)
    await destination.execute(
        "block-export-add", type="nbd", id="e", node_name=NODE, name=NODE, writable=True
    )
    server = {"type": "inet", "host": address, "port": str(FIRST_PORT)}
    await source.execute(
        "blockdev-add", driver="nbd", node_name="target", server=server, export=NODE, discard="unmap"
    )
    await source.execute("blockdev-mirror", job_id="m", device=NODE, target="target", sync="full")
    end = time.monotonic() + limit
    while True:
        (job,) = await source.execute("query-block-jobs")
        if job["ready"] or time.monotonic() > end:
            return job["ready"], 100 * job["offset"] / max(job["len"], 1)
        await asyncio.sleep(0.1)


async def run(arguments: argparse.Namespace) -> list[Case]:
    """Every case, one after the other."""
    cases = []
    with tempfile.TemporaryDirectory(prefix="ovl-") as directory, Lab.up(None, arguments.lab) as lab:
        bench = Bench(
            lab, Path(directory), arguments.disk, arguments.data, arguments.limit, arguments.control
        )
        for rtt in arguments.delays:
            for loss in arguments.losses:
                for method in arguments.methods:
                    case = await bench.measure(rtt, loss, method)
                    print(json.dumps(asdict(case)), flush=True)
                    cases.append(case)
    return cases


def table(cases: list[dict[str, Any]]) -> str:
    """A line for each way, of the last case of each method; what did not come to an end says how far it was."""
    last = {(each["rtt_ms"], each["loss_pct"], each["control"], each["method"]): each for each in cases}
    lines = [
        "| round trip | loss each way | mirror | stripes | ratio | storage before and after, MB/s | processors busy |",
        "|---|---|---|---|---|---|---|",
    ]
    for rtt, loss, control in sorted({key[:3] for key in last}):
        both = [last.get((rtt, loss, control, method)) for method in METHODS]
        measured = [each for each in both if each is not None]
        cells = [f"{rtt:g} ms", f"{loss:g} %" + ("" if control == "reno" else f", {control}")]
        cells += [*(_told(each) for each in both), _ratio(*both)]
        cells.append("; ".join("{:.0f}, {:.0f}".format(*each["storage_mb_s"]) for each in measured))
        cells.append("; ".join(f"{each['processors_busy']:.1f}" for each in measured))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _told(case: dict[str, Any] | None) -> str:
    if case is None:
        return "not measured"
    if case["done"]:
        return f"{case['seconds']:.1f} s" + ("" if case["identical"] else ", NOT IDENTICAL")
    return f"not done after {case['seconds']:.0f} s: {case['wire_mb']:.0f} MB sent"


def _ratio(mirrored: dict[str, Any] | None, striped: dict[str, Any] | None) -> str:
    if mirrored is None or striped is None:
        return ""
    ratio = mirrored["seconds"] / striped["seconds"]
    if mirrored["done"]:
        return f"{ratio:.1f}" if striped["done"] else ""
    rates = [each["wire_mb"] / each["seconds"] for each in (mirrored, striped)]
    by_bytes = f"{rates[1] / rates[0]:.1f} by bytes sent"
    return f"over {ratio:.1f}; {by_bytes}" if striped["done"] else by_bytes


def main() -> None:
    """Measure, print a line a case, write build/storage.json."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )

    def numbers(text: str) -> list[float]:
        return [float(each) for each in text.split(",")]

    parser.add_argument("--delays", type=numbers, default=[10.0, 50.0, 100.0], help="round trips, ms")
    parser.add_argument("--losses", type=numbers, default=[0.0, 0.1, 1.0], help="per cent")
    parser.add_argument("--methods", type=lambda text: text.split(","), default=list(METHODS))
    parser.add_argument("--disk", type=int, default=1024, help="MiB")
    parser.add_argument("--data", type=int, default=300, help="MiB of it that are not zero")
    parser.add_argument("--control", default="reno", help="congestion control of both hosts")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds a case")
    parser.add_argument("--lab", default="storage", help="the laboratory's name")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    parser.add_argument("--append", action="store_true", help="keep the cases that the output has")
    parser.add_argument(
        "--table", action="store_true", help="print the output as a table, and measure nothing"
    )
    arguments = parser.parse_args()
    kept = arguments.table or (arguments.append and arguments.output.exists())
    told = json.loads(arguments.output.read_text()) if kept else {"cases": []}
    if arguments.table:
        print(table(told["cases"]))
        return
    told |= {"disk_mib": arguments.disk, "data_mib": arguments.data, "limit_s": arguments.limit}
    told["cases"] += [asdict(case) for case in asyncio.run(run(arguments))]
    arguments.output.parent.mkdir(exist_ok=True)
    arguments.output.write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    main()
