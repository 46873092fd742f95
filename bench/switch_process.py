"""The ovs-vswitchd of a host: what it has used, and what is in its datapath."""

import re
import time
from dataclasses import dataclass
from pathlib import Path

from bench.control_socket import ControlSocket

from overlace.lab.plan import Node

_WAITS = re.compile(r"^voluntary_ctxt_switches:\s*(\d+)", re.MULTILINE)
_LOOKUP = re.compile(r"^\s*\d+\. ", re.MULTILINE)
_PACKETS = re.compile(r"packets:(\d+)")
_MASKED = re.compile(r"=[^,()/]+(?=/)")
_EXACT = re.compile(r"=[^,()/]+(?=[,)])")


@dataclass(frozen=True, slots=True)
class Passage:
    """What ofproto/trace tells of one packet: tables looked into, and how often it went through them again."""

    lookups: int
    recirculations: int


class SwitchProcess:
    """`pid` is the process that forwards, not the one that watches it."""

    def __init__(self, node: Node) -> None:
        self.pid = int((node.rundir / "ovs-vswitchd.pid").read_text())
        self._control = ControlSocket(node.rundir / f"ovs-vswitchd.{self.pid}.ctl")

    def cpu_seconds(self) -> float:
        """Processor time of all its threads, to the nanosecond (clock_getcpuclockid(3))."""
        return time.clock_gettime(~self.pid << 3 | 2)

    def waits(self) -> int:
        """How often the thread that forwards had nothing left to do and slept: so often it has been woken."""
        found = _WAITS.search(Path(f"/proc/{self.pid}/task/{self.pid}/status").read_text())
        return int(found[1]) if found else 0

    def forget_megaflows(self) -> None:
        """The next packet of every flow asks the tables again."""
        self._control.run("revalidator/purge")

    def megaflows(self, least: int) -> list[str]:
        """The matches of the flows in the datapath that at least so many packets have met, as it prints them."""
        lines = self._control.run("dpctl/dump-flows", "-m", "netdev@ovs-netdev").splitlines()
        met = [line for line in lines if int((_PACKETS.search(line) or [0, 0])[1]) >= least]
        return [line.partition(", packets:")[0].partition(" ")[2] for line in met]

    def trace(self, bridge: str, packet: str, *, established: bool) -> Passage:
        """Let a packet, in the syntax of ovs-ofctl(8), through the tables; conntrack calls it new or established."""
        state = "trk,est" if established else "trk,new"
        text = self._control.run("ofproto/trace", bridge, packet, "--ct-next", state, "--ct-next", state)
        return Passage(len(_LOOKUP.findall(text)), text.count("resume conntrack"))


def masks(megaflows: list[str]) -> int:
    """How many different masks the matches have: so many hash tables the datapath may have to try."""
    return len({_EXACT.sub("=", _MASKED.sub("=", each)) for each in megaflows})
