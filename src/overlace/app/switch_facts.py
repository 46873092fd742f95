"""What the engine asks about switches, answered from the southbound and from what hosts have said."""

from overlace.app.switchboard import Switchboard
from overlace.compiler.plan import SwitchName
from overlace.engine.switch_facts import AskSwitch, SwitchFacts
from overlace.southbound.hub import Southbound
from overlace.southbound.status import Phase


def switch_facts(southbound: Southbound, switchboard: Switchboard) -> AskSwitch:
    """The function that `engine.diagnosis` calls."""

    def ask(name: SwitchName) -> SwitchFacts:
        status = southbound.switch_status(name)
        last_seen = switchboard.host_heartbeat(name)
        if status is None:
            return SwitchFacts(last_seen=last_seen)
        return SwitchFacts(
            openflow=status.phase is not Phase.ABSENT,
            database=status.database,
            last_seen=last_seen,
            doing="" if status.phase is Phase.IN_SYNC else status.phase.value,
            hold=status.hold,
            held_out=status.held_out,
        )

    return ask
