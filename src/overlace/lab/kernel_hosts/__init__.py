"""Hosts of the laboratory that are machines of their own, with the datapath of their own kernel.

The kernel below a laboratory need not have Open vSwitch's module; Debian's has. Such a host is a QEMU machine with the
NICs that a namespace has in its place, and a NIC more for each workload:

    image      kernel and initramfs: this machine's Open vSwitch and what joining takes, kept for the next time
    userland   the programs and libraries in it
    machine    the command line of QEMU
    host       started, and whether it works
    tap        the near ends of its NICs
    nic        a workload plugged in and out while it runs
    agent      programs run at it, by virtio ports: its networks are not needed

Always emulated (TCG), as guests are.
"""
