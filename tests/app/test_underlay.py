"""The keeper of the underlay, between a store and switches that are played by the test."""

from dataclasses import dataclass, field, replace
from ipaddress import ip_address

from overlace.app.underlay import Underlay
from overlace.app.underlay_view import UnderlayStatus
from overlace.compiler.pipeline import VNI_PROBE, VNI_WARM_UP
from overlace.datapath.actions import Output, SetField
from overlace.datapath.fields import Field
from overlace.datapath.match import match
from overlace.kit.clock import ManualClock
from overlace.kit.revision import Revision
from overlace.model.network import Network, Segment
from overlace.model.observation import Silence
from overlace.model.port import Binding, BindingState
from overlace.model.site import Host, Site, TunnelEndpoint
from overlace.model.snapshot import Change, Snapshot
from overlace.protocols import probe_frame
from overlace.southbound.observations import HostSeen, LivenessSeen
from overlace.wire.openflow.messages import PacketIn, PacketOut

ADDRESSES = {"h1": ("192.0.2.1", "2001:db8::1"), "h2": ("192.0.2.2", "2001:db8::2"), "h3": ("192.0.2.3",)}


@dataclass
class Cloud:
    """Three hosts at one site; what is sent goes into `sent`, by kind."""

    clock: ManualClock = field(default_factory=ManualClock)
    snapshot: Snapshot = field(default_factory=lambda: Snapshot.empty(Revision("test", 1, 0)))
    sent: list[tuple[str, PacketOut]] = field(default_factory=list)
    silent: dict[str, frozenset[Silence]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.underlay = Underlay(
            lambda: self.snapshot, self.clock, self, lambda *sent: self.sent.append(sent)
        )
        self.status = UnderlayStatus(lambda: self.snapshot, self.underlay, 1500)
        self.commit(Site(id="a", mtu=1550))
        for key, (name, addresses) in enumerate(ADDRESSES.items(), start=1):
            endpoints = tuple(TunnelEndpoint(ip_address(each), rank) for rank, each in enumerate(addresses))
            self.commit(Host(id=name, site_id="a", endpoints=endpoints, key=key))
        self.commit(Network(id="red", project_id="p", name="red", key=1, mtu=1500))
        self.commit(Segment(id="s", network_id="red", network_type="vxlan", segmentation_id=5001))

    def observed_lost(self, host: str, lost: bool) -> None:
        pass

    def observed_silence(self, host: str, silences: frozenset[Silence]) -> None:
        self.silent[host] = silences

    def commit(self, value: Site | Host | Network | Segment | Binding) -> None:
        change = Change(type(value), value.id, self.snapshot.get(type(value), value.id), value)
        self.snapshot = self.snapshot.put(value)
        self.underlay.committed(self.snapshot, (change,))

    def plug(self, host: str) -> None:
        state = BindingState.ACTIVE
        self.commit(Binding(port_id=host, network_id="red", host_id=host, state=state, generation=1, zone=1))

    def connect(self, *hosts: str, there: bool = True) -> None:
        for host in hosts:
            self.underlay.host_changed(HostSeen(host, 1, "3.1", there, there, self.clock.now()))

    def hear(self, host: str, remote: str, up: bool) -> None:
        state, interface = "up" if up else "down", f"bfd-{remote}"
        self.underlay.liveness_changed(
            LivenessSeen(host, remote, up, interface, state, state, "No Diagnostic")
        )

    def take(self, vni: int) -> list[tuple[str, tuple[str, ...], bytes]]:
        """What was sent under a VNI: from whom, to which addresses, what."""
        taken = [(host, out) for host, out in self.sent if vni_of(out) == vni]
        self.sent = [each for each in self.sent if each not in taken]
        return [(host, targets(out), out.frame) for host, out in taken]

    def carry(self, narrow: int) -> None:
        """Let time pass; probes arrive that are not longer than `narrow`."""
        for _ in range(300):
            self.clock.advance(0.2)
            self.underlay.tick()
            for host, (address,), frame in self.take(VNI_PROBE):
                target = next(name for name, known in ADDRESSES.items() if address in known)
                source = ip_address(ADDRESSES[host][0 if ip_address(address).version == 4 else 1])
                _, size = probe_frame.decode(frame, source.version)
                if size <= narrow:
                    from_whom = Field.TUN_SRC if source.version == 4 else Field.TUN_IPV6_SRC
                    packet = PacketIn(frame, len(frame), 0, 2, 0, match({from_whom: source}))
                    self.underlay.probe_arrived(target, packet)


def vni_of(out: PacketOut) -> int:
    return next(
        action.value
        for action in out.actions
        if isinstance(action, SetField) and action.field is Field.TUN_ID
    )


def targets(out: PacketOut) -> tuple[str, ...]:
    """The tunnel destination at each output."""
    found, four, six = [], 0, 0
    for action in out.actions:
        match action:
            case SetField(field=Field.TUN_DST):
                four = action.value
            case SetField(field=Field.TUN_IPV6_DST):
                six = action.value
            case Output():
                found.append(str(ip_address(four.to_bytes(4, "big") if four else six.to_bytes(16, "big"))))
            case _:
                pass
    return tuple(found)


def two_peers() -> Cloud:
    cloud = Cloud()
    cloud.connect(*ADDRESSES)
    cloud.plug("h1")
    cloud.plug("h2")
    return cloud


def test_hosts_are_warmed_when_they_begin_to_share_a_network() -> None:
    cloud = Cloud()
    cloud.connect(*ADDRESSES)
    cloud.plug("h1")
    assert cloud.take(VNI_WARM_UP) == []
    cloud.plug("h3")
    # in the commit itself, before any plan goes out; and of addresses only those that both families allow
    warmed = {(host, to) for host, to, _ in cloud.take(VNI_WARM_UP)}
    assert warmed == {("h1", ("192.0.2.3",)), ("h3", ("192.0.2.1",))}
    # and again well before a switch forgets
    cloud.clock.advance(599)
    cloud.underlay.tick()
    assert cloud.take(VNI_WARM_UP) == []
    cloud.clock.advance(1)
    cloud.underlay.tick()
    assert len(cloud.take(VNI_WARM_UP)) == 2


def test_a_host_that_comes_back_warms_its_own_ways() -> None:
    cloud = two_peers()
    cloud.take(VNI_WARM_UP)
    cloud.connect("h1", there=False)
    cloud.connect("h1")
    cloud.underlay.tick()
    assert [(host, to) for host, to, _ in cloud.take(VNI_WARM_UP)] == [("h1", ADDRESSES["h2"])]


def test_what_paths_carry_is_found_and_explained() -> None:
    cloud = two_peers()
    cloud.carry(1550)
    found = {(each["source"], each["address"]): each for each in cloud.status.paths()}
    assert len(found) == 4
    four, six = found["h1", "192.0.2.2"], found["h1", "2001:db8::2"]
    assert (four["verdict"], four["carries"], four["needed"]) == ("wide enough", 1550, 1550)
    assert (six["verdict"], six["carries"], six["needed"], six["network_mtu"]) == (
        "too narrow",
        1550,
        1570,
        1480,
    )
    assert six["detail"] == (
        "h1 -> h2 (2001:db8::2) carries packets of 1550 bytes, networks of MTU 1500 need 1570: "
        "lower the networks' MTU to 1480 or raise the link's to 1570"
    )
    reason, _ = cloud.status.reasons("h1", {"h2", "h3"})  # and one for the way back
    assert reason.text == str(six["detail"]).split(": lower")[0]
    assert reason.cure == "lower the networks' MTU to 1480 or raise the link's to 1570"
    # and when the network's MTU is lowered, it is enough
    cloud.commit(replace(Network(id="red", project_id="p", name="red", key=1), mtu=1480))
    cloud.carry(1550)
    assert {each["verdict"] for each in cloud.status.paths()} == {"wide enough"}


def test_a_path_without_an_answer_says_so() -> None:
    cloud = two_peers()
    cloud.carry(0)
    assert {alarm.kind for alarm in cloud.status.alarms()} >= {"no probe arrives"}
    # but not when its host is away: then nobody could have told
    cloud.connect("h2", there=False)
    assert cloud.status.paths() == []


def test_rubbish_on_the_probes_vni_is_nothing() -> None:
    cloud = two_peers()
    cloud.underlay.probe_arrived("h1", PacketIn(b"\0" * 60, 60, 0, 2, 0, match({})))
    assert cloud.status.paths() == []


def test_sessions_are_shown_with_the_hosts_names_and_alarms_name_the_cure() -> None:
    cloud = two_peers()
    cloud.hear("h1", "192.0.2.2", True)
    cloud.hear("h2", "192.0.2.1", False)
    # (a session that is only coming up is no alarm)
    assert "not heard" not in {alarm.kind for alarm in cloud.status.alarms()}
    cloud.clock.advance(5)
    shown = {each["host"]: each for each in cloud.status.liveness()}
    assert (shown["h1"]["remote_host"], shown["h1"]["up"]) == ("h2", True)
    texts = {alarm.kind: alarm.text for alarm in cloud.status.alarms()}
    assert texts["not heard"].startswith("h2 does not hear h1 (192.0.2.1) since ")
    # the site's 1550 bytes leave 1480 over IPv6, which is less than the network has
    assert texts["network too wide"].startswith(
        "network red (red) has MTU 1500, the most that reaches every host is 1480"
    )
    # the same, as a reason why ports there may not reach each other
    (reason,) = cloud.status.reasons("h2", {"h1"})
    assert (reason.ground.value, reason.text, reason.blocking) == ("not_heard", texts["not heard"], False)
    assert cloud.status.reasons("h2", {"h3"}) == cloud.status.reasons("h3", {"h1", "h2"}) == []
    # a host that is away is no witness, and one that is removed is forgotten
    cloud.connect("h2", there=False)
    assert "not heard" not in {alarm.kind for alarm in cloud.status.alarms()}
    gone = cloud.snapshot.get(Host, "h1")
    cloud.snapshot = cloud.snapshot.without(Host, "h1")
    cloud.underlay.committed(cloud.snapshot, (Change(Host, "h1", gone, None),))
    assert [each["host"] for each in cloud.status.liveness()] == ["h2"]
