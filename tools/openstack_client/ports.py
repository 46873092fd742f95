"""Ports: addresses, security, place."""

from tools.openstack_client.command import Chapter, changes, lists, makes, refuses, removes, shows

PORTS = Chapter(
    "Ports",
    [
        makes("network create red"),
        makes("subnet create --network red --subnet-range 10.0.0.0/24 v4", "V4"),
        makes("subnet create --network red --ip-version 6 --subnet-range fd00::/64 v6", "V6"),
        makes("security group create web", "WEB"),
        makes(
            "port create --network red plain", status="DOWN", admin_state_up=True, port_security_enabled=True
        ),
        makes(
            "port create --network red --fixed-ip subnet=v4,ip-address=10.0.0.9 --fixed-ip "
            "subnet=v6,ip-address=fd00::9 fixed"
        ),
        makes("port create --network red --fixed-ip ip-address=10.0.0.10 four"),
        makes("port create --network red --fixed-ip subnet=v6 six"),
        makes("port create --network red --no-fixed-ip unnumbered", fixed_ips=[]),
        makes(
            "port create --network red --mac-address 02:00:00:00:00:01 --device vm1 --device-owner "
            "compute:a --description front --disable machine",
            mac_address="02:00:00:00:00:01",
            device_id="vm1",
            device_owner="compute:a",
            admin_state_up=False,
        ),
        makes("port create --network red --security-group web guarded"),
        makes(
            "port create --network red --no-security-group --disable-port-security open",
            port_security_enabled=False,
            security_group_ids=[],
        ),
        makes(
            "port create --network red --allowed-address ip-address=10.0.0.200 --allowed-address "
            "ip-address=fd00::200,mac-address=02:00:00:00:00:99 shared"
        ),
        makes(
            "port create --network red --extra-dhcp-option name=domain-name,value=example.org "
            "--extra-dhcp-option name=ntp-server,value=192.0.2.123,ip-version=4 options"
        ),
        makes(
            "port create --network red --host h1 --vnic-type normal --binding-profile interface_name=tap1 "
            "--binding-profile rack=7 placed",
            binding_host_id="h1",
            binding_vif_type="ovs",
        ),
        makes("port create --network red --project admin --enable ours"),
        lists(
            "port list",
            "fixed",
            "four",
            "guarded",
            "machine",
            "open",
            "options",
            "ours",
            "placed",
            "plain",
            "shared",
            "six",
            "unnumbered",
        ),
        lists("port list --long --network red --name machine", "machine"),
        lists("port list --device-owner compute:a", "machine"),
        lists("port list --device-id vm1", "machine"),
        lists("port list --mac-address 02:00:00:00:00:01", "machine"),
        lists("port list --fixed-ip ip-address=10.0.0.9", "fixed"),
        lists("port list --fixed-ip ip-substring=0.0.9", "fixed"),
        lists("port list --fixed-ip subnet=v6,ip-address=fd00::9", "fixed"),
        lists("port list --host h1", "placed"),
        lists("port list --security-group $WEB", "guarded"),
        lists("port list --status DOWN --project admin --name four", "four"),
        shows("port show fixed", name="fixed"),
        changes("port set --name basic --description simple plain", "port show basic", description="simple"),
        changes("port set --disable basic", admin_state_up=False),
        changes("port set --enable basic", admin_state_up=True),
        changes(
            "port set --device vm2 --device-owner compute:b basic", device_id="vm2", device_owner="compute:b"
        ),
        changes("port unset --device --device-owner basic", device_id="", device_owner=""),
        changes("port set --mac-address 02:00:00:00:00:02 basic", mac_address="02:00:00:00:00:02"),
        changes(
            "port set --no-fixed-ip --fixed-ip ip-address=10.0.0.77 basic",
            fixed_ips=[{"subnet_id": "$V4", "ip_address": "10.0.0.77"}],
        ),
        changes(
            "port set --fixed-ip subnet=v6,ip-address=fd00::77 basic",
            fixed_ips=[
                {"subnet_id": "$V4", "ip_address": "10.0.0.77"},
                {"subnet_id": "$V6", "ip_address": "fd00::77"},
            ],
        ),
        changes(
            "port unset --fixed-ip subnet=v6,ip-address=fd00::77 basic",
            fixed_ips=[{"subnet_id": "$V4", "ip_address": "10.0.0.77"}],
        ),
        changes("port set --no-security-group --security-group web basic", security_group_ids=["$WEB"]),
        changes("port unset --security-group web basic", security_group_ids=[]),
        changes("port set --no-security-group --disable-port-security basic", port_security_enabled=False),
        changes("port set --enable-port-security basic", port_security_enabled=True),
        changes(
            "port set --allowed-address ip-address=10.0.0.201,mac-address=02:00:00:00:00:88 basic",
            allowed_address_pairs=[{"ip_address": "10.0.0.201", "mac_address": "02:00:00:00:00:88"}],
        ),
        changes(
            "port unset --allowed-address ip-address=10.0.0.201,mac-address=02:00:00:00:00:88 basic",
            allowed_address_pairs=[],
        ),
        changes("port set --no-allowed-address shared", allowed_address_pairs=[]),
        changes(
            "port set --extra-dhcp-option name=mtu,value=1400 basic",
            extra_dhcp_opts=[{"opt_name": "mtu", "opt_value": "1400", "ip_version": 4}],
        ),
        changes("port set --host h1 basic", binding_host_id="h1", binding_vif_type="ovs"),
        changes("port unset --host basic", binding_host_id="", binding_vif_type="unbound"),
        changes(
            "port set --binding-profile interface_name=tap2 basic", binding_profile={"interface_name": "tap2"}
        ),
        changes("port unset --binding-profile interface_name basic", binding_profile={}),
        changes("port set --no-binding-profile --binding-profile a=b basic", binding_profile={"a": "b"}),
        changes("port set --no-binding-profile basic", binding_profile={}),
        refuses(
            "port create --network red --fixed-ip ip-address=10.0.0.9 again",
            "IP address 10.0.0.9 already allocated in subnet $V4",
        ),
        refuses(
            "port create --network red --fixed-ip ip-address=192.0.2.1 astray",
            "IP address 192.0.2.1 is not a valid IP for any of the subnets on the specified network.",
        ),
        refuses(
            "port create --network red --mac-address 02:00:00:00:00:01 twin",
            "The mac address 02:00:00:00:00:01 is in use.",
        ),
        refuses(
            "port create --network red --mac-address 02-00 odd",
            "Invalid input for mac_address. Reason: '02-00' is not a MAC address",
        ),
        refuses(
            "port create --network red --vnic-type direct hard",
            "binding:vnic_type 'direct' is not supported, only normal",
        ),
        refuses("port create --network red --qos-policy gold gilded", "The resource could not be found."),
        refuses("port create --network red --dns-name web named", "No Extension found for dns-integration"),
        refuses("port create --network red --trusted vf", "Unrecognized attribute(s) 'trusted'"),
        refuses(
            "port create --network red --enable-uplink-status-propagation vf",
            "Unrecognized attribute(s) 'propagate_uplink_status'",
        ),
        refuses(
            "port create --network red --device-profile fast vf", "Unrecognized attribute(s) 'device_profile'"
        ),
        refuses(
            "port create --network red --numa-policy-required vf",
            "Unrecognized attribute(s) 'numa_affinity_policy'",
        ),
        refuses(
            "port create --network red --security-group nothing lost", "No SecurityGroup found for nothing"
        ),
        refuses(
            "port create --network red --allowed-address ip-address=10.0.0.300 odd",
            "Invalid input for allowed_address_pairs. Reason: '10.0.0.300' is not a valid IP subnet.",
        ),
        refuses("port set --security-group web open", "Port has security group associated."),
        refuses("port set --data-plane-status ACTIVE basic", "Unrecognized attribute(s) 'data_plane_status'"),
        refuses("port set --qos-policy gold basic", "The resource could not be found."),
        refuses("port show nothing", "No Port found for nothing"),
        refuses("network delete red", "There are one or more ports still in use on the network"),
        refuses("security group delete web", "Security Group $WEB in use."),
        removes(
            "port delete basic fixed four six unnumbered machine guarded open shared options placed ours"
        ),
        removes("security group delete web"),
        removes("network delete red"),
    ],
    before=["site add a", "host add h1 --site a --endpoint 192.0.2.1"],
    after=["host remove h1", "site remove a"],
)
