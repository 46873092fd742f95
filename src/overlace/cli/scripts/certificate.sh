
for program in openssl python3; do
  command -v "$program" >/dev/null || refuse "$program is missing: install it (Debian: apt-get install $program)"
done
umask 077
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
printf '%s' "$TRUST" >"$WORK/trust.pem"

holder() { openssl x509 -in "$1" -noout -subject -nameopt RFC2253 2>/dev/null | tr -d ' '; }

# Whether the certificate in file $1 is this host's, for the key in file $2, and neither over nor revoked.
usable() {
  [ -s "$1" ] && [ -s "$2" ] || return 1
  openssl verify -purpose sslclient -CAfile "$WORK/trust.pem" "$1" >/dev/null 2>&1 || return 1
  [ "$(holder "$1")" = "subject=CN=$SUBJECT" ] || return 1
  [ "$(openssl x509 -in "$1" -noout -pubkey)" = "$(openssl pkey -in "$2" -pubout)" ] || return 1
  serial=$(openssl x509 -in "$1" -noout -serial)
  case " $REVOKED " in *" ${serial#serial=} "*) return 1 ;; esac
}

make_request() {
  mkdir -p "$DIRECTORY"
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$DIRECTORY/key.new" 2>/dev/null
  openssl req -new -key "$DIRECTORY/key.new" -subj "/CN=$SUBJECT" -out "$DIRECTORY/request.pem"
}

enrol() {
  OVERLACE_TOKEN="$TOKEN" python3 - "$ENROL_ADDRESS" "$ENROL_PORT" "$SUBJECT" "$DIRECTORY" "$WORK/trust.pem" <<'OVERLACE_ENROL'
@ENROL@
OVERLACE_ENROL
}

# Open vSwitch loads key and certificate only when both files have changed, and looks at the key first: were the key
# put in place first, it would keep the old pair for good (lib/stream-ssl.c, stream_ssl_set_key_and_cert).
install_pair() {
  [ -s "$DIRECTORY/trust.new" ] || cp "$WORK/trust.pem" "$DIRECTORY/trust.new"
  mv "$DIRECTORY/trust.new" "$AUTHORITIES"
  mv "$DIRECTORY/certificate.new" "$CERTIFICATE"
  mv "$DIRECTORY/key.new" "$KEY"
  rm -f "$DIRECTORY/request.pem"
  say "installed a certificate for $SUBJECT, $(openssl x509 -in "$CERTIFICATE" -noout -enddate)"
}

# A new key and certificate, by the token or by the hand of an operator.
new_certificate() {
  if [ -z "$OFFLINE" ]; then
    make_request
    enrol || refuse "no certificate, no change"
    install_pair
  elif usable "$DIRECTORY/certificate.new" "$DIRECTORY/key.new"; then
    install_pair
  else
    [ -s "$DIRECTORY/key.new" ] && [ -s "$DIRECTORY/request.pem" ] || make_request
    say "sign this request where the controller's certificates are: overlace pki sign $SUBJECT < request > certificate"
    say "put the certificate into $DIRECTORY/certificate.new here, and run this script again"
    cat "$DIRECTORY/request.pem"
    exit 0
  fi
}

HOLDER=$(holder "$CERTIFICATE")
[ -z "$HOLDER" ] || [ "$HOLDER" = "subject=CN=$SUBJECT" ] ||
  refuse "this machine is ${HOLDER#subject=CN=} already, not $SUBJECT; take that away first with: overlace leave"

# Open vSwitch has one TLS identity for all its connections. Another's is used when it will do, and never replaced.
SSL_KEY=$(setting SSL private_key)
SHARED=
if [ -n "$SSL_KEY" ] && [ "$SSL_KEY" != "$KEY" ]; then
  SSL_CERTIFICATE=$(setting SSL certificate)
  SSL_AUTHORITIES=$(setting SSL ca_cert)
  if usable "$SSL_CERTIFICATE" "$SSL_KEY" &&
    openssl verify -CAfile "$SSL_AUTHORITIES" "$WORK/trust.pem" >/dev/null 2>&1; then
    SHARED=yes
    say "using the TLS identity that Open vSwitch has already, $SSL_CERTIFICATE"
  else
    say "Open vSwitch has a TLS identity already, $SSL_CERTIFICATE, and can have only one. To share it, add"
    say "Overlace's authorities (overlace pki trust) to $SSL_AUTHORITIES, and let its key have a certificate"
    say "that both controllers accept: overlace pki sign $SUBJECT < request. Or join with --plaintext."
    refuse "the TLS settings of somebody else stay as they are"
  fi
fi
