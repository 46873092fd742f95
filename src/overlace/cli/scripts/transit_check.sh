
vsctl br-exists "$BRIDGE" || refuse "there is no bridge $BRIDGE here to be a transit switch; name it with --bridge"
PRESENT=$(vsctl get-controller "$BRIDGE")
[ -z "$PRESENT" ] || [ "$(vsctl --if-exists get Bridge "$BRIDGE" external_ids:overlace-transit)" = '"true"' ] ||
  refuse "bridge $BRIDGE has a controller already ($PRESENT): it is somebody else's"
