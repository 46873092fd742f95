"""Moving guests by libvirt, through its own command line (virsh)."""
