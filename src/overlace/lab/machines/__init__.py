"""What all emulated machines of the laboratory have in common, be they guests or hosts.

packages   Debian's, unpacked and not installed
kernel     what QEMU starts, and modules in their order
archive    initramfs
imaging    images made once, and kept
emulator   QEMU: the machine, and NICs that leave nothing undone
boot       whether a machine is ready
console    its serial port, and commands inside by a virtio port
monitor    QEMU's own interface
"""
