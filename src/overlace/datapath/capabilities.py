"""What a switch can be asked for: match fields and actions, by name.

Open vSwitch does everything that this package can express. Of a switch by another maker no more is taken for granted
than what every OpenFlow 1.3 switch has to have: the required match fields (OpenFlow 1.3.5, 7.2.3.7), outputs, and
rewriting of such fields.
"""

from dataclasses import dataclass

from overlace.datapath.actions import Action, Goto, Output, SendToGroup, SetField
from overlace.datapath.fields import Field
from overlace.datapath.flow import Flow


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Fields that can be matched and written, and actions beside writing."""

    fields: frozenset[Field]
    actions: frozenset[type]

    def lacking(self, flow: Flow) -> tuple[str, ...]:
        """What the flow asks for beyond this, for people; empty when it asks for nothing more."""
        matched = [f"match {each.field.ovs_name}" for each in flow.match if each.field not in self.fields]
        return (*matched, *(text for action in flow.actions if (text := self._lacking(action))))

    def _lacking(self, action: Action) -> str:
        if isinstance(action, SetField):
            return "" if action.field in self.fields else f"set {action.field.ovs_name}"
        return "" if type(action) in self.actions else f"action {type(action).__name__}"


PLAIN_OPENFLOW = Capabilities(
    frozenset(
        {
            *(Field.IN_PORT, Field.ETH_DST, Field.ETH_SRC, Field.ETH_TYPE, Field.IP_PROTO),
            *(Field.IPV4_SRC, Field.IPV4_DST, Field.IPV6_SRC, Field.IPV6_DST),
            *(Field.TCP_SRC, Field.TCP_DST, Field.UDP_SRC, Field.UDP_DST),
        }
    ),
    frozenset({Output, SendToGroup, Goto}),
)
"""The required part of OpenFlow 1.3, which is all that a transit switch is asked for."""
