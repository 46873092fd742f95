"""Security groups and their rules."""

from tools.openstack_client.command import Chapter, changes, counts, lists, makes, refuses, removes, shows

GROUPS = Chapter(
    "Security groups",
    [
        makes("security group create web", name="web", stateful=True),
        makes("security group create --description behind --project admin db", description="behind"),
        makes("security group create --stateless raw", stateful=False),
        makes("security group create --stateful kept", stateful=True),
        lists("security group list", "db", "default", "kept", "raw", "web"),
        lists("security group list --project admin", "db", "default", "kept", "raw", "web"),
        shows("security group show web", name="web"),
        changes(
            "security group set --name front --description first web",
            "security group show front",
            description="first",
        ),
        changes("security group set --stateless kept", stateful=False),
        refuses("security group set --name default front", "Default security group already exists."),
        changes("security group delete default", "security group list", Name="default"),
        refuses("security group create default", "Default security group already exists."),
        refuses("security group show nothing", "No SecurityGroup found for nothing"),
        removes("security group delete front db raw kept"),
    ],
)

RULES = Chapter(
    "Security group rules",
    [
        makes("security group create web"),
        makes("security group create db"),
        makes(
            "security group rule create --protocol tcp --dst-port 80:81 web",
            keep="TCP",
            protocol="tcp",
            port_range_min=80,
            port_range_max=81,
            direction="ingress",
            ether_type="IPv4",
            remote_ip_prefix="0.0.0.0/0",
        ),
        makes(
            "security group rule create --ingress --ethertype IPv6 --protocol udp --dst-port 53 "
            "--remote-ip 2001:db8::/32 --description names web",
            keep="UDP",
            ether_type="IPv6",
            remote_ip_prefix="2001:db8::/32",
            description="names",
        ),
        makes(
            "security group rule create --egress --protocol icmp --icmp-type 8 --icmp-code 0 web",
            direction="egress",
            port_range_min=8,
            port_range_max=0,
        ),
        makes(
            "security group rule create --ethertype IPv6 --protocol ipv6-icmp --icmp-type 128 web",
            protocol="ipv6-icmp",
            port_range_min=128,
        ),
        makes(
            "security group rule create --protocol tcp --dst-port 5432 --remote-group web db",
            keep="GROUP",
            remote_ip_prefix=None,
        ),
        makes("security group rule create --protocol any --remote-ip 10.0.0.0/8 web", protocol=None),
        makes("security group rule create --protocol sctp --dst-port 9 web", protocol="sctp"),
        makes("security group rule create --protocol vrrp web", protocol="vrrp"),
        makes("security group rule create --protocol 47 web", protocol="47"),
        makes("security group rule create --protocol tcp --dst-port 1:65535 --project admin db"),
        shows("security group rule show $TCP", protocol="tcp"),
        counts("security group rule list --protocol tcp web", 1),
        counts("security group rule list --long --ingress db", 2),
        counts("security group rule list --egress web", 3),
        refuses(
            "security group rule create --protocol tcp --dst-port 80:81 web",
            "Security group rule already exists. Rule id is $TCP.",
        ),
        refuses(
            "security group rule create --protocol tcp --dst-port 81:80 web",
            "Invalid range, 81 is not less than 80",
        ),
        refuses(
            "security group rule create --protocol tcp --dst-port 70000 web", "Invalid value for port 70000"
        ),
        refuses(
            "security group rule create --protocol gre --dst-port 80 web",
            "Invalid protocol gre for port range, only supported for TCP, UDP, UDPLITE, SCTP and DCCP.",
        ),
        refuses(
            "security group rule create --protocol 300 web",
            "Invalid input for protocol. Reason: '300' is not an IP protocol",
        ),
        refuses(
            "security group rule create --remote-ip 10.0.0.0/40 web",
            "Invalid input for remote_ip_prefix. Reason: '10.0.0.0/40' is not a valid IP subnet.",
        ),
        refuses(
            "security group rule create --ethertype IPv6 --remote-ip 10.0.0.0/8 web",
            "Conflicting value ethertype IPv6 for CIDR 10.0.0.0/8",
        ),
        refuses(
            "security group rule create --protocol icmp --icmp-type 300 web",
            "Invalid value for ICMP type: 300.",
        ),
        refuses(
            "security group rule create --remote-group nothing web", "No SecurityGroup found for nothing"
        ),
        refuses(
            "security group rule create --remote-address-group lab web", "The resource could not be found."
        ),
        removes("security group rule delete $TCP $UDP"),
        removes("security group delete db web"),
    ],
)
