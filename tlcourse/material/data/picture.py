"""One picture as the course needs it, whatever camera or program made it: it works, or a sentence says why not."""

from __future__ import annotations

import contextlib
import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

MOST_PIXELS = 64_000_000  # of a JPEG, which can be decoded at a fraction of its size
MOST_WHOLE_PIXELS = 24_000_000  # of all others: decoded whole, at up to 16 bytes a pixel
# What cameras, browsers and scanners make. Not among them, on purpose: EPS, for which Pillow starts another program.
FORMATS = ("JPEG", "MPO", "PNG", "GIF", "WEBP", "AVIF", "BMP", "DIB", "TIFF", "JPEG2000", "PPM", "TGA", "ICO")
_TURN = {  # EXIF orientation -> what undoes it
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip


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
