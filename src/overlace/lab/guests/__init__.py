"""Real machines in the laboratory: QEMU guests with memory, disk and network, which can be moved while they work.

    image     kernel and initramfs, made once from Debian's packages and kept
    machine   the command line of QEMU for a guest
    place     the files of a guest at a host
    tap       its interface in the host's switch
    qemu      its process
    guests    the life of guests: made, received at another host, settled there, removed

Guests are always emulated (TCG): machines that are rented are guests themselves, and what their /dev/kvm promises they
often cannot keep.
"""
