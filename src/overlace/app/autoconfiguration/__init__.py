"""What hosts ask about their own configuration, answered from the snapshot: DHCPv4, DHCPv6, router discovery."""
