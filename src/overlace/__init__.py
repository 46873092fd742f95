"""Overlace: multi-tenant cloud networks over plain IP, programmed into stock Open vSwitch."""

__version__ = "0.1.0"
