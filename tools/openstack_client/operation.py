"""What operators look at: hosts as agents, limits, extensions."""

from tools.openstack_client.command import Chapter, changes, lists, makes, refuses, removes, shows

AGENTS = Chapter(
    "Hosts, as network agents",
    [
        lists("network agent list", "h1", "h2", column="Host"),
        lists("network agent list --host h1", "h1", column="Host", keep="H1"),
        lists("network agent list --agent-type open-vswitch --long", "h1", "h2", column="Host"),
        lists("network agent list --agent-type dhcp", column="Host"),
        shows("network agent show $H1", host="h1", binary="ovs-vswitchd"),
        changes("network agent set --disable $H1", admin_state_up=False),
        changes(
            "network agent set --enable --description first $H1", admin_state_up=True, description="first"
        ),
        refuses("network agent delete $H1", "Agent $H1 is a host: remove the host."),
        refuses("network agent show nothing", "No Agent found for nothing"),
    ],
    before=[
        "site add a",
        "host add h1 --site a --endpoint 192.0.2.1",
        "host add h2 --site a --endpoint 192.0.2.2",
    ],
    after=["host remove h1", "host remove h2", "site remove a"],
)

QUOTAS = Chapter(
    "Quotas",
    [
        shows("quota show --network admin", Resource="networks", Limit=100),
        shows("quota show --network --default admin", Resource="ports", Limit=500),
        shows("quota show --network --usage admin", Resource="networks"),
        shows("quota show", "'NoneType' object has no attribute 'project_id'", Resource="networks"),
        changes(
            "quota set --networks 1 --subnets 2 --ports 3 --secgroups 4 --secgroup-rules 50 admin",
            "quota show --network admin",
            Resource="networks",
            Limit=1,
        ),
        lists("quota list --network", 1, column="Networks"),
        makes("network create one"),
        refuses("network create two", "Quota exceeded for resources: ['network']."),
        refuses(
            "quota set --check-limit --networks 0 admin", "Quota limit 0 for network is below its use of 1."
        ),
        changes(
            "quota set --force --networks 0 admin", "quota show --network admin", Resource="networks", Limit=0
        ),
        changes("quota set --networks -1 admin", "quota show --network admin", Resource="networks", Limit=-1),
        refuses(
            "quota set --networks -2 admin",
            "Invalid input for network. Reason: '-2' is not in range -1 through 2147483647.",
        ),
        refuses("quota set --routers 4 admin", "Unrecognized attribute(s) 'router'"),
        shows("quota delete --network admin"),
        shows("quota show --network admin", Resource="networks", Limit=100),
        removes("network delete one"),
    ],
)

EXTENSIONS = Chapter(
    "Extensions",
    [
        shows("extension list --network", Alias="port-security"),
        shows("extension list --network --long", Alias="quotas"),
        shows("extension show port-security", alias="port-security"),
        refuses("extension show nothing", "No Extension found for nothing"),
        lists("availability zone list --network", column="Zone Name"),
    ],
)

NOT_SERVED = Chapter(
    "What is not served",
    [
        refuses("router create gate", "The resource could not be found."),
        refuses("router list", "The resource could not be found."),
        lists("floating ip list", column="ID"),
        refuses("floating ip create public", "No Network found for public"),
        refuses("subnet pool list", "The resource could not be found."),
        refuses("address scope list", "The resource could not be found."),
        refuses("address group list", "The resource could not be found."),
        refuses("network rbac list", "The resource could not be found."),
        refuses("network trunk list", "The resource could not be found."),
        refuses("network qos policy list", "The resource could not be found."),
        refuses("network meter list", "The resource could not be found."),
        refuses("network flavor list", "The resource could not be found."),
        refuses("network segment range list", "No Extension found for network-segment-range"),
        refuses("network service provider list", "The resource could not be found."),
        refuses("local ip list", "The resource could not be found."),
        refuses("default security group rule list", "The resource could not be found."),
    ],
)
