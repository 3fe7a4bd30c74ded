"""Refuses every connection that leaves this machine; Python imports it at its start when its folder is on PYTHONPATH.

For machines that cannot give a process a network of its own (see `tlcourse.workshop.offline`). It sees what goes
through Python's `socket` module, as all that Python libraries do, and not what a compiled library opens by itself.
"""

import importlib.machinery
import importlib.util
import ipaddress
import os
import socket
import sys

WATCHED = {"socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname"}


def _host(event, arguments):
    """The host that an audit event speaks of, or None where it is a file or an address already connected."""
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        return arguments[0]
    address = arguments[1]
    return address[0] if isinstance(address, tuple) else None


def _stays_here(host):
    if host is None or host in ("", b"", "localhost", b"localhost"):
        return True
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    try:
        address = ipaddress.ip_address(text.split("%")[0])
    except ValueError:
        return text.endswith(".localhost") or text == _OWN_NAME
    return address.is_loopback or address.is_unspecified


def _refuse(event, arguments):
    if event in WATCHED and not _stays_here(host := _host(event, arguments)):
        raise OSError(
            f"The network is cut off here and something wants to reach {host!r}: the course must run offline."
        )


def _import_shadowed():
    """Import the machine's own sitecustomize, which this one hides."""
    here = os.path.dirname(os.path.abspath(__file__))
    others = [path for path in sys.path if os.path.abspath(path or ".") != here]
    found = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if found is not None and found.loader is not None:
        found.loader.exec_module(importlib.util.module_from_spec(found))


_OWN_NAME = socket.gethostname()
_import_shadowed()
sys.addaudithook(_refuse)
