"""Guests that libvirt runs: a libvirtd of its own on every host that has one."""
