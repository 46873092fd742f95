"""How one controller is started."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ControllerSettings:
    """`switch_address` is where hosts reach the controller, `api_address` where clients do."""

    database: Path
    api_address: str = "127.0.0.1"
    api_port: int = 9696
    switch_address: str = "127.0.0.1"
    openflow_port: int = 6653
    ovsdb_port: int = 6640
    origin: str = "site"
    audit_interval: float = 60.0
