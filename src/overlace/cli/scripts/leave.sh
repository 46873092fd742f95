
NAMED=$(vsctl --if-exists get Open_vSwitch . external_ids:overlace-host | tr -d '"')
[ -z "$NAMED" ] || [ "$NAMED" = "$NAME" ] || refuse "this host is joined as $NAMED, not as $NAME"
set -- remove Open_vSwitch . external_ids overlace-host
for port in $(vsctl --bare --columns=name find Port external_ids:overlace-owned=true); do
  set -- "$@" -- --if-exists del-port "$port"
done
for bridge in $(vsctl --bare --columns=name find Bridge external_ids:overlace-owned=true); do
  set -- "$@" -- del-br "$bridge"
done
for bridge in $(vsctl --bare --columns=name find Bridge external_ids:overlace-transit=true); do
  set -- "$@" -- del-controller "$bridge" -- remove Bridge "$bridge" external_ids overlace-transit
done
for row in $(managers); do
  set -- "$@" -- remove Open_vSwitch . manager_options "$row"
done
vsctl -- "$@"
if [ "$(setting SSL private_key)" = "$KEY" ]; then
  if { setting Manager target; setting Controller target; } | grep -Eq '^p?ssl:'; then
    say "other connections of Open vSwitch use the TLS identity in $DIRECTORY: it stays"
    exit 0
  fi
  vsctl del-ssl
fi
rm -rf "$DIRECTORY"
say "nothing of Overlace's is left here; forget the host with: overlace pki revoke $NAME"
