"""Given files for an initramfs, when they are packed, then a cpio of another make unpacks them as they were."""

import os
import shutil
import subprocess
from pathlib import Path

from overlace.lab.machines import archive


def unpacked(packed: bytes, into: Path) -> None:
    program = shutil.which("busybox")
    assert program is not None
    subprocess.run([program, "cpio", "-i"], input=packed, cwd=into, check=True, capture_output=True)


def test_files_programs_links_and_their_directories_come_out_again(tmp_path: Path) -> None:
    entries = [
        archive.file("etc/name", b"guest\n"),
        archive.file("bin/run", b"#!/bin/sh\n" * 1001, program=True),
        archive.link("bin/also-run", "run"),
        archive.directory("proc"),
    ]
    unpacked(archive.pack(entries), tmp_path)
    assert (tmp_path / "etc/name").read_bytes() == b"guest\n"
    assert (tmp_path / "bin/run").read_bytes() == b"#!/bin/sh\n" * 1001
    assert os.access(tmp_path / "bin/run", os.X_OK)
    assert not (tmp_path / "etc/name").stat().st_mode & 0o111
    assert (tmp_path / "bin/also-run").readlink() == Path("run")
    assert (tmp_path / "proc").is_dir()


def test_what_is_named_twice_is_packed_once_as_named_last(tmp_path: Path) -> None:
    packed = archive.pack([archive.file("a", b"first"), archive.file("a", b"second")])
    assert packed.count(b"070701") == 2  # the file and the trailer
    unpacked(packed, tmp_path)
    assert (tmp_path / "a").read_bytes() == b"second"


def test_an_archive_of_nothing_is_an_archive(tmp_path: Path) -> None:
    unpacked(archive.pack([]), tmp_path)
    assert list(tmp_path.iterdir()) == []
