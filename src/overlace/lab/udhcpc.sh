#!/bin/sh
# Called by busybox udhcpc with what happened as $1 and the lease in the environment; see overlace.lab.dhcp.
set -u
case "$1" in
deconfig)
    ip -4 addr flush dev "$interface" scope global
    ip link set dev "$interface" up
    ;;
bound | renew)
    [ -n "${mtu:-}" ] && ip link set dev "$interface" mtu "$mtu"
    ip addr replace "$ip/${mask:-32}" dev "$interface"
    if [ -n "${staticroutes:-}" ]; then
        # RFC 3442: these replace the router option.
        set -- $staticroutes
        while [ $# -ge 2 ]; do
            if [ "$2" = 0.0.0.0 ]; then
                ip route replace "$1" dev "$interface"
            else
                ip route replace "$1" via "$2" dev "$interface" onlink
            fi
            shift 2
        done
    else
        for gateway in ${router:-}; do
            ip route replace default via "$gateway" dev "$interface"
            break
        done
    fi
    env | grep -E '^(ip|mask|subnet|router|mtu|dns|domain|lease|serverid|staticroutes|ntpsrv|hostname)=' \
        > "$OVERLACE_LEASE.new" && mv "$OVERLACE_LEASE.new" "$OVERLACE_LEASE"
    ;;
esac
exit 0
