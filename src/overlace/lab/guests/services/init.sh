#!/bin/busybox sh
# The first process of a guest: drivers, addresses, services. Words `lab.*` of the kernel's command line say what; then
# READY is written to the console. A virtio port takes commands.
/bin/busybox mkdir -p /proc /sys /dev /tmp /run /etc /var/run /root
/bin/busybox --install -s /bin
export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/root
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts
mount -t devpts pts /dev/pts
for module in $(cat /lib/modules/order); do
    insmod "/lib/modules/$module"
done

addresses= gateways= dhcp= writer= dirtier= name=guest
for word in $(cat /proc/cmdline); do
    case $word in
    lab.name=*) name=${word#*=} ;;
    lab.ip=*) addresses=$(echo "${word#*=}" | tr , ' ') ;;
    lab.gateway=*) gateways=$(echo "${word#*=}" | tr , ' ') ;;
    lab.dhcp) dhcp=yes ;;
    lab.writer=*) writer=${word#*=} ;;
    lab.dirtier=*) dirtier=$(echo "${word#*=}" | tr , ' ') ;;
    esac
done
hostname "$name"

ip link set lo up
# An address is usable at once: whoever waits for READY may talk.
echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad
if [ -d /sys/class/net/eth0 ]; then
    echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_dad
    ip link set eth0 up
    for address in $addresses; do ip addr add "$address" dev eth0; done
    for gateway in $gateways; do ip route add default via "$gateway" dev eth0; done
    if [ -n "$dhcp" ]; then
        export OVERLACE_LEASE=/run/lease
        udhcpc -i eth0 -b -S -t 5 -T 2 -A 5 -O mtu -O staticroutes -x "hostname:$name" -s /lib/udhcpc.sh \
            > /run/udhcpc.log 2>&1 &
        # IPv6 addresses come by themselves where the network advertises prefixes; this asks for leased ones.
        dhcp6 eth0 > /run/leases6 2>&1 &
    fi
fi

# Whoever has seen READY may use the services: it waits until their ports (here in hexadecimal) are there.
serves() {
    until grep -q ":$2 " "/proc/net/$1"; do usleep 20000; done
}
session 5000 &
datagram 5001 &
[ -n "$dirtier" ] && dirtier $dirtier &
if [ -n "$writer" ] && [ -b /dev/vda ]; then
    writer /dev/vda 5002 "$writer" &
    serves tcp6 138A
fi
serves tcp6 1388
serves udp6 1389

for port in /dev/vport*p1; do commander "$port" & done
echo "READY $name"
while :; do setsid cttyhack sh; done
