"""Runs a command with the network cut off, so that "the course runs offline" is a tested fact.

    python -m tlcourse.workshop.offline -- pytest --nbval-lax notebooks

On Linux, where the machine allows it, the command gets a network of its own that holds nothing but loopback.
Elsewhere a guard in every Python below it refuses connections and look-ups that leave the machine. One line says
which is in force.

No library does this: those that guard a test run guard one Python, and not the kernels and the pip that it starts.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path

GUARD = Path(__file__).with_name("guard")
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1


def enter_namespace() -> None:
    """Move this process into a network namespace that holds only loopback, and bring loopback up.

    Raises:
        OSError: the system has no such namespaces, or does not allow one.
    """
    if not sys.platform.startswith("linux"):
        raise OSError(f"{sys.platform} has no network namespaces")
    uid, gid = os.getuid(), os.getgid()
    try:
        _unshare(CLONE_NEWNET)
    except OSError:
        # Not privileged; inside a user namespace of its own every process is, over that namespace.
        _unshare(CLONE_NEWUSER | CLONE_NEWNET)
        _map_identity(uid, gid)
    _loopback_up()


def namespace_allowed() -> bool:
    """Whether this machine lets a process cut itself off; asked in a child, for there is no way back."""
    code = "from tlcourse.workshop.offline import enter_namespace; enter_namespace()"
    return subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def _unshare(flags: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _map_identity(uid: int, gid: int) -> None:
    """Keep the user's own id inside the namespace, so that files still belong to the same person."""
    with contextlib.suppress(FileNotFoundError):  # kernels before 3.19
        Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")


def _loopback_up() -> None:
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16sH14x", fcntl.ioctl(control, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))


def guarded(environment: dict[str, str]) -> dict[str, str]:
    """Return an environment in which every Python refuses to leave the machine."""
    path = os.pathsep.join(filter(None, [str(GUARD), environment.get("PYTHONPATH")]))
    return {**environment, "PYTHONPATH": path}


def run(command: list[str], *, guard: bool = False) -> int:
    """Run a command without the network and return its exit status.

    Args:
        command: the command and its arguments.
        guard: use the guard even where a namespace is allowed.
    """
    environment = dict(os.environ)
    if not guard and namespace_allowed():
        print("offline: the network is cut off by a namespace that holds only loopback.", flush=True)
        enter_namespace()
    else:
        print("offline: connections that leave the machine are refused by a guard in every Python.", flush=True)
        environment = guarded(environment)
    try:
        return subprocess.run(command, env=environment).returncode
    except FileNotFoundError:
        print(f"offline: there is no command {command[0]!r}.", file=sys.stderr)
        return 127


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tlcourse.workshop.offline", description=__doc__.split("\n\n")[0])
    parser.add_argument("--guard", action="store_true", help="use the guard even where a namespace is allowed")
    parser.add_argument("command", nargs="+", help="after --: the command and its arguments")
    arguments = parser.parse_args()
    return run(arguments.command, guard=arguments.guard)


if __name__ == "__main__":
    sys.exit(main())
