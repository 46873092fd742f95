"""Running a packet through the tables of one switch."""

from overlace.datapath.fields import Field
from overlace.datapath.interpreter.effects import Effect
from overlace.datapath.interpreter.packet import Packet
from overlace.datapath.interpreter.pipeline import Pipeline
from overlace.datapath.interpreter.recorder import Recorder
from overlace.datapath.interpreter.surroundings import Surroundings
from overlace.datapath.interpreter.tables import Tables
from overlace.datapath.interpreter.trace import Trace

FRIENDLY = Surroundings()
"""Every port lives, every meter passes, every connection is new."""


def run(tables: Tables, packet: Packet, in_port: int, surroundings: Surroundings = FRIENDLY) -> Trace:
    """Let a packet arrive on a port and tell all that happens: the way it took, and what came of it.

    The packet given is not changed; learn() changes `tables`, commits change the conntrack oracle.
    """
    recorder = Recorder()
    done = _run(tables, packet, in_port, surroundings, recorder)
    return Trace(tuple(recorder.steps), tuple(done))


def effects(
    tables: Tables, packet: Packet, in_port: int, surroundings: Surroundings = FRIENDLY
) -> list[Effect]:
    """The same as `run()` without the tree: what came of the packet."""
    return _run(tables, packet, in_port, surroundings, None)


def _run(
    tables: Tables, packet: Packet, in_port: int, surroundings: Surroundings, recorder: Recorder | None
) -> list[Effect]:
    arriving = packet.copy()
    arriving[Field.IN_PORT] = in_port
    pipeline = Pipeline(tables, arriving, surroundings, recorder)
    pipeline.run_branch(0)
    return pipeline.effects
