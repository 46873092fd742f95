"""DHCP for IPv6 (RFC 8415 and successors): the message, its options, and their names."""
