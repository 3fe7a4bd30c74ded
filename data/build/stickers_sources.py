"""Fetch and unpack the packages that the stickers are cut from.

Needs `apt-get` and `dpkg-deb` (Debian), and `npm`; each package is taken by name and version, so that a
later release cannot change the pictures unseen.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import tarfile
import zlib
from functools import cache
from pathlib import Path

DEBIAN = {
    "tuxpaint-stamps-default": "2022.06.04-1",
    "openclipart-png": "1:0.18+dfsg-19",
    "gcompris-qt-data": "3.1-2",
}
NPM = {
    "emoji-datasource": "16.0.0",
    "@iconify-json/noto": "1.2.9",
    "@twemoji/svg": "15.0.0",
    "openmoji": "17.0.0",
}
ROOTS = {
    "tuxpaint-stamps-default": "usr/share/tuxpaint/stamps",
    "openclipart-png": "usr/share/openclipart/png",
    "gcompris-qt-data": "usr/share/gcompris-qt/rcc",
}


def _run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"Expected `{' '.join(command)}` to succeed, it said: {done.stderr.strip()[-400:]}")
    return done.stdout


def fetch(work: Path) -> None:
    """Download what is missing and unpack it to `work/<package>/`; does nothing on a second call."""
    work.mkdir(parents=True, exist_ok=True)
    for name, version in DEBIAN.items():
        if not (work / name).exists():
            _run(["apt-get", "download", f"{name}={version}"], work)
            # apt writes the epoch's colon as %3a.
            (archive,) = work.glob(f"{name}_{version.replace(':', '%3a')}_*.deb")
            _run(["dpkg-deb", "-x", archive.name, f"{name}.part"], work)
            os.replace(work / f"{name}.part", work / name)
    for name, version in NPM.items():
        folder = npm_folder(work, name)
        if not folder.exists():
            archive = _run(["npm", "pack", "--silent", f"{name}@{version}"], work).split()[-1]
            part = folder.with_suffix(".part")
            with tarfile.open(work / archive) as tar:
                tar.extractall(part, filter="data")
            os.replace(part, folder)


def npm_folder(work: Path, name: str) -> Path:
    """Return the folder that the npm package `name` is unpacked to."""
    return work / name.lstrip("@").replace("/", "-")


@cache
def _resource_tree(path: Path) -> dict[str, bytes]:
    """Read a Qt resource file (`.rcc`): a tree of names, and blobs, each perhaps deflated."""
    raw = path.read_bytes()
    if raw[:4] != b"qres":
        raise ValueError(f"Expected a Qt resource file, {path.name} does not start with `qres`.")
    version, tree, data, names = struct.unpack(">IIII", raw[4:20])
    size = 14 if version < 2 else 22
    found: dict[str, bytes] = {}

    def walk(index: int, above: str) -> None:
        start = tree + index * size
        offset, flags = struct.unpack(">IH", raw[start : start + 6])
        name = ""
        if index:
            (length,) = struct.unpack(">H", raw[names + offset : names + offset + 2])
            name = raw[names + offset + 6 : names + offset + 6 + 2 * length].decode("utf-16-be")
        here = f"{above}/{name}" if above else name
        if flags & 2:
            count, first = struct.unpack(">II", raw[start + 6 : start + 14])
            for child in range(first, first + count):
                walk(child, here)
            return
        (offset,) = struct.unpack(">I", raw[start + 10 : start + 14])
        (length,) = struct.unpack(">I", raw[data + offset : data + offset + 4])
        blob = raw[data + offset + 4 : data + offset + 4 + length]
        found[here] = zlib.decompress(blob[4:]) if flags & 1 else blob

    walk(0, "")
    return found


def read_picture(work: Path, package: str, source: str) -> bytes:
    """Return the bytes of the picture `source` of a Debian `package` (for GCompris `file.rcc:inner/path`)."""
    root = work / package / ROOTS[package]
    if ":" not in source:
        return (root / source).read_bytes()
    container, inner = source.split(":")
    tree = _resource_tree(root / container)
    return next(blob for name, blob in tree.items() if name.endswith("/" + inner))


@cache
def _json(path: Path) -> dict | list:
    return json.loads(path.read_text(encoding="utf-8"))


def read_svg(work: Path, domain: str, code: str) -> str | None:
    """Return the SVG of the emoji `code` ("1f426", or "1f415-200d-1f9ba") in `domain`, or None if it has none."""
    bare = code.lower().replace("-fe0f", "")
    if domain == "noto":
        package = npm_folder(work, "@iconify-json/noto") / "package"
        names, icons = _json(package / "chars.json"), _json(package / "icons.json")
        name = names.get(code.lower(), names.get(bare))
        if name is None:
            return None
        icon = icons["icons"].get(name) or icons["icons"][icons["aliases"][name]["parent"]]
        width, height = icon.get("width", icons["width"]), icon.get("height", icons["height"])
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'width="{width}" height="{height}" viewBox="0 0 {width} {height}">{icon["body"]}</svg>'
        )
    if domain == "twemoji":
        folder, change = npm_folder(work, "@twemoji/svg") / "package", str.lower
    else:
        folder, change = npm_folder(work, "openmoji") / "package" / "color" / "svg", str.upper
    for name in (code, bare):
        path = folder / f"{change(name)}.svg"
        if path.exists():
            return path.read_text(encoding="utf-8")
    return None
