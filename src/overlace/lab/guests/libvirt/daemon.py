"""A libvirtd for each host, without systemd: it sees the host's own network and Open vSwitch, and keeps its files in
the laboratory's directory, since in its mount namespace the usual places are that."""

import shlex
import shutil
import uuid
from importlib.resources import files
from pathlib import Path

from overlace.lab.errors import CommandFailed, LabError
from overlace.lab.execution import environment, run
from overlace.lab.guests.place import libvirt_directory
from overlace.lab.plan import Node
from overlace.lab.process import read_pidfile

PACKAGES = "libvirt-daemon libvirt-daemon-driver-qemu libvirt-clients"
TCP_PORT = 16509
HOME = "/var/lib/libvirt"
IMAGES, GUESTS = f"{HOME}/images", f"{HOME}/guests"
"""Where libvirt sees disks, and sockets and logs of guests: at every host the same."""
EMULATOR = f"{HOME}/qemu-tcg"
_PLACES = {"run": "/run/libvirt", "lib": HOME, "cache": "/var/cache/libvirt", "etc": "/etc/libvirt"}
_PLACES |= {"log": "/var/log/libvirt"}
_USER = "libvirt-qemu:x:64055:64055::/var/lib/libvirt:/usr/sbin/nologin\n"
_GROUPS = "libvirt-qemu:x:64055:\nkvm:x:64056:\n"
POOL = "guests"
_POOL = f"<pool type='dir'><name>{POOL}</name><target><path>{IMAGES}</path></target></pool>"


def uris(laboratory: Path) -> tuple[str, str]:
    """How this machine's virsh speaks with a host's libvirtd, from any namespace, and how other hosts' libvirtd do;
    {host} and {address} stand for the host's name and address."""
    local = laboratory / "{host}/libvirt/run/libvirt-sock"
    return f"qemu+unix:///system?socket={local}", "qemu+tcp://{address}/system"


def start(node: Node) -> None:
    """Start it, unless it runs. Raises `LabError`."""
    home = libvirt_directory(node)
    if read_pidfile(home / "run/libvirtd.pid") is not None:
        return
    if shutil.which("libvirtd", path=environment()["PATH"]) is None:
        raise LabError(f"the program 'libvirtd' was not found: install the packages {PACKAGES}")
    for name in _PLACES:
        (home / name).mkdir(parents=True, exist_ok=True)
    for inside in ("images", "guests"):
        (home / "lib" / inside).mkdir(exist_ok=True)
    _write(home / "etc/libvirtd.conf", _daemon_settings(node))
    _write(home / "etc/qemu.conf", _qemu_settings())
    _write(home / "passwd", Path("/etc/passwd").read_text() + _USER)
    _write(home / "group", Path("/etc/group").read_text() + _GROUPS)
    emulator = home / "lib/qemu-tcg"
    emulator.write_bytes((files("overlace.lab.guests.libvirt") / "qemu-tcg.sh").read_bytes())
    emulator.chmod(0o755)
    try:
        run(["unshare", "-m", "sh", "-c", _script(node, home)], netns=node.namespace)
        virsh(node, "pool-create", "/dev/stdin", stdin=_POOL)
    except CommandFailed as error:
        raise LabError(f"libvirtd does not start at {node.name}: {error.output.strip()[-500:]}") from error


def virsh(node: Node, *words: str, stdin: str = "", check: bool = True) -> str:
    """What virsh says to a host's libvirtd. Raises `CommandFailed`."""
    uri = uris(node.directory.parent)[0].replace("{host}", node.name)
    return run(["virsh", "-q", "-c", uri, *words], stdin=stdin, check=check).stdout


def _script(node: Node, home: Path) -> str:
    lines = ["set -e", "mount --make-rprivate /"]
    for name, place in _PLACES.items():
        lines.append(f"mkdir -p {place}; mount --bind {shlex.quote(str(home / name))} {place}")
    lines.append(f"mkdir -p /run/openvswitch; mount --bind {shlex.quote(str(node.rundir))} /run/openvswitch")
    for name in ("passwd", "group"):
        lines.append(f"mount --bind {shlex.quote(str(home / name))} /etc/{name}")
    lines.append("exec libvirtd -d -l -p /run/libvirt/libvirtd.pid")
    return "\n".join(lines)


def _daemon_settings(node: Node) -> str:
    return f"""listen_tls = 0
listen_tcp = 1
listen_addr = "{node.endpoints[0]}"
tcp_port = "{TCP_PORT}"
auth_tcp = "none"
auth_unix_rw = "none"
host_uuid = "{uuid.uuid4()}"
log_outputs = "2:file:/var/log/libvirt/libvirtd.log"
"""


def _qemu_settings() -> str:
    return """user = "root"
group = "root"
security_driver = "none"
cgroup_controllers = [ ]
namespaces = [ ]
dynamic_ownership = 0
remember_owner = 0
stdio_handler = "file"
"""


def _write(path: Path, text: str) -> None:
    path.write_text(text)
