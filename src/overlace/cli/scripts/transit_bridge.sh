
set -- set Bridge "$BRIDGE" fail-mode=secure protocols=OpenFlow15 other-config:disable-in-band=true \
  external-ids:overlace-transit=true
[ "$PRESENT" = "$OPENFLOW" ] || set -- "$@" -- set-controller "$BRIDGE" "$OPENFLOW" -- set Controller "$BRIDGE" max_backoff=1000
vsctl -- "$@"
say "joined as transit switch $NAME, datapath id $(vsctl get Bridge "$BRIDGE" datapath_id)"
