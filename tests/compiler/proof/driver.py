"""One step of the proof: an operation, a compilation, the checks. Hypothesis and the soak take the same steps."""

from tests.compiler.proof.checks import frames_fare_as_meant, held_is_planned, warm_is_cold
from tests.compiler.proof.choice import Choice
from tests.compiler.proof.cloud import Cloud
from tests.compiler.proof.fabric_operations import FABRIC_OPERATIONS
from tests.compiler.proof.operations import OPERATIONS

ALL_OPERATIONS = (*OPERATIONS, *FABRIC_OPERATIONS)


def step(cloud: Cloud, choice: Choice, *, cold: bool = True, conversations: int = 2) -> str:
    """Take one; returns the operation's name. `cold`: compile from nothing too."""
    operation = choice.one_of(ALL_OPERATIONS)
    operation(cloud, choice)
    cloud.compile()
    if cold:
        warm_is_cold(cloud)
        held_is_planned(cloud)
    for _ in range(conversations):
        frames_fare_as_meant(cloud, choice)
    return operation.__name__
