"""Given kernel modules that need each other, when they are put in order, then each comes after what it needs."""

from pathlib import Path

import pytest

from overlace.lab.errors import LabError
from overlace.lab.machines.kernel import extract_elf, load_order


def module(directory: Path, name: str, *needed: str) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    said = f"\0license=GPL\0depends={','.join(needed)}\0retpoline=Y\0"
    (directory / f"{name}.ko").write_bytes(b"\x7fELF" + said.encode())


def test_what_a_module_needs_is_loaded_before_it(tmp_path: Path) -> None:
    module(tmp_path / "virtio", "virtio_pci", "virtio", "virtio_ring")
    module(tmp_path / "virtio", "virtio", "virtio_ring")
    module(tmp_path / "virtio", "virtio_ring")
    module(tmp_path / "net", "virtio_net", "virtio", "net_failover")
    module(tmp_path / "net", "net-failover")  # a hyphen in the file's name is an underscore in the module's
    module(tmp_path / "net", "unwanted")
    order = [path.stem for path in load_order(tmp_path, ["virtio_pci", "virtio_net"])]
    assert order == ["virtio_ring", "virtio", "virtio_pci", "net-failover", "virtio_net"]


def test_a_module_that_is_missing_is_named(tmp_path: Path) -> None:
    module(tmp_path, "virtio_net", "virtio")
    with pytest.raises(LabError, match="no module virtio:"):
        load_order(tmp_path, ["virtio_net"])


def test_a_kernel_of_another_compression_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vmlinuz").write_bytes(bytes(4096))
    with pytest.raises(LabError, match="not compressed by LZ4"):
        extract_elf(tmp_path / "vmlinuz", tmp_path / "vmlinux")
