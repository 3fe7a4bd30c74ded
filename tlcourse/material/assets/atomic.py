"""Files written in one step: killed at any moment, or out of disk, a writer leaves the old file or the new one."""

import contextlib
import glob
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

ABANDONED = 24 * 60 * 60  # seconds after which nobody is still writing


@contextlib.contextmanager
def replacing(path: Path, mode: str = "wb", **options: Any) -> Iterator[IO]:
    """Open a file beside `path`; when the body is through, it is on disk and takes `path`'s place by one rename.

    What a killed writer of the same file left beside it goes once it is `ABANDONED`.

    Args:
        path: the file to write; its folder is made. Its rights stay, and a new file gets those that `open` would give.
        mode: "wb" or "w".
        options: as for `open`, such as `encoding`.

    Raises:
        OSError: it cannot be written; what was there is as it was, and nothing lies beside it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    begins, ends = f".{path.stem}-", ".tmp"
    with contextlib.suppress(OSError):
        for left in path.parent.glob(f"{glob.escape(begins)}{'?' * 8}{ends}"):  # as many characters as mkstemp adds
            if time.time() - left.stat().st_mtime > ABANDONED:
                left.unlink()
    handle, part = tempfile.mkstemp(prefix=begins, suffix=ends, dir=path.parent)
    try:
        with os.fdopen(handle, mode, **options) as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())  # without it a power cut soon after the rename may leave the name without content
        os.chmod(part, path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
        os.replace(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise


def _umask() -> int:
    """What the user takes from a new file's rights. It can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
