"""A student's own pictures: whatever lies in the folder, each file either works or is named with its reason."""

from __future__ import annotations

import contextlib
import io
import os
import unicodedata
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from tlcourse.material.data.split import Split, check_fraction, divide, stratified

MOST_PIXELS = 64_000_000  # of a JPEG, which can be decoded at a fraction of its size
MOST_WHOLE_PIXELS = 24_000_000  # of all others: decoded whole, at up to 16 bytes a pixel
MOST_BYTES = 1_000_000_000
# What cameras, browsers and scanners make. Not among them, on purpose: EPS, for which Pillow starts another program.
FORMATS = ("JPEG", "MPO", "PNG", "GIF", "WEBP", "AVIF", "BMP", "DIB", "TIFF", "JPEG2000", "PPM", "TGA", "ICO")
_TURN = {  # EXIF orientation -> what undoes it
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip
_JUNK = {"thumbs.db", "desktop.ini", "__macosx"}
_ALREADY_SPLIT = {"train", "training", "test", "testing", "val", "valid", "validation"}


class PictureError(ValueError):
    """A file cannot be used as a picture; the message says why, in one sentence."""


def read_picture(source: bytes | bytearray | memoryview | str | Path, size: int = 128) -> np.ndarray:
    """Read one picture as the course needs it, whatever camera or program made it.

    The first frame of an animation; turned as its EXIF tag says; 16 bits scaled to 8; grey, palette and CMYK to RGB;
    transparency on white; the central square, resized. A JPEG is decoded at a fraction of its size where that is
    enough, and nothing over `MOST_PIXELS` is decoded at all, so that no picture exhausts the memory.

    Args:
        source: a path, or the bytes of a file, as an upload gives them.
        size: side of the result in pixels, 1 to 1024.

    Returns:
        ``(size, size, 3) uint8``.

    Raises:
        PictureError: it is no picture, is damaged, or is too large.
        ValueError: `size` is out of its range.
    """
    _check_size(size)
    uploaded = isinstance(source, bytes | bytearray | memoryview)
    name = "the upload" if uploaded else f"{Path(source).name!r}"
    try:
        if not uploaded and Path(source).is_fifo():  # to open it would wait for ever
            raise PictureError(f"{name} is a pipe and no file; name a picture.")
        stream = io.BytesIO(source) if uploaded else open(source, "rb")  # noqa: SIM115
        with stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's doubts about a file are answered here: it works or it does not
            Image.init()
            with Image.open(stream, formats=[f for f in FORMATS if f in Image.OPEN]) as picture:
                return _square(picture, size, name)
    except PictureError:
        raise
    except Image.DecompressionBombError:
        raise PictureError(f"{name} has too many pixels to be opened safely; save it smaller.") from None
    except Image.UnidentifiedImageError:
        raise PictureError(f"{name} is not a picture that can be read here; save it as JPEG or PNG.") from None
    except MemoryError:
        raise PictureError(f"{name} needs more memory than there is; save it smaller.") from None
    except Exception as error:  # Pillow's decoders raise many kinds for a damaged file, SyntaxError among them
        if isinstance(error, OSError) and error.errno:
            raise PictureError(f"{name} cannot be opened ({error.strerror}); look at its path and rights.") from None
        why = " ".join(str(error).split())[:100] or type(error).__name__
        raise PictureError(f"{name} is damaged or of a rare kind ({why}); save it again as JPEG or PNG.") from None


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


def _square(picture: Image.Image, size: int, name: str) -> np.ndarray:
    if picture.format in ("JPEG", "MPO"):
        picture.draft(None, (2 * size, 2 * size))
    width, height = picture.size
    allowed = MOST_PIXELS if picture.format in ("JPEG", "MPO") else MOST_WHOLE_PIXELS
    if width * height > allowed:
        most = f"more than {allowed // 10**6} million"
        raise PictureError(f"{name} has {width:,}×{height:,} pixels, {most}; save it smaller.")
    picture.load()
    width, height = picture.size  # looked at again: Pillow turns a TIFF by itself, while it loads it
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    # The central square is the same however the picture is turned, so cut first: that saves turning a panorama.
    square = picture.crop((left, top, left + side, top + side))
    with contextlib.suppress(Exception):  # a garbled EXIF block is no reason to lose the picture
        square = square.transpose(_TURN[picture.getexif()[0x0112]])
    square = _eight_bits(square)
    if square.mode in ("RGBA", "LA", "PA") or "transparency" in square.info:
        square = square.convert("RGBA")
        page = Image.new("RGBA", square.size, "white")
        page.alpha_composite(square)
        square = page
    return np.asarray(square.convert("RGB").resize((size, size), Image.Resampling.LANCZOS, reducing_gap=3.0))


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Bring 16-bit, 32-bit and floating-point grey to 8 bits: by its range if it has a usual one, else by its own."""
    if picture.mode not in ("I", "F") and not picture.mode.startswith("I;16"):
        return picture
    values = np.asarray(picture)
    if values.dtype.kind == "f":
        values = np.nan_to_num(values, posinf=0, neginf=0)
    low, high = float(values.min()), float(values.max())
    ranges = {"F": (1, 255, 65535), "I": (255, 65535)}.get(picture.mode, (65535,))
    top = next((top for top in ranges if low >= 0 and high <= top), None)
    bottom, top = (low, high) if top is None else (0, top)
    scaled = np.subtract(values, bottom, dtype=np.float32)
    scaled *= 255 / max(top - bottom, 1e-12)  # in place, as is the next: these arrays may be large
    return Image.fromarray(np.rint(scaled, out=scaled).astype(np.uint8))


def _check_size(size: int) -> None:
    if isinstance(size, bool) or not isinstance(size, int | np.integer) or not 1 <= size <= 1024:
        raise ValueError(f"size must be a whole number of pixels from 1 to 1024, got {size!r}.")


def _existing_folder(path: str | Path) -> Path:
    root = Path(path).expanduser()
    if not root.exists() and "\\" in str(path):
        root = Path(str(path).replace("\\", "/")).expanduser()  # a Windows path, read elsewhere
    if root.is_dir():
        return root
    if not root.exists():
        raise ValueError(f"There is no folder {str(path)!r} (looked in {str(Path.cwd())!r}); check the path.")
    if root.suffix.lower() in (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar"):
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
