"""What would be written to a switch if its plan were put into force now. Only looks."""

from dataclasses import dataclass
from datetime import datetime

from overlace.datapath.flow import Meter
from overlace.southbound.comparison import compare_entries
from overlace.southbound.failures import NotConnectedError
from overlace.southbound.installed import Installed, read_installed
from overlace.southbound.marker import Stamp, Verdict, judge
from overlace.southbound.operations import Changes
from overlace.southbound.reading import SwitchReader
from overlace.southbound.switch import Switch
from overlace.southbound.synchronisation import read_mark


@dataclass(frozen=True, slots=True)
class Difference:
    """One switch beside its plan. `tunnel_ports` are names; `verdict` is what the stamps say of our store, `version`
    which version of the pipeline the switch was written for (None without a marker)."""

    at: datetime
    flows: Installed
    meters: Changes[Meter]
    tunnel_ports: Changes[str]
    stamps: tuple[Stamp, ...]
    verdict: Verdict
    version: int | None


async def read_difference(switch: Switch) -> Difference:
    """Read a switch in pieces. Raises NotConnectedError, and what `SwitchConnection.request` raises."""
    context, connection, database = switch.context, switch.connection, switch.database
    if connection is None:
        raise NotConnectedError(f"switch {switch.name} is not connected")
    reader = SwitchReader(connection, context.clock, context.settings.piece_size)
    mark = await read_mark(context, reader)
    flows = await read_installed(context, connection, switch.contents)
    meters = {meter.meter_id: meter for meter in await reader.meters()}
    stamps = (mark.stamp if mark else None, database.stamp if database else None)
    table = switch.contents.table
    return Difference(
        context.clock.now(),
        flows,
        compare_entries(table.meters, meters),
        database.tunnel_port_changes(table.tunnel_ports) if database else Changes(),
        tuple(stamp for stamp in stamps if stamp is not None),
        judge(stamps, context.stamp(), context.lineage()),
        mark.version if mark else None,
    )
