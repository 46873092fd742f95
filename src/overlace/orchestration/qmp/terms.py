"""How memory is to be moved: from how fast the guest writes and what the way carries."""

from dataclasses import dataclass
from typing import Any

from overlace.model.procedure import Mode

ASSUMED_MBIT = 1000
"""What a way carries of which nothing is known."""
CALM, BUSY = 0.4, 1.0
"""Shares of the way that a guest's writes take: below CALM pre-copy ends soon, from BUSY on it does not end at all."""
CHANNELS = 4
STILLNESS_MS = 100
"""The last pass may take so long, by QEMU's reckoning."""
_UNLIMITED = 10 << 30


@dataclass(frozen=True, slots=True)
class Terms:
    """A mode that is not AUTO; `may_follow` is whether post-copy may take over where pre-copy does not end."""

    mode: Mode
    may_follow: bool
    bandwidth: int
    """Bytes a second, 0 for all there is."""


def choose(wanted: Mode, dirty_bytes: float, bandwidth_mbit: int) -> Terms:
    """The terms for a guest that writes so many bytes a second."""
    bandwidth = bandwidth_mbit * 125_000
    share = dirty_bytes / (bandwidth or ASSUMED_MBIT * 125_000)
    if wanted is not Mode.AUTO:
        return Terms(wanted, False, bandwidth)
    if share < CALM:
        return Terms(Mode.PRE_COPY, True, bandwidth)
    if share < BUSY:
        return Terms(Mode.MULTIFD, False, bandwidth)
    return Terms(Mode.POST_COPY, True, bandwidth)


def capabilities(terms: Terms) -> list[dict[str, Any]]:
    """As both ends need them. Multifd and post-copy exclude each other in QEMU."""
    wanted = {
        "events": True,
        "pause-before-switchover": True,
        "multifd": terms.mode is Mode.MULTIFD,
        "postcopy-ram": terms.mode is Mode.POST_COPY or terms.may_follow,
    }
    return [{"capability": name, "state": state} for name, state in wanted.items()]


def parameters(terms: Terms) -> dict[str, Any]:
    """As both ends need them."""
    shared: dict[str, Any] = {
        "downtime-limit": STILLNESS_MS,
        "max-bandwidth": terms.bandwidth or _UNLIMITED,
        "max-postcopy-bandwidth": terms.bandwidth,
    }
    if terms.mode is Mode.MULTIFD:
        shared |= {"multifd-channels": CHANNELS, "multifd-compression": "zstd"}
    return shared


def must_follow(terms: Terms, answer: dict[str, Any]) -> bool:
    """Whether post-copy has to take over, as query-migrate tells after the first passes."""
    ram = answer.get("ram", {})
    if not terms.may_follow and terms.mode is not Mode.POST_COPY:
        return False
    if terms.mode is Mode.POST_COPY:
        return bool(ram.get("dirty-sync-count", 0) >= 2)
    dirty = ram.get("dirty-pages-rate", 0) * ram.get("page-size", 4096)
    carried = ram.get("mbps", 0) * 125_000
    return bool(ram.get("dirty-sync-count", 0) >= 4 and carried > 0 and dirty > 0.8 * carried)
