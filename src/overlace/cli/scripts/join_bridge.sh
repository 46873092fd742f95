
# One transaction. disable-in-band stands with the controller: else hidden rules would let a tenant's frames bypass
# every table (ovs-vswitchd.conf.db(5), connection_mode). A controller that is back is called within a second, not
# within eight. What guests ask of the controller is bounded, and its sources take turns: a flood from one port leaves
# the others' questions their place (ovs-vswitchd.conf.db(5), controller_rate_limit). Managers of others stay.
set -- --may-exist add-br "$BRIDGE" -- set Bridge "$BRIDGE" "datapath_type=$DATAPATH" fail-mode=secure \
  protocols=OpenFlow15 other-config:disable-in-band=true external-ids:overlace-owned=true
[ "$(vsctl get-controller "$BRIDGE" 2>/dev/null || :)" = "$OPENFLOW" ] ||
  set -- "$@" -- set-controller "$BRIDGE" "$OPENFLOW"
set -- "$@" -- set Controller "$BRIDGE" max_backoff=1000 controller_rate_limit=1000 controller_burst_limit=250
[ -z "$FABRIC" ] ||
  set -- "$@" -- --may-exist add-port "$BRIDGE" "$FABRIC" \
    -- set Port "$FABRIC" external-ids:overlace-owned=true -- set Interface "$FABRIC" external-ids:overlace-owned=true
set -- "$@" -- set Open_vSwitch . "external-ids:overlace-host=$NAME"
for row in $(managers); do
  [ "$(vsctl get Manager "$row" target)" = "\"$OVSDB\"" ] || set -- "$@" -- remove Open_vSwitch . manager_options "$row"
done
vsctl get-manager | grep -qxF "$OVSDB" ||
  set -- "$@" -- --id=@overlace create Manager "target=\"$OVSDB\"" max_backoff=1000 external-ids:overlace-owned=true \
    -- add Open_vSwitch . manager_options @overlace
vsctl -- "$@" >/dev/null
say "joined as $NAME; see how it comes up with: overlace status"
