"""The executable meaning of the data path: what packets do in a switch with given tables.

It is written from the manual pages ovs-fields(7) and ovs-actions(7), not from anything that produces flows, and
is held against ``ovs-appctl ofproto/trace`` and against real packets by its tests. So it can tell whether what
the compiler says is what the model means, what a change would do before it is made, and which way a packet takes.

`Tables` holds flows, groups and meters; `run()` (with the tree of steps) and `effects()` (fast) let a packet
arrive; `Surroundings` says what the world around is like; `deliver()` follows packets through several
switches joined by wires and tunnels.
"""

from overlace.datapath.interpreter.effects import Committed, Dropped, Effect, Learned, Sent, ToController
from overlace.datapath.interpreter.evaluate import effects, run
from overlace.datapath.interpreter.network import Network, Switch, TunnelPort, deliver, follow
from overlace.datapath.interpreter.packet import Packet
from overlace.datapath.interpreter.surroundings import Surroundings
from overlace.datapath.interpreter.tables import Tables
from overlace.datapath.interpreter.trace import Trace, format_trace

__all__ = [
    "Committed",
    "Dropped",
    "Effect",
    "Learned",
    "Network",
    "Packet",
    "Sent",
    "Surroundings",
    "Switch",
    "Tables",
    "ToController",
    "Trace",
    "TunnelPort",
    "deliver",
    "effects",
    "follow",
    "format_trace",
    "run",
]
