"""Why a port cannot speak with all of its network although every switch holds what it should."""

from overlace.compiler.network import carried_by
from overlace.compiler.reader import Reader, World
from overlace.compiler.technologies.members import TECHNOLOGIES
from overlace.model.network import Network
from overlace.model.port import Binding, BindingState, Port
from overlace.model.site import Host


def obstacles(world: World, port_id: str) -> list[str]:
    """What stands between the host where the port is active and the other hosts of its network, for people."""
    reader = Reader(world)
    port = reader.get(Port, port_id)
    if port is None or reader.get(Network, port.network_id) is None:
        return []
    segment = carried_by(reader, port.network_id)
    if segment is None:
        return ["no technology carries the network: it has no segment that one could"]
    bindings = reader.members(Binding, "port", port_id)
    host = next((reader.get(Host, each.host_id) for each in bindings if _is_active(each)), None)
    if host is None:
        return []
    names = sorted(set(reader.outer(Binding, "place", port.network_id)) - {host.id})
    others = {name: other for name in names if (other := reader.get(Host, name)) is not None}
    return TECHNOLOGIES[segment.network_type].obstacles(reader, host, others)


def _is_active(binding: Binding) -> bool:
    return binding.state is BindingState.ACTIVE
