"""Which switches may connect, and how each proves which one it is.

An OpenFlow switch says its datapath id, a host's database the host's name. Over TLS the common name of the
certificate must say the same (``host:<name>``, or ``switch:<name>`` for a transit switch), so that one host's
key cannot speak for another.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from overlace.compiler.plan import SwitchName


class SwitchKind(Enum):
    """Who has an OVSDB connection beside OpenFlow (hosts) and who has none (transit switches)."""

    HOST = "host"
    TRANSIT = "transit"


@dataclass(frozen=True, slots=True)
class ExpectedSwitch:
    """A switch that may connect. A host's datapath id may be unknown: its database tells it."""

    kind: SwitchKind
    bridge: str
    datapath_id: int | None = None

    def common_name(self, name: SwitchName) -> str:
        """What the certificate of the switch `name` must be made out to."""
        return f"{'host' if self.kind is SwitchKind.HOST else 'switch'}:{name}"


class RefusedError(Exception):
    """A connection that is not taken; the text says why and, where there is one, the remedy."""


class ExpectedSwitches:
    """The register."""

    def __init__(self) -> None:
        self._by_name: dict[SwitchName, ExpectedSwitch] = {}
        self._by_datapath: dict[int, SwitchName] = {}
        self._datapaths: dict[SwitchName, int] = {}

    def replace(self, switches: Mapping[SwitchName, ExpectedSwitch]) -> None:
        """Take a new register. Raises ValueError when two switches claim one datapath id."""
        gone = dict.fromkeys(name for name in self._by_name if name not in switches)
        self.update({**gone, **switches})

    def update(self, changes: Mapping[SwitchName, ExpectedSwitch | None]) -> None:
        """These are so from now on (None: gone). What a database has told stays while the register leaves it open.

        Raises ValueError when two switches claim one datapath id.
        """
        for name, switch in changes.items():
            before = self._by_name.pop(name, None)
            declared = [each is None or each.datapath_id is not None for each in (before, switch)]
            if any(declared):
                self._forget_datapath(name)
        for name, switch in changes.items():
            if switch is not None:
                self._by_name[name] = switch
                if switch.datapath_id is not None:
                    self._declare(name, switch.datapath_id)

    def _declare(self, name: SwitchName, datapath_id: int) -> None:
        owner = self._by_datapath.get(datapath_id)
        if owner is not None and owner != name:
            if (claimed := self._by_name.get(owner)) and claimed.datapath_id == datapath_id:
                raise ValueError(f"{owner} and {name} both have datapath id {datapath_id:016x}")
            self._forget_datapath(owner)
        self._by_datapath[datapath_id] = name
        self._datapaths[name] = datapath_id

    def _forget_datapath(self, name: SwitchName) -> None:
        if (datapath_id := self._datapaths.pop(name, None)) is not None:
            del self._by_datapath[datapath_id]

    def __getitem__(self, name: SwitchName) -> ExpectedSwitch:
        return self._by_name[name]

    def get(self, name: SwitchName) -> ExpectedSwitch | None:
        """The entry of a switch, if it has one."""
        return self._by_name.get(name)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def learn_datapath(self, name: SwitchName, datapath_id: int) -> None:
        """A host's database says which datapath id its bridge has.

        Raises RefusedError when the register says another, or says that it is another switch's.
        """
        known = self._by_name[name].datapath_id
        if known is not None and known != datapath_id:
            raise RefusedError(
                f"bridge {self._by_name[name].bridge} of {name} has datapath id {datapath_id:016x}, "
                f"expected is {known:016x}"
            )
        owner = self._by_datapath.get(datapath_id, name)
        if owner != name:
            raise RefusedError(f"{name} has datapath id {datapath_id:016x}, which is that of {owner}")
        self._forget_datapath(name)
        self._by_datapath[datapath_id] = name
        self._datapaths[name] = datapath_id

    def name_of_datapath(self, datapath_id: int) -> SwitchName | None:
        """The switch with this datapath id, if it is known by now."""
        return self._by_datapath.get(datapath_id)

    def datapath_of(self, name: SwitchName) -> int | None:
        """The datapath id of a switch, as far as it is known."""
        return self._datapaths.get(name)

    def admit_host(self, host: str | None, common_name: str | None) -> SwitchName:
        """The host that a database is of. Raises RefusedError; `common_name` is None without TLS."""
        if not host:
            raise RefusedError(
                "the database has neither external_ids:overlace-host nor system-id in its Open_vSwitch row; "
                "join the host with: overlace join NAME"
            )
        expected = self._by_name.get(host)
        if expected is None or expected.kind is not SwitchKind.HOST:
            cure = f"overlace host add {host} --site SITE --endpoint ADDRESS"
            raise RefusedError(f"host {host!r} is not known; add it with: {cure}")
        self.check_certificate(host, common_name)
        return host

    def check_certificate(self, name: SwitchName, common_name: str | None) -> None:
        """Raise RefusedError when a certificate was shown that is not made out to this switch."""
        wanted = self._by_name[name].common_name(name)
        if common_name is not None and common_name != wanted:
            raise RefusedError(
                f"the peer claims to be {name} but its certificate is made out to {common_name!r}, not {wanted!r}"
            )
