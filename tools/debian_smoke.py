"""`make deb-smoke`: the package in a clean Debian 12 of its own, from installation to purge (root).

A minimal system is made with debootstrap in a temporary directory; the package is installed there by apt, which has
to find all that it depends on. Then, in a network namespace of its own and as the user of the unit, without any
capability and with everything but its state read only, the unit's command is run: it has to say that it is ready, the
API has to answer, and an Open vSwitch of that system has to join by the printed script and come in sync. At the end
the package is purged, and nothing of it may be left.

Usage: python -m tools.debian_smoke PACKAGE
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ISOLATED = ("unshare", "--mount", "--pid", "--fork", "--kill-child")
UNIT = "lib/systemd/system/overlace.service"
APT = ("apt-get", "-q", "-y", "--no-install-recommends")
PATIENCE = 60.0
"""Seconds for anything to happen that has to."""


def main() -> None:
    """The phases; each in namespaces of its own, so that nothing outlives it."""
    match sys.argv[1:]:
        case ["--install", root, package]:
            install(Path(root), package)
        case ["--serve", root]:
            serve(Path(root))
        case ["--purge", root]:
            purge(Path(root))
        case [package]:
            smoke(Path(package).resolve())
        case _:
            raise SystemExit(__doc__)


def smoke(package: Path) -> None:
    """All of it."""
    with tempfile.TemporaryDirectory(prefix="overlace-smoke-") as name:
        root = Path(name) / "root"
        say("a clean Debian 12")
        run("debootstrap", "--variant=minbase", "--include=ca-certificates", "bookworm", str(root), timeout=900)
        for place in ("etc/apt", "etc/ssl/certs", "usr/share/keyrings"):
            run("cp", "-aT", f"/{place}", str(root / place))
        shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
        policy = root / "usr/sbin/policy-rc.d"  # invoke-rc.d(8): no service is started by being installed
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
        shutil.copy(package, root / "tmp" / package.name)
        phase("--install", root, f"/tmp/{package.name}")
        phase("--serve", root, more=("--net",))
        phase("--purge", root)
    say("PASSED")


def install(root: Path, package: str) -> None:
    """By apt, with what it depends on; a host's packages are there, too."""
    mount(root)
    say("install")
    chroot(root, "apt-get", "-q", "update")
    chroot(root, *APT, "install", "openvswitch-switch", "openssl", "iproute2")
    (root / "tmp/before").write_text("\n".join(everything(root)))
    chroot(root, *APT, "install", package)
    assert "overlace" in (root / "etc/passwd").read_text()
    assert chroot(root, "stat", "-c", "%U %a", "/var/lib/overlace").split() == ["overlace", "700"]
    say(f"installed: {chroot(root, 'overlace', '--version').strip()}")


def serve(root: Path) -> None:
    """The unit's command serves, and a switch joins."""
    mount(root)
    run("ip", "link", "set", "lo", "up")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        notify = root / "run/notify"
        manager.bind(str(notify))
        notify.chmod(0o666)
        manager.settimeout(PATIENCE)
        controller = subprocess.Popen(unit_command(root))
        assert manager.recv(64) == b"READY=1"
        say(f"serves: {' '.join(start(root))}")
        assert overlace(root, "status")["switches"] == {}
        join(root)
        controller.send_signal(signal.SIGTERM)
        assert manager.recv(64) == b"STOPPING=1"
        assert controller.wait(PATIENCE) == 0
        say("ended as a service should")


def join(root: Path) -> None:
    """An Open vSwitch as Debian starts it, a certificate, a bridge, in sync."""
    chroot(root, "/usr/share/openvswitch/scripts/ovs-ctl", "start", "--system-id=random")
    overlace(root, "site", "add", "here")
    overlace(root, "host", "add", "h1", "--site", "here", "--endpoint", "192.0.2.11")
    words = ("--datapath", "netdev", "--pki", "/var/lib/overlace/pki")
    script = chroot(root, "overlace", "join", "h1", "--controller", "127.0.0.1", *words)
    chroot(root, "sh", "-s", given=script)
    deadline = time.monotonic() + PATIENCE
    while (found := overlace(root, "status")["switches"]["h1"])["phase"] != "in_sync":
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    say(f"h1 has joined and is in sync: {found['flows']} flows")
    chroot(root, "overlace", "doctor", "--probe")
    say("the doctor finds nothing")
    chroot(root, "sh", "-s", given=chroot(root, "overlace", "leave", "h1"))
    chroot(root, "/usr/share/openvswitch/scripts/ovs-ctl", "stop")


def purge(root: Path) -> None:
    """Everything that came with the package goes with it."""
    mount(root)
    chroot(root, *APT, "purge", "overlace")
    before = set((root / "tmp/before").read_text().splitlines())
    # Of the packages that it needs, and of the daemons that ran, something may stay.
    left = [path for path in everything(root) if path not in before and "overlace" in path]
    assert left == [], left
    for file in ("passwd", "group", "shadow"):
        assert "overlace" not in (root / "etc" / file).read_text(), file
    say("purged; nothing is left")


def unit_command(root: Path) -> list[str]:
    """What systemd would run: the unit's user and no capability; only its state and /tmp can be written."""
    confine = "mount --rbind / / && mount -o remount,bind,ro / && mount --bind /var/lib/overlace /var/lib/overlace"
    confine += " && mount -o remount,bind,rw /var/lib/overlace && cd /var/lib/overlace && umask 0077 && exec "
    drop = "setpriv --reuid overlace --regid overlace --clear-groups --bounding-set=-all --no-new-privs "
    environment = f"env -i PATH={os.environ['PATH']} NOTIFY_SOCKET=/run/notify "
    command = confine + drop + environment + " ".join(start(root))
    return ["unshare", "--mount", "chroot", str(root), "sh", "-c", command]


def start(root: Path) -> list[str]:
    """ExecStart of the installed unit."""
    lines = (root / UNIT).read_text().splitlines()
    [found] = [line.removeprefix("ExecStart=") for line in lines if line.startswith("ExecStart=")]
    return found.split()


def overlace(root: Path, *words: str) -> dict[str, dict[str, dict[str, object]]]:
    """A command's JSON."""
    found: dict[str, dict[str, dict[str, object]]] = json.loads(chroot(root, "overlace", *words, "--json"))
    return found


def everything(root: Path) -> list[str]:
    """Every path of the system, without what its kernel shows."""
    skip = ("proc", "sys", "dev", "tmp", "run")
    found = (path for top in root.iterdir() if top.name not in skip for path in (top, *top.rglob("*")))
    return sorted(str(path.relative_to(root)) for path in found)


def mount(root: Path) -> None:
    """For the processes of this phase alone."""
    run("mount", "--make-rprivate", "/")
    run("mount", "--bind", str(root), str(root))
    run("mount", "-t", "proc", "proc", str(root / "proc"))
    for place in ("sys", "dev"):
        run("mount", "--rbind", f"/{place}", str(root / place))


def phase(what: str, root: Path, *words: str, more: tuple[str, ...] = ()) -> None:
    """This program again, isolated."""
    again = [sys.executable, "-m", "tools.debian_smoke", what, str(root), *words]
    subprocess.run([*ISOLATED, *more, *again], check=True, timeout=1200)


def chroot(root: Path, *command: str, given: str = "") -> str:
    """The output of a command in the clean system."""
    clean = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    proxies = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    return run("chroot", str(root), *command, given=given, environment=clean | proxies)


def run(*command: str, given: str = "", environment: dict[str, str] | None = None, timeout: float = 600) -> str:
    """The output of a command that has to succeed."""
    done = subprocess.run(
        command, input=given, env=environment, capture_output=True, text=True, check=False, timeout=timeout
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed ({done.returncode}): {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def say(text: str) -> None:
    print(f"deb-smoke: {text}", flush=True)


if __name__ == "__main__":
    main()
