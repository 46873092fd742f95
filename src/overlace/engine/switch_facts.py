"""What the engine must know of a switch to say why something waits for it; `app` asks the southbound."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from overlace.compiler.plan import FragmentId, SwitchName
from overlace.engine.reason import Ground, Reason


@dataclass(frozen=True, slots=True)
class SwitchFacts:
    """One switch. `last_seen` None: never; `doing` is what it is busy with, for people."""

    openflow: bool = False
    database: bool = False
    last_seen: datetime | None = None
    doing: str = ""
    hold: str | None = None
    held_out: Mapping[FragmentId, str] = field(default_factory=dict)
    """Fragments that the switch refuses, and why."""


AskSwitch = Callable[[SwitchName], SwitchFacts]


def switch_reasons(host: str, facts: SwitchFacts, *, blocking: bool = True) -> list[Reason]:
    """What is the matter with a host's switch, apart from what it refuses; nothing when it is well."""
    if not facts.openflow and not facts.database:
        seen = f"last seen {facts.last_seen:%Y-%m-%d %H:%M:%S} UTC" if facts.last_seen else "never seen"
        text = f"host {host} is not connected ({seen})"
        cure = f"check its way to the controller, or join it: overlace join {host}"
        return [Reason(Ground.HOST_AWAY, text, cure, host, blocking)]
    if not facts.openflow or not facts.database:
        missing = "database (OVSDB)" if facts.openflow else "switch (OpenFlow)"
        text = f"host {host} is half connected: its {missing} has not called"
        cure = f"run on it the script that is printed by: overlace join {host}"
        return [Reason(Ground.HOST_SILENT, text, cure, host, blocking)]
    if facts.hold is not None:
        text = f"the switch of {host} is on hold: {facts.hold}"
        return [Reason(Ground.SWITCH_HELD, text, f"see: overlace host show {host}", host, blocking)]
    return []
