"""The ways in which talking to a switch fails, typed so that callers can tell them apart."""

from dataclasses import dataclass

from overlace.compiler.plan import FragmentId


class SouthboundError(Exception):
    """Base of everything below."""


class NotConnectedError(SouthboundError):
    """The switch has no (or no longer an) OpenFlow connection."""


class RequestTimeoutError(SouthboundError):
    """The switch did not answer a request in time."""


class PassiveError(SouthboundError):
    """Another controller is master: this connection must not write."""


class SwitchRefusedError(SouthboundError):
    """The switch answered with an OpenFlow error; `about` is the offending flow, group or meter as text."""

    def __init__(self, reason: str, about: str) -> None:
        super().__init__(f"{reason}: {about}" if about else reason)
        self.reason = reason
        self.about = about


@dataclass(frozen=True, slots=True)
class PlanFailure:
    """Why a change is not in the data path: what the switch said, and the fragments that were held out for it.

    Everything else of the change is in the data path. An empty `fragments` means that nothing is.
    """

    reason: str
    fragments: tuple[FragmentId, ...] = ()

    def __str__(self) -> str:
        return self.reason
