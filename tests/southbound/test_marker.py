"""The marker: who wrote a switch, and how far."""

import pytest
from hypothesis import given, strategies as st

from overlace.datapath.actions import Output
from overlace.datapath.capabilities import PLAIN_OPENFLOW
from overlace.datapath.flow import Flow
from overlace.datapath.match import match
from overlace.southbound.lineage import Lineage
from overlace.southbound.marker import (
    MarkerPlace,
    Stamp,
    Verdict,
    judge,
    marker_flow,
    read_external_ids,
    read_marker,
)
from overlace.southbound.settings import TRANSIT_MARKER_PLACE
from overlace.wire.openflow.codec import canonical_flow

PLACE = MarkerPlace(250, 0, 0x0B << 56)
STAMPS = st.builds(
    Stamp,
    st.text(st.characters(codec="utf-8"), max_size=20),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**64 - 1),
)


@given(STAMPS)
def test_a_stamp_survives_the_switch_and_the_database(stamp: Stamp) -> None:
    flow = marker_flow(PLACE, stamp)
    assert canonical_flow(flow) == flow
    assert read_marker(flow) == stamp
    assert read_external_ids(stamp.external_ids()) == stamp


@given(STAMPS)
def test_a_stamp_survives_a_switch_that_knows_plain_openflow_alone(stamp: Stamp) -> None:
    flow = marker_flow(TRANSIT_MARKER_PLACE, stamp)
    assert canonical_flow(flow) == flow
    assert PLAIN_OPENFLOW.lacking(flow) == ()
    read = read_marker(flow)
    assert read is not None
    assert (read.epoch, read.revision) == (stamp.epoch, stamp.revision)
    assert judge([read], stamp, Lineage()) is Verdict.CURRENT
    assert (
        judge([read], Stamp(stamp.cluster + "!", stamp.epoch, stamp.revision), Lineage()) is Verdict.FOREIGN
    )


def test_what_is_no_stamp_is_none() -> None:
    assert read_marker(Flow(250, 0, match(), (Output(1),))) is None
    assert read_external_ids({"overlace-cluster": "x"}) is None
    assert read_external_ids({**Stamp("x", 1, 1).external_ids(), "overlace-epoch": "soon"}) is None


OURS = Stamp("us", 3, 100)
PAST = Lineage({1: 40, 2: 90})
"""The second epoch began after revision 40, the present one after 90."""


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        ([], Verdict.UNMARKED),
        ([None], Verdict.UNMARKED),
        ([OURS], Verdict.CURRENT),
        ([Stamp("us", 2, 90)], Verdict.CURRENT),
        ([Stamp("us", 1, 40)], Verdict.CURRENT),
        ([Stamp("us", 2, 91)], Verdict.NEWER),  # made after the copy was, by the one it was made of
        ([Stamp("us", 1, 41)], Verdict.NEWER),
        ([Stamp("us", 0, 1)], Verdict.NEWER),
        ([Stamp("us", 3, 101)], Verdict.NEWER),
        ([Stamp("us", 4, 1), OURS], Verdict.NEWER),
        ([OURS, Stamp("them", 1, 1)], Verdict.FOREIGN),
    ],
)
def test_the_worst_stamp_counts(seen: list[Stamp | None], verdict: Verdict) -> None:
    assert judge(seen, OURS, PAST) is verdict
