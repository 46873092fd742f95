"""A host that is in sync, as the southbound tells it."""

from overlace.southbound.status import Phase, SwitchStatus

IN_SYNC = SwitchStatus(
    name="h1",
    phase=Phase.IN_SYNC,
    hold=None,
    observed_only=False,
    peer=None,
    database=True,
    tunnel_ports=None,
    sequence=3,
    wanted_flows=57,
    held_out={},
    last_resync=None,
    flows_sent=60,
    batches=2,
    bytes_sent=4000,
    resyncs=1,
    resync_changes=5,
    audit_repairs=3,
)
