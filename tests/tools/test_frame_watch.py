"""Given what sockets at the switches have seen, when the account is drawn up, then each frame is lost or is not."""

import struct

import pytest
from tools.frame_watch import PEER, Seen, account, counts, described

GUEST, OTHER = bytes.fromhex("02000000000c"), bytes.fromhex("02000000000b")
BEGUN = 98.0


def towards(number: int) -> bytes:
    return GUEST + OTHER + b"\x08\x00" + struct.pack("!I", number)


def back(number: int) -> bytes:
    return OTHER + GUEST + b"\x08\x00" + struct.pack("!I", number)


def spoken_at(host: str, at: float) -> list[Seen]:
    """The guest says something at a host, and its peer hears it."""
    frame = back(round(at * 1000))
    return [Seen(host, frame, at, False), Seen(PEER, frame, at + 0.03, True)]


def sent(number: int, at: float, *taps: tuple[str, float]) -> list[Seen]:
    """The peer sends a frame, which is handed out at so many TAPs."""
    return [
        Seen(PEER, towards(number), at, False),
        *(Seen(tap, towards(number), when, True) for tap, when in taps),
    ]


def test_a_frame_that_reaches_either_tap_is_not_lost_and_a_second_copy_counts_once() -> None:
    seen = [*spoken_at("h1", 99.0), *sent(1, 99.5, ("h1", 99.6)), *sent(2, 99.7, ("h1", 99.8), ("h3", 99.9))]
    drawn = account(seen, GUEST, "h3", BEGUN, 101)
    assert (drawn.entered, drawn.lost, drawn.gap_ms, drawn.misdelivered) == (3, 0, 0.0, 0)


def test_what_reaches_no_tap_is_lost_for_as_long_as_it_went_on() -> None:
    seen = [
        *spoken_at("h1", 99.0),
        *sent(1, 100.0, ("h1", 100.0)),
        *sent(2, 100.1),
        *sent(3, 100.2),
        *sent(4, 100.3, ("h3", 100.4)),
    ]
    drawn = account(seen, GUEST, "h3", BEGUN, 101)
    assert (drawn.entered, drawn.lost, drawn.gap_ms) == (5, 2, 200.0)


def test_frames_of_the_guest_that_the_peer_never_gets_are_lost_too() -> None:
    seen = [*spoken_at("h1", 99.0), Seen("h3", back(7), 100.5, False)]
    drawn = account(seen, GUEST, "h3", BEGUN, 101)
    assert (drawn.lost, [each.frame for each in drawn.missing], drawn.went_on) == (1, [back(7)], 100.5)


def test_what_reaches_the_old_tap_after_the_guest_went_on_is_misdelivered_unless_a_copy_came() -> None:
    seen = [
        *spoken_at("h1", 99.0),
        Seen("h3", b"\xff" * 6 + GUEST + b"\x80\x35", 100.0, False),  # announced: it goes on
        *sent(1, 99.9, ("h1", 99.95)),  # the guest stood still: its own account
        *sent(2, 100.1, ("h1", 100.2)),
        *sent(3, 100.1, ("h1", 100.2), ("h3", 100.3)),
        *sent(4, 100.4, ("h3", 100.5)),
    ]
    drawn = account(seen, GUEST, "h3", BEGUN, 101)
    assert (drawn.lost, drawn.misdelivered) == (0, 1)


def test_what_enters_after_the_end_or_before_all_is_watched_does_not_count() -> None:
    seen = [*sent(2, 97.9), *spoken_at("h1", 99.0), *sent(1, 102.0)]
    assert account(seen, GUEST, "h3", BEGUN, 101).lost == 0


IPV4, IPV6 = b"\x08\x00\x45", b"\x86\xdd\x60"


@pytest.mark.parametrize(
    ("kind", "protocol", "message", "counted"),
    [
        (IPV4, 6, 0, True),
        (IPV4, 17, 0, True),
        (IPV4, 1, 8, True),
        (IPV4, 1, 0, True),
        (IPV4, 1, 3, False),
        (IPV4, 47, 0, False),
        (IPV6, 6, 0, True),
        (IPV6, 58, 128, True),
        (IPV6, 58, 135, False),
        (b"\x08\x06\x00", 6, 0, False),
    ],
)
def test_echoes_tcp_and_udp_count_and_what_switches_answer_does_not(
    kind: bytes, protocol: int, message: int, counted: bool
) -> None:
    frame = bytearray(GUEST + OTHER + kind + bytes(80))
    frame[20 if kind == IPV6 else 23] = protocol
    frame[54 if kind == IPV6 else 34] = message
    assert counts(bytes(frame)) is counted


@pytest.mark.parametrize(
    ("header", "message", "text"),
    [
        (
            IPV4 + bytes(7) + b"\x40\x06" + bytes(10),
            struct.pack("!HH", 5000, 40000),
            "IPv4 TCP 5000 to 40000",
        ),
        (IPV6 + bytes(5) + b"\x11" + bytes(33), struct.pack("!HH", 7, 9), "IPv6 UDP 7 to 9"),
        (IPV4 + bytes(7) + b"\x40\x01" + bytes(10), b"\x00", "IPv4 echo reply"),
        (IPV6 + bytes(5) + b"\x3a" + bytes(33), b"\x80", "IPv6 echo request"),
    ],
)
def test_a_frame_that_was_lost_is_told_by_what_it_was(header: bytes, message: bytes, text: str) -> None:
    assert described(GUEST + OTHER + header + message + bytes(20)) == text
