"""Path-MTU probes: what arrives on their VNI goes to the controller, so many a second and no more.

The sender has passed TUNNEL_ADMIT by then, so it is a host; tenants cannot choose a VNI. The meter stands apart
from the base rules: a switch that has no meters goes without probes, not without its tables.
"""

from overlace.compiler.pipeline import METER_PROBE, VNI_PROBE, CookieClass, Table, cookie
from overlace.compiler.plan import Fragment
from overlace.compiler.rule import rule
from overlace.datapath.actions import ApplyMeter, SendToController
from overlace.datapath.fields import Field
from overlace.datapath.flow import Meter, MeterUnit

PROBE = b"probe"
"""Userdata of packet-ins that carry a path-MTU probe from another host."""
PROBES_PER_SECOND = 100


def probe_fragment() -> Fragment:
    """The rule and its meter, for all hosts."""
    meter = Meter(METER_PROBE, MeterUnit.PKTPS, PROBES_PER_SECOND, PROBES_PER_SECOND)
    punt = rule(
        Table.WIRE_IN,
        200,
        {Field.TUN_ID: VNI_PROBE},
        cookie(CookieClass.BASE),
        ApplyMeter(METER_PROBE),
        SendToController(PROBE),
    )
    return Fragment(("probe",), (punt,), meters=(meter,))
