"""A student's own pictures: whatever lies in the folder, each file either works or is named with its reason."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import numpy as np

from tlcourse.material.data.picture import PictureError, _check_size, read_picture
from tlcourse.material.data.split import Split, check_fraction, divide, stratified

MOST_BYTES = 1_000_000_000
_JUNK = {"thumbs.db", "desktop.ini", "__macosx"}
_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar")
_ALREADY_SPLIT = {"train", "training", "test", "testing", "val", "valid", "validation"}


def from_folder(path: str | Path, *, size: int = 128, test_fraction: float = 0.25, seed: int = 0) -> Split:
    """Load your own pictures from a folder that has one folder for each class, named after it.

    Folders inside a class belong to it. Hidden files and what Windows and macOS leave behind do not count. A file that
    cannot be read is left out: one sentence is printed, and `Split.skipped` has a line for each.

    Args:
        path: the folder; ``~`` is your home.
        size: side of the pictures in pixels, 1 to 1024; see `read_picture`.
        test_fraction: share of each class to test on; at least one picture, unless it is 0.
        seed: chooses the split and the order.

    Returns:
        A `Split` with x ``(n, size, size, 3) uint8`` and the folders' names, sorted, as classes.

    Raises:
        ValueError: no two classes with enough pictures can be made of the folder; the message says what to change.
    """
    _check_size(size)
    check_fraction(test_fraction)
    try:
        root = _existing_folder(path)
        folders = _class_folders(root)
    except OSError as error:
        raise ValueError(f"{error.filename!r} cannot be read ({error.strerror}); mend its rights.") from None
    skipped: list[str] = []
    files = [(label, file) for label, folder in enumerate(folders) for file in _files_in(folder, root, skipped)]
    if len(files) * size * size * 3 > MOST_BYTES:
        raise ValueError(
            f"{len(files):,} files at {size}×{size} pixels need {len(files) * size * size * 3 / 1e9:.1f} GB of memory; "
            "take a smaller size or fewer pictures."
        )
    x, y = [], []
    for label, file in files:
        if file.suffix.lower() in _ARCHIVES:
            skipped.append(f"{_shown(file, root)}: an archive; unpack it there.")
            continue
        try:
            x.append(read_picture(file, size))
            y.append(label)
        except PictureError as error:
            skipped.append(f"{_shown(file, root)}: {error}")
    labels, classes = np.array(y, dtype=np.int64), tuple(folder.name for folder in folders)
    least = 2 if test_fraction > 0 else 1
    for label, name in enumerate(classes):
        readable, found = int((labels == label).sum()), sum(number == label for number, _ in files)
        if readable < least:
            mine = _shown(folders[label], root)
            why = next((f" ({line.rstrip('.')})" for line in skipped if line.startswith((f"{mine}/", f"{mine}:"))), "")
            raise ValueError(
                f"The class {name!r} has {readable} readable of {found} files and needs at least {least}{why}; add "
                "pictures to its folder, or remove the folder."
            )
    if skipped:
        more = f"; and {len(skipped) - 3} more, see .skipped" if len(skipped) > 3 else ""
        print(
            f"{len(skipped)} of {len(x) + len(skipped)} files or folders were left out: {'; '.join(skipped[:3])}{more}"
        )
    rng = np.random.default_rng(seed)
    split = divide(np.stack(x), labels, stratified(labels, test_fraction, rng), classes, rng)
    return Split(*split, skipped=tuple(skipped))


def _existing_folder(path: str | Path) -> Path:
    if not isinstance(path, str | os.PathLike) or not str(path).strip():  # an empty name would be the current folder
        raise ValueError(f"Expected the path of a folder, got {path!r}; name the folder that holds one for each class.")
    root = Path(path).expanduser()
    if not root.exists() and "\\" in str(path):
        root = Path(str(path).replace("\\", "/")).expanduser()  # a Windows path, read elsewhere
    if root.is_dir():
        return root
    if not root.exists():
        raise ValueError(f"There is no folder {str(path)!r} (looked in {str(Path.cwd())!r}); check the path.")
    if root.suffix.lower() in _ARCHIVES:
        raise ValueError(f"{root.name!r} is an archive; unpack it, and give the folder that holds one for each class.")
    raise ValueError(f"{root.name!r} is a file; give the folder that holds one folder of pictures for each class.")


def _class_folders(root: Path) -> list[Path]:
    entries = [entry for entry in root.iterdir() if not _is_junk(entry.name)]
    folders = sorted((e for e in entries if e.is_dir()), key=lambda e: (_same(e.name), e.name))
    by_name: dict[str, str] = {}
    for folder in folders:
        other = by_name.setdefault(_same(folder.name), folder.name)
        if other != folder.name:
            raise ValueError(
                f"The folders {other!r} and {folder.name!r} have one name in two spellings; make them one."
            )
    if by_name and set(by_name) <= _ALREADY_SPLIT:
        raise ValueError(
            f"{root.name!r} is already divided into {', '.join(map(repr, by_name.values()))}; give one of these, "
            "for the course divides it itself."
        )
    if len(folders) >= 2:
        return folders
    if not folders and entries and all(entry.suffix.lower() in _ARCHIVES for entry in entries):
        raise ValueError(f"{root.name!r} holds archives only; unpack them there, into a folder for each class.")
    if not folders:
        raise ValueError(f"{root.name!r} has no folders in it; make one for each class and move the pictures there.")
    inner = [e for e in folders[0].iterdir() if e.is_dir() and not _is_junk(e.name)]
    hint = f"; did you mean {str(folders[0])!r}?" if len(inner) >= 2 else "; add a folder with a second class."
    raise ValueError(f"{root.name!r} has one class only, {folders[0].name!r}, and to tell things apart takes two{hint}")


def _files_in(folder: Path, root: Path, skipped: list[str]) -> list[Path]:
    """Every file below a class's folder, links followed; a folder that cannot be read gets a line in `skipped`."""
    found, met = [], set()

    def unreadable(error: OSError) -> None:
        skipped.append(f"{_shown(Path(error.filename), root)}: a folder that cannot be read.")

    for place, folders, names in os.walk(folder, followlinks=True, onerror=unreadable):
        real = os.path.realpath(place)
        folders[:] = [name for name in folders if not _is_junk(name) and real not in met]
        if real not in met:  # a link may lead back to where it came from
            found += [Path(place, name) for name in names if not _is_junk(name)]
        met.add(real)
    return sorted(found, key=lambda f: f.relative_to(folder).as_posix())


def _shown(file: Path, root: Path) -> str:
    """A path as one line of text: a name may hold an end of line, a terminal's commands, or what is no Unicode."""
    return "".join("?" if unicodedata.category(c) in ("Cc", "Cs") else c for c in file.relative_to(root).as_posix())


def _is_junk(name: str) -> bool:
    return name.startswith(".") or name.lower() in _JUNK


def _same(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
