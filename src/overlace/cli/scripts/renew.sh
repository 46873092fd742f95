
if [ -n "$SHARED" ]; then
  refuse "the TLS identity in use is not Overlace's to renew: $SSL_CERTIFICATE"
fi
[ "$SSL_KEY" = "$KEY" ] || refuse "this host has no TLS identity of Overlace's; join it with: overlace join ${SUBJECT#*:}"
new_certificate
