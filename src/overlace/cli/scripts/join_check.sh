
NAMED=$(vsctl --if-exists get Open_vSwitch . external_ids:overlace-host | tr -d '"')
[ -z "$NAMED" ] || [ "$NAMED" = "$NAME" ] ||
  refuse "this host is joined as $NAMED already; take that away first with the script of: overlace leave $NAMED"
if vsctl br-exists "$BRIDGE"; then
  ours "$BRIDGE" || refuse "bridge $BRIDGE exists and is not Overlace's; choose another name with --bridge"
fi
