"""What people mean, as frozen values: networks, ports, bindings, hosts, sites, and the snapshot of all."""
