"""Archives for the kernel's initramfs: cpio, format "newc" (Linux, Documentation/driver-api/early-userspace)."""

import stat
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, directory or link of the archive; `data` is a link's target."""

    path: str
    mode: int
    data: bytes = b""


def directory(path: str) -> Entry:
    return Entry(path, stat.S_IFDIR | 0o755)


def file(path: str, data: bytes, *, program: bool = False) -> Entry:
    return Entry(path, stat.S_IFREG | (0o755 if program else 0o644), data)


def copy(path: str, source: Path, *, program: bool = False) -> Entry:
    """A file of this machine under the same or another path."""
    return file(path, source.read_bytes(), program=program)


def link(path: str, target: str) -> Entry:
    return Entry(path, stat.S_IFLNK | 0o777, target.encode())


def pack(entries: list[Entry]) -> bytes:
    """The archive. Directories that the entries need are added; a path that is named twice is packed once."""
    wanted = {entry.path: entry for entry in _parents(entries)}
    wanted |= {entry.path: entry for entry in entries}
    ordered = sorted(wanted.values(), key=lambda entry: (entry.path.count("/"), entry.path))
    members = [_member(number, entry) for number, entry in enumerate(ordered, start=1)]
    return b"".join([*members, _member(0, Entry("TRAILER!!!", 0))])


def _parents(entries: list[Entry]) -> list[Entry]:
    found = []
    for entry in entries:
        parts = entry.path.split("/")
        found += [directory("/".join(parts[:depth])) for depth in range(1, len(parts))]
    return found


def _member(number: int, entry: Entry) -> bytes:
    name = entry.path.encode() + b"\0"
    links = 2 if stat.S_ISDIR(entry.mode) else 1
    # inode, mode, uid, gid, links, mtime, size, device (major, minor), special device (major, minor), name, check
    fields = (number, entry.mode, 0, 0, links, 0, len(entry.data), 0, 0, 0, 0, len(name), 0)
    header = b"070701" + b"".join(f"{field:08X}".encode() for field in fields)
    return _padded(header + name) + _padded(entry.data)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
