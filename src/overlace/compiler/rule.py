"""Shorthand in which the features write their flows."""

from collections.abc import Mapping
from functools import lru_cache

from overlace.compiler.pipeline import FLAGS, Flag, Table
from overlace.datapath.actions import Action, Goto, Resubmit, SetField, set_field
from overlace.datapath.fields import EthType, Field, IpProto
from overlace.datapath.flow import Flow
from overlace.datapath.match import MatchValue, match

Conditions = Mapping[Field, MatchValue]

ARP: Conditions = {Field.ETH_TYPE: EthType.ARP}
IPV4: Conditions = {Field.ETH_TYPE: EthType.IPV4}
IPV6: Conditions = {Field.ETH_TYPE: EthType.IPV6}
ICMPV6: Conditions = {**IPV6, Field.IP_PROTO: IpProto.ICMPV6}


def neighbour(icmpv6_type: int) -> Conditions:
    """Match a neighbour discovery message of this type (RFC 4861; code 0)."""
    return {**ICMPV6, Field.ICMPV6_TYPE: icmpv6_type, Field.ICMPV6_CODE: 0}


def rule(table: Table, priority: int, conditions: Conditions, cookie: int, *actions: Action) -> Flow:
    """A flow without timeouts; no actions means drop."""
    return Flow(int(table), priority, match(conditions), actions, cookie)


@lru_cache(maxsize=len(Table))
def goto(table: Table) -> Goto:
    """Go on in `table`, for good."""
    return Goto(int(table))


@lru_cache(maxsize=len(Table))
def visit(table: Table) -> Resubmit:
    """Look up `table`, then come back."""
    return Resubmit(int(table))


def raise_flag(flag: Flag) -> SetField:
    """Set one bit of the flags."""
    return set_field(FLAGS, flag, flag)


def clear_flag(flag: Flag) -> SetField:
    """Clear one bit of the flags."""
    return set_field(FLAGS, 0, flag)


def flagged(*flags: Flag) -> Conditions:
    """Match frames with all these flags raised."""
    raised = sum(flags)
    return {FLAGS: (raised, raised)}
