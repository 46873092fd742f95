"""Compiled tables do what people mean: after every operation, in any order, however changes travel.

The warm plan is the cold plan, switches hold what is planned, frames fare in them as the plain model says, and
none comes to another tenant, not even half-way. docs/correctness.md tells what is checked against what.
"""

from random import Random

import pytest
from hypothesis import Phase, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from tests.compiler.proof.choice import DrawnChoice, RandomChoice
from tests.compiler.proof.cloud import Cloud
from tests.compiler.proof.driver import step
from tests.compiler.proof.operations import OPERATIONS


class Proof(RuleBasedStateMachine):
    """Every rule is a step that `driver` takes; Hypothesis makes its decisions, and finds the fewest that fail."""

    def __init__(self) -> None:
        super().__init__()
        self.cloud = Cloud()

    @rule(data=st.data())
    def something_happens(self, data: st.DataObject) -> None:
        """Draw one of the operations, and check."""
        step(self.cloud, DrawnChoice(data))


Proof.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=40,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
TestProof = Proof.TestCase


@pytest.mark.parametrize("seed", range(8))
def test_a_long_life_keeps_what_must_hold(seed: int) -> None:
    """Worlds that have grown full: 2,000 steps in all. `make soak` goes on from here."""
    cloud, choice = Cloud(), RandomChoice(Random(seed))
    for _ in range(250):
        step(cloud, choice)


def test_there_are_at_least_twenty_kinds_of_operation() -> None:
    assert len({operation.__name__ for operation in OPERATIONS}) >= 20
