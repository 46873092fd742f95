"""What depends on what, on one page.

    unit              one for each          reads                                  for whom
    ----              ------------          -----                                  --------
    base              controller            the UDP port of tunnels                all hosts
    host              host                  its endpoints, its fabric interface    all hosts; itself
    reach             host                  its endpoints, which are silent        the hosts of a family, of a site
    liveness          controller            the same, all hosts with endpoints     each host
    network           network               its segment, the hosts it is on        the hosts of the network
    place             (network, host)       the ports there                        that host
    autoconfiguration network               the modes of its subnets               the hosts of the network
    gateway           subnet                its gateway address                    the hosts of the network
    port              port                  its bindings, their hosts, its trails  the hosts of the network; each
                                                                                   that is asked about it
    shared_mac        (network, MAC)        the ports allowed it, their hosts      the hosts of the network
    binding           binding               port, groups, ofport, other bindings,  that host
                                            trails
    security_group    security group        its rules                              the hosts with such a port
    member            port                  its groups and addresses               the hosts whose rules ask
    physical          network               its physical segment, who can bridge   its gateway; its hosts
                                            it and is heard, its ports' addresses
    bridges           host                  its bridges into physical networks     itself
    transit           transit switch        links, their ports, the hosts at it    the transit switches on the way

A unit that reads only what stands here cannot be dirtied by anything else. What the units of ports, bindings, members
and places read near to them (their port, its bindings, network, groups, interface) is not noted for each: whom a
change of that concerns follows from the key (`kin`).
A new kind of rule is a new row: write its `project` and `build` in a module of its own, and add it below. The kinds of
transit switches come from the technologies (`technologies/`).
"""

from collections.abc import Iterable

from overlace.compiler import (
    autoconfiguration,
    base,
    binding,
    gateway,
    host,
    liveness,
    location,
    network,
    physical,
    place,
    reach,
    security_group,
    shared_mac,
)
from overlace.compiler.technologies.members import TECHNOLOGIES
from overlace.compiler.unit import UnitId, UnitKind, rooted_in, rooted_in_index
from overlace.model.network import Network, Subnet
from overlace.model.policy import SecurityGroup
from overlace.model.port import Binding, Port
from overlace.model.site import Host
from overlace.model.snapshot import Key, Snapshot


def _once(_: Snapshot) -> Iterable[UnitId]:
    return ((),)


def _the_one(_: Key) -> UnitId:
    """Looked at when hosts come and go, so that a compiler that starts empty has it in time."""
    return ()


UNIT_KINDS: tuple[UnitKind, ...] = (
    UnitKind("base", (Host, ""), _once, _the_one, base.project, base.build),
    UnitKind("host", project=host.project, build=host.build, **rooted_in(Host)),
    UnitKind("reach", project=reach.project, build=reach.build, **rooted_in(Host)),
    UnitKind("liveness", (Host, ""), _once, _the_one, liveness.project, liveness.build),
    UnitKind("network", project=network.project, build=network.build, **rooted_in(Network)),
    UnitKind(
        "place",
        project=place.project,
        build=place.build,
        kin=place.kin,
        **rooted_in_index(Binding, "place"),
    ),
    UnitKind(
        "autoconfiguration",
        project=autoconfiguration.project,
        build=autoconfiguration.build,
        **rooted_in(Network),
    ),
    UnitKind("gateway", project=gateway.project, build=gateway.build, **rooted_in(Subnet)),
    UnitKind("port", project=location.project, build=location.build, kin=location.kin, **rooted_in(Port)),
    UnitKind(
        "shared_mac",
        project=shared_mac.project,
        build=shared_mac.build,
        **rooted_in_index(Port, "pair_mac"),
    ),
    UnitKind(
        "binding",
        (Binding, ""),
        binding.roots,
        binding.root_of,
        binding.project,
        binding.build,
        binding.kin,
    ),
    UnitKind(
        "security_group",
        project=security_group.project,
        build=security_group.build,
        **rooted_in(SecurityGroup),
    ),
    UnitKind(
        "member",
        project=security_group.project_member,
        build=security_group.build_members,
        kin=security_group.kin_of_group,
        **rooted_in(Port),
    ),
    UnitKind("physical", project=physical.project, build=physical.build, **rooted_in(Network)),
    UnitKind("bridges", project=physical.project_bridges, build=physical.build_bridges, **rooted_in(Host)),
    *(kind for technology in TECHNOLOGIES.values() for kind in technology.transit),
)
