"""Given a MAC address, when it is announced, then the frame is the RARP that QEMU sends."""

from overlace.lab.announcement import rarp_frame


def test_the_frame_is_a_broadcast_rarp_request_of_the_workload() -> None:
    frame = rarp_frame("fa:16:3e:00:00:01")
    mac = bytes.fromhex("fa163e000001")
    assert frame[:14] == b"\xff" * 6 + mac + bytes.fromhex("8035")
    assert frame[14:22] == bytes.fromhex("0001080006040003")
    assert frame[22:42] == mac + bytes(4) + mac + bytes(4)
    assert len(frame) == 60
