"""The laboratory: whole sites emulated in network namespaces of one machine.

Every host of the laboratory is a network namespace with an Open vSwitch of its own (userspace datapath); site
routers and a wide-area relay join the sites.  `overlace.lab.lab.Lab` is the interface for programs,
`overlace.lab.commands.lab_group` the one for people.

This package imports nothing here, because the relay process starts through it and must start fast.
"""
