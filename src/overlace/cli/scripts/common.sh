
DIRECTORY="${OVS_SYSCONFDIR:-/etc}/openvswitch/overlace"
KEY="$DIRECTORY/key.pem"
CERTIFICATE="$DIRECTORY/certificate.pem"
AUTHORITIES="$DIRECTORY/trust.pem"

say() { echo "overlace: $*" >&2; }
refuse() { say "$*"; say "nothing was changed in Open vSwitch"; exit 1; }
vsctl() { ovs-vsctl --timeout=60 "$@"; }
setting() { vsctl --bare --columns="$2" list "$1"; }
ours() { [ "$(vsctl --if-exists get Bridge "$1" external_ids:overlace-owned)" = '"true"' ]; }
# The managers that were added by this script, by row.
managers() { vsctl --bare --columns=_uuid find Manager external_ids:overlace-owned=true; }

command -v ovs-vsctl >/dev/null || refuse "ovs-vsctl is missing: install openvswitch-switch"
vsctl show >/dev/null || refuse "Open vSwitch does not answer: start it with: systemctl start openvswitch-switch"
