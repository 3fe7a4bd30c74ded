"""One process at a time, by a lock that the system takes back when its holder dies: no stale lock can bar the way."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def lock(file: Path) -> Iterator[None]:
    """Hold a file's lock while the body runs, waiting for it if need be.

    Args:
        file: where the lock lives; it is made if it is not there, and stays.
    """
    with open(file, "a+b") as handle:
        if not _try_lock(handle):
            _say_waiting()
            _wait_lock(handle)
        yield  # closing the file gives the lock back


def _say_waiting() -> None:
    print("Another process is fetching; waiting for it.", flush=True)


if os.name == "nt":
    import msvcrt
    import time

    def _try_lock(handle: BinaryIO) -> bool:
        handle.seek(0)
        try:
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _wait_lock(handle: BinaryIO) -> None:
        while not _try_lock(handle):
            time.sleep(0.5)

else:
    import fcntl

    def _try_lock(handle: BinaryIO) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _wait_lock(handle: BinaryIO) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX)
