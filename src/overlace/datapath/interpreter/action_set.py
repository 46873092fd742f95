"""The order in which a group bucket executes its actions (ovs-actions(7), "Action Sets").

A bucket holds a set, not a list: header changes come first in a fixed order, writes keep theirs, and of all
actions that send the packet on just one is executed.
"""

from overlace.datapath.actions import (
    Action,
    Conntrack,
    ConntrackClear,
    Decap,
    DecrementTtl,
    Encap,
    Move,
    Output,
    PopMpls,
    PopVlan,
    PushMpls,
    PushVlan,
    Resubmit,
    SendToGroup,
    SetField,
)

_FIRST: tuple[type, ...] = (PopVlan, PopMpls, Decap, Encap, PushMpls, PushVlan, DecrementTtl)
_WRITES = (SetField, Move)
_SENDING: tuple[type, ...] = (SendToGroup, Output, Resubmit, ConntrackClear, Conntrack)


def in_set_order(actions: tuple[Action, ...]) -> tuple[Action, ...]:
    """The actions that will be executed, in their order; none when the packet would not be sent anywhere."""
    latest: dict[type, Action] = {type(action): action for action in actions}
    sending = next((latest[kind] for kind in _SENDING if kind in latest), None)
    if sending is None:
        return ()
    headers = [latest[kind] for kind in _FIRST if kind in latest]
    writes = [action for action in actions if isinstance(action, _WRITES)]
    return (*headers, *writes, sending)
