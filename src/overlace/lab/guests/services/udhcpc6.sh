#!/bin/sh
# Called by busybox udhcpc6 with what happened as $1 and the lease in the environment.
case "$1" in
bound | renew)
    [ -n "${ipv6:-}" ] && ip addr replace "$ipv6/128" dev "$interface"
    ;;
esac
exit 0
