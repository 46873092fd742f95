"""The prober in dialogue with an underlay that drops what is too long, sometimes more."""

from collections.abc import Callable, Iterable
from ipaddress import ip_address
from itertools import count

import hypothesis.strategies as st
from hypothesis import given

from overlace.protocols.path_mtu import (
    ANSWER_SECONDS,
    ATTEMPTS,
    ROUND_SECONDS,
    SILENT_SECONDS,
    Finding,
    Path,
    PathMtuProber,
    Probe,
    Verdict,
)

HERE = Path("h1", "h2", ip_address("192.0.2.2"))
SIX = Path("h1", "h2", ip_address("2001:db8::2"))
THERE = Path("h2", "h1", ip_address("2001:db8::1"))


class Underlay:
    """Passes a probe when `passes` says so; time goes in steps of half a second."""

    def __init__(self, needed: dict[Path, int], passes: Callable[[Probe], bool]) -> None:
        numbers = count()
        self.needed = needed
        self.passes = passes
        self.prober = PathMtuProber(needed.get, lambda: next(numbers).to_bytes(16, "big"))
        self.now = 1000.0
        self.sent: list[Probe] = []

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            for probe in list(self.prober.due(self.now, 10)):
                self.sent.append(probe)
                if self.passes(probe):
                    self.prober.arrived(probe.nonce, probe.path.target, probe.size, self.now)
            self.now += ANSWER_SECONDS / 2

    def begin(self, paths: Iterable[Path]) -> "Underlay":
        self.prober.begin(paths, self.now)
        return self

    def finding(self, path: Path = HERE) -> Finding | None:
        return self.prober.findings.get(path)


def test_a_wide_path_costs_one_probe_a_round() -> None:
    cloud = Underlay({HERE: 1550}, lambda _: True).begin([HERE])
    cloud.run(ROUND_SECONDS - 1)
    assert cloud.finding() == Finding(HERE, Verdict.WIDE, 1550, 1550)
    assert [probe.size for probe in cloud.sent] == [1550]
    cloud.run(2)
    assert [probe.size for probe in cloud.sent] == [1550, 1550]


def test_a_narrow_path_is_measured() -> None:
    cloud = Underlay({HERE: 1550}, lambda probe: probe.size <= 1500).begin([HERE])
    cloud.run(30)
    assert cloud.finding() == Finding(HERE, Verdict.NARROW, 1500, 1550)


@given(st.integers(576, 9100), st.integers(576, 9000))
def test_the_largest_size_that_passes_is_found(carries: int, needed: int) -> None:
    cloud = Underlay({HERE: needed}, lambda probe: probe.size <= carries).begin([HERE])
    cloud.run(100)
    verdict = Verdict.WIDE if carries >= needed else Verdict.NARROW
    assert cloud.finding() == Finding(HERE, verdict, min(carries, needed), needed)


def test_a_path_is_known_to_be_narrow_before_it_is_measured() -> None:
    cloud = Underlay({HERE: 9000}, lambda probe: probe.size <= 5000).begin([HERE])
    cloud.run(ATTEMPTS * ANSWER_SECONDS + 1)
    assert (found := cloud.finding()) is not None
    assert (found.verdict, found.carries < 5000) == (Verdict.NARROW, True)


def test_single_losses_are_not_believed() -> None:
    numbers = count(1)
    cloud = Underlay({HERE: 1550}, lambda _: next(numbers) % ATTEMPTS == 0).begin([HERE])
    cloud.run(20)
    assert cloud.finding() == Finding(HERE, Verdict.WIDE, 1550, 1550)


def test_on_a_silent_path_nothing_is_concluded_but_that() -> None:
    up = [False]
    cloud = Underlay({HERE: 1550}, lambda _: up[0]).begin([HERE])
    cloud.run(2 * ATTEMPTS * ANSWER_SECONDS + 2)
    assert cloud.finding() == Finding(HERE, Verdict.SILENT, 0, 1550)
    # and it is tried again soon
    up[0] = True
    cloud.run(SILENT_SECONDS)
    assert cloud.finding() == Finding(HERE, Verdict.WIDE, 1550, 1550)


def test_a_forged_arrival_counts_for_nothing() -> None:
    cloud = Underlay({HERE: 1550}, lambda _: False).begin([HERE])
    (probe,) = cloud.prober.due(cloud.now, 10)
    cloud.prober.arrived(b"guessed", "h2", 1550, cloud.now)
    cloud.prober.arrived(probe.nonce, "h3", 1550, cloud.now)
    cloud.prober.arrived(probe.nonce, "h2", 1549, cloud.now)
    assert cloud.finding() is None
    cloud.prober.arrived(probe.nonce, "h2", 1550, cloud.now)
    assert cloud.finding() == Finding(HERE, Verdict.WIDE, 1550, 1550)
    # nor does the same one twice
    cloud.prober.findings.clear()
    cloud.prober.arrived(probe.nonce, "h2", 1550, cloud.now)
    assert cloud.finding() is None


def test_a_path_that_nobody_needs_any_more_is_forgotten() -> None:
    cloud = Underlay({HERE: 1550, THERE: 1570}, lambda _: True).begin([HERE, THERE])
    cloud.run(1)
    del cloud.needed[HERE]
    cloud.run(ROUND_SECONDS)
    assert set(cloud.prober.findings) == {THERE}
    assert len(cloud.sent) == 3


def test_what_is_needed_may_change() -> None:
    cloud = Underlay({HERE: 1550}, lambda probe: probe.size <= 1600).begin([HERE])
    cloud.run(1)
    cloud.needed[HERE] = 1650
    cloud.begin([HERE]).run(60)
    assert cloud.finding() == Finding(HERE, Verdict.NARROW, 1600, 1650)


def test_both_families_are_probed() -> None:
    cloud = Underlay({HERE: 1550, SIX: 1570}, lambda probe: probe.size <= 1550).begin([HERE, SIX])
    cloud.run(60)
    assert cloud.finding(HERE) == Finding(HERE, Verdict.WIDE, 1550, 1550)
    assert cloud.finding(SIX) == Finding(SIX, Verdict.NARROW, 1550, 1570)


def test_the_pace_is_kept() -> None:
    paths = {Path("h1", f"h{number}", ip_address("192.0.2.9")): 1550 for number in range(2, 30)}
    cloud = Underlay(paths, lambda _: True).begin(paths)
    assert len(list(cloud.prober.due(cloud.now, 10))) == 10
    assert len(list(cloud.prober.due(cloud.now, 100))) == 18


def test_many_that_nobody_needs_any_more_are_not_all_looked_at_in_one_go() -> None:
    gone = [Path("h1", f"h{number}", ip_address("192.0.2.9")) for number in range(2, 1002)]
    cloud = Underlay({THERE: 1550}, lambda _: True).begin([*gone, THERE])
    assert list(cloud.prober.due(cloud.now, 10)) == []
    assert not cloud.prober.settled
    # when it is asked again a few times, then all have been looked at, and the one that is needed is probed
    cloud.run(10)
    assert cloud.prober.settled
    assert set(cloud.prober.findings) == {THERE}


def test_a_probe_that_comes_out_elsewhere_is_remembered_until_one_arrives() -> None:
    underlay = Underlay({HERE: 1550}, lambda _: False).begin([HERE])
    [probe] = underlay.prober.due(underlay.now, 10)
    underlay.prober.arrived(probe.nonce, "h3", probe.size, underlay.now)
    assert underlay.prober.strays == {HERE: "h3"}
    underlay.prober.arrived(probe.nonce, "h2", probe.size, underlay.now)
    assert underlay.prober.strays == {}
    assert underlay.prober.findings[HERE].verdict is Verdict.WIDE


def test_a_round_that_is_begun_again_is_settled_when_it_is_concluded() -> None:
    underlay = Underlay({HERE: 1550, THERE: 1570}, lambda probe: probe.path == HERE).begin([HERE, THERE])
    assert not underlay.prober.settled
    underlay.run(60)
    assert underlay.prober.settled
    sent = len(underlay.sent)
    underlay.prober.again(underlay.now)
    assert not underlay.prober.settled
    underlay.run(ANSWER_SECONDS)
    assert len(underlay.sent) >= sent + 2 and not underlay.prober.settled, (
        "one way is silent: that takes a while"
    )
    del underlay.needed[THERE]
    underlay.run(60)
    assert underlay.prober.settled, "what nobody needs keeps nobody waiting"
