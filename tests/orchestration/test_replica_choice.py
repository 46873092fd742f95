"""Given what is written of a replica and what can be seen, what is next follows, whoever ended before."""

from dataclasses import replace

from hypothesis import given, strategies as st

from overlace.model.replica import Replica, ReplicaState
from overlace.orchestration.replication.decision import Begin, Drop, Pause, Task, choose
from overlace.orchestration.replication.link import Basis, ReplicaSight, Work
from overlace.orchestration.sight import Guest

WEB = Replica(id="web", project_id="red", host_id="h2", every=60)
SIGHTS = st.builds(
    ReplicaSight,
    st.sampled_from(Guest),
    st.booleans(),
    st.sampled_from(Basis),
    st.sampled_from(Work),
    st.just("as it is"),
)


@given(SIGHTS, st.sampled_from(ReplicaState), st.booleans(), st.booleans())
def test_only_a_round_that_is_whole_is_merged_and_only_one_that_is_not_is_dropped(
    seen: ReplicaSight, state: ReplicaState, due: bool, ending: bool
) -> None:
    choice = choose(replace(WEB, state=state, ending=ending), seen, due)
    if choice is Task.MERGE:
        assert state is ReplicaState.MERGING
    if choice is Task.SEAL:
        assert (state, seen.work) == (ReplicaState.SENDING, Work.DONE)
    if isinstance(choice, Drop):
        assert state in (ReplicaState.SEEDING, ReplicaState.SENDING)
    if choice is Task.REMOVE:
        assert ending


@given(SIGHTS, st.sampled_from(ReplicaState))
def test_while_the_machines_host_is_silent_nothing_is_given_up(
    seen: ReplicaSight, state: ReplicaState
) -> None:
    silent = replace(seen, guest=Guest.UNKNOWN)
    choice = choose(replace(WEB, state=state), silent, due=True)
    assert choice in (Task.MERGE, Task.HOLD) if state is ReplicaState.MERGING else choice == Pause("as it is")


def test_a_seed_comes_first_where_nothing_is_known_of_a_large_disk() -> None:
    seen = ReplicaSight(Guest.RUNNING, True, Basis.NOTHING)
    assert choose(WEB, seen, due=True) == Begin(ReplicaState.SEEDING)
    assert choose(WEB, replace(seen, basis=Basis.NOTHING_SMALL), due=True) == Begin(ReplicaState.SENDING)
    assert choose(WEB, replace(seen, keeper=False), due=True) is Task.HOLD
    assert choose(WEB, seen, due=False) == Pause()
    lost = replace(WEB, state=ReplicaState.SENDING)
    assert isinstance(choose(lost, seen, due=True), Drop)
