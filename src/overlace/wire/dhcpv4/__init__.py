"""DHCP for IPv4 (RFC 2131, 2132 and successors): the message, its options, and their names."""
