#!/bin/busybox sh
# The first process of a kernel host: drivers, addresses, Open vSwitch. Words `lab.*` of the kernel's command line say
# what; then READY is written to the console. Virtio ports take commands.
/bin/busybox mkdir -p /proc /sys /dev /tmp /run /etc/openvswitch /run/openvswitch \
    /var/log/openvswitch /root
/bin/busybox ln -s /run /var/run
/bin/busybox --install -s /bin
# Busybox's own come last: what is installed on Debian is what a host is joined with.
export PATH=/usr/sbin:/usr/bin:/bin HOME=/root PYTHONHOME=/usr
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts
mount -t devpts pts /dev/pts
for module in $(cat /lib/modules/order); do
    insmod "/lib/modules/$module"
done

name=host addresses= gateways= management=
for word in $(cat /proc/cmdline); do
    case $word in
    lab.name=*) name=${word#*=} ;;
    lab.ip=*) addresses=$(echo "${word#*=}" | tr , ' ') ;;
    lab.gateway=*) gateways=$(echo "${word#*=}" | tr , ' ') ;;
    lab.management=*) management=${word#*=} ;;
    esac
done
hostname "$name"
: > /etc/resolv.conf

# As at every host of the laboratory: nothing is sent that nobody asked for, and addresses are usable at once.
echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6
echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad
echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_dad
echo 0 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6
echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_ra
ip link set lo up
ip link set eth1 name mgmt0
ip addr add "$management" dev mgmt0
ip link set mgmt0 up
ip link set eth0 up
for address in $addresses; do ip addr add "$address" dev eth0; done
for gateway in $gateways; do ip route add default via "$gateway" dev eth0; done

# Should Open vSwitch not start, so does the machine not: what went wrong is the last on the console.
set -e
database=/etc/openvswitch/conf.db
ovsdb-tool create $database /usr/share/openvswitch/vswitch.ovsschema
ovsdb-server $database --remote=punix:/run/openvswitch/db.sock \
    --remote=db:Open_vSwitch,Open_vSwitch,manager_options --private-key=db:Open_vSwitch,SSL,private_key \
    --certificate=db:Open_vSwitch,SSL,certificate --bootstrap-ca-cert=db:Open_vSwitch,SSL,ca_cert \
    --log-file --pidfile --detach --no-chdir -vconsole:off
ovs-vsctl --no-wait init -- set Open_vSwitch . external_ids:system-id="$name" external_ids:hostname="$name"
ovs-vswitchd unix:/run/openvswitch/db.sock --monitor --log-file --pidfile --detach --no-chdir -vconsole:off

set +e
for port in /dev/vport*p*; do commander "$port" & done
echo "READY $name"
while :; do setsid cttyhack sh; done
