"""What a user may do who is a member of one project, beside an administrator. Only with a login."""

from tools.openstack_client.command import Chapter, changes, lists, makes, refuses, removes, shows

ALICE, SECRET = "alice", "secret"
"""The member, and its password."""

PREPARED = Chapter(
    "For a member: what the administrator prepares",
    [
        makes("project create blue"),
        makes(f"user create --password {SECRET} {ALICE}"),
        changes(
            f"role add --project blue --user {ALICE} member",
            f"role assignment list --user {ALICE} --names",
            Role="member",
        ),
        makes("network create secret"),
        makes("network create --share common"),
        makes("subnet create --network common --subnet-range 10.5.0.0/24 shared"),
    ],
    needs_login=True,
)

MEMBER = Chapter(
    "As a member of a project",
    [
        makes("network create mine", provider__network_type=None),
        lists("network list", "common", "mine"),
        refuses("network show secret", "No Network found for secret"),
        refuses("network create --share theirs", "(rule:create_network:shared) is disallowed by policy"),
        refuses(
            "network create --external theirs",
            "(rule:create_network:router:external) is disallowed by policy",
        ),
        refuses(
            "network create --provider-network-type vxlan theirs",
            "(rule:create_network:provider:network_type) is disallowed by policy",
        ),
        refuses("network set --share mine", "(rule:update_network:shared) is disallowed by policy"),
        refuses("network set --name mine common", "(rule:update_network) is disallowed by policy"),
        refuses("network delete common", "(rule:delete_network) is disallowed by policy"),
        makes("subnet create --network mine --subnet-range 10.0.0.0/24 v4", cidr="10.0.0.0/24"),
        makes("port create --network mine --mac-address 02:00:00:00:00:07 web", binding_host_id=None),
        makes("port create --network common guest", status="DOWN"),
        refuses(
            "port create --network mine --host h1 here",
            "(rule:create_port:binding:host_id) is disallowed by policy",
        ),
        refuses(
            "port create --network mine --binding-profile a=b here",
            "(rule:create_port:binding:profile) is disallowed by policy",
        ),
        refuses("port set --host h1 web", "(rule:update_port:binding:host_id) is disallowed by policy"),
        refuses(
            "port create --network common --mac-address 02:00:00:00:00:08 odd",
            "(rule:create_port:mac_address) is disallowed by policy",
        ),
        refuses(
            "port create --network common --fixed-ip ip-address=10.5.0.7 odd",
            "(rule:create_port:fixed_ips:ip_address) is disallowed by policy",
        ),
        refuses(
            "port create --network common --no-security-group --disable-port-security odd",
            "(rule:create_port:port_security_enabled) is disallowed by policy",
        ),
        lists("security group list", "default"),
        lists("network segment list"),
        lists("network agent list", column="Host"),
        lists("ip availability list", column="Network Name"),
        shows("quota show --network", Resource="networks", Limit=100),
        refuses("quota set --networks 5 blue", "(rule:update_quota) is disallowed by policy"),
        lists("project list", "blue"),
        refuses("project show admin", "No Project found for admin"),
        refuses(
            "project create red", "not authorized to perform the requested action: identity:create_project."
        ),
        refuses("user list", "not authorized to perform the requested action: identity:list_users."),
        refuses(
            "role assignment list",
            "not authorized to perform the requested action: identity:list_role_assignments.",
        ),
        shows("catalog show network", type="network"),
        shows("token issue"),
        removes("port delete web guest"),
        removes("network delete mine"),
    ],
    needs_login=True,
    cloud="member",
)

TIDIED = Chapter(
    "For a member: what the administrator removes",
    [
        removes("network delete secret common"),
        removes("user delete alice"),
        removes("project delete blue"),
    ],
    needs_login=True,
)
