
if [ -z "$SHARED" ]; then
  usable "$CERTIFICATE" "$KEY" || new_certificate
  [ "$SSL_KEY" = "$KEY" ] || vsctl set-ssl "$KEY" "$CERTIFICATE" "$AUTHORITIES"
fi
