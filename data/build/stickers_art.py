"""Turn a picture of any size into a sticker: 128×128 RGBA, the object centred on transparency."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

SIDE = 128  # of the canvas, pixels
LONGEST = 120  # of the object, pixels
VISIBLE = 8  # an alpha below this is a stray halo, not an object
# Found by looking: every pair of pictures at most this far apart, with silhouettes this alike, was a copy.
NEAR_BITS, NEAR_OVERLAP = 34, 0.8


def fit(picture: Image.Image) -> Image.Image:
    """Crop `picture` to its visible part, scale that to `LONGEST` and centre it; RGBA of `SIDE` × `SIDE`."""
    picture = picture.convert("RGBA")
    box = picture.getchannel("A").point(lambda a: 255 if a >= VISIBLE else 0).getbbox()
    if box is None:
        raise ValueError("Expected a picture with something visible, it is transparent throughout.")
    picture = picture.crop(box)
    scale = LONGEST / max(picture.size)
    size = tuple(max(1, round(edge * scale)) for edge in picture.size)
    picture = picture.resize(size, Image.Resampling.LANCZOS)  # Pillow premultiplies alpha: no dark fringes
    canvas = np.zeros((SIDE, SIDE, 4), np.uint8)
    top, left = (SIDE - size[1]) // 2, (SIDE - size[0]) // 2
    canvas[top : top + size[1], left : left + size[0]] = np.asarray(picture)
    canvas[canvas[..., 3] == 0] = 0  # the colour of what nobody sees only costs bytes
    return Image.fromarray(canvas, "RGBA")


def cut_out(picture: Image.Image, threshold: float) -> Image.Image:
    """Make a plain backdrop transparent.

    The backdrop's colour is a quadratic surface fitted to the frame of the picture, so that a lit studio
    background counts as plain. What lies within `threshold` (greatest difference of a channel, 0–255) of it and
    touches the frame, or is a hole of at least 0.2 % of the picture, goes; of the rest the largest piece stays.
    """
    from scipy import ndimage

    pixels = np.asarray(picture.convert("RGB"), np.float64)
    height, width = pixels.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    surface = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], -1)
    frame = np.zeros((height, width), bool)
    rim = max(2, round(0.02 * min(height, width)))
    frame[:rim], frame[-rim:], frame[:, :rim], frame[:, -rim:] = True, True, True, True
    keep = frame.copy()
    for _ in range(4):  # an object that touches the frame must not bend the fit
        weights, *_ = np.linalg.lstsq(surface[keep], pixels[keep], rcond=None)
        distance = np.abs(pixels - surface @ weights).max(-1)
        keep = frame & (distance <= np.quantile(distance[frame], 0.8))
    near = distance <= threshold
    pieces, count = ndimage.label(near)
    sizes = ndimage.sum_labels(near, pieces, np.arange(count + 1))
    outside = sizes >= 0.002 * height * width
    outside[np.unique(pieces[frame])] = True
    outside[0] = False
    solid = ndimage.binary_erosion(~outside[pieces])  # one pixel less: no halo of the backdrop's colour
    pieces, count = ndimage.label(solid, np.ones((3, 3)))
    sizes = ndimage.sum_labels(solid, pieces, np.arange(count + 1))
    solid = pieces == 1 + np.argmax(sizes[1:])
    alpha = ndimage.gaussian_filter(solid * 255.0, 0.7)
    return Image.fromarray(np.dstack([pixels, alpha]).round().astype(np.uint8), "RGBA")


def rasterise(svg: str) -> Image.Image:
    """Draw an SVG four times as large as the sticker (`fit` averages it down); emoji hold no text, so no fonts."""
    import resvg_py

    raw = resvg_py.svg_to_bytes(svg_string=svg, width=4 * SIDE, skip_system_fonts=True)
    return Image.open(io.BytesIO(bytes(raw))).convert("RGBA")


def encode(picture: Image.Image) -> bytes:
    """Return PNG bytes without metadata; the same bytes for the same pixels and Pillow."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def fingerprint(picture: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    """Return what makes two pictures of one domain look alike, whatever their place and size.

    First a difference hash, 256 bits: is each cell of a 16×17 luminance grid, over mid-grey, darker than its right
    neighbour? Second the silhouette, 1024 bits. Thin things share a hash, round things a silhouette, copies both.
    """
    picture = picture.convert("RGBA")
    picture = picture.crop(picture.getchannel("A").getbbox())
    paper = Image.new("RGBA", picture.size, (128, 128, 128, 255))
    paper.alpha_composite(picture)
    grid = np.asarray(paper.convert("L").resize((17, 16), Image.Resampling.BOX), np.int16)
    shape = np.asarray(picture.getchannel("A").resize((32, 32), Image.Resampling.BOX))
    return (grid[:, 1:] > grid[:, :-1]).ravel(), (shape > 127).ravel()


def alike(pictures: list[Image.Image], overlap: float = NEAR_OVERLAP) -> list[tuple[int, int, int]]:
    """Return (bits apart, i, j) of all pairs i < j whose silhouettes overlap, mirrored or not; closest first."""
    plain = [fingerprint(picture) for picture in pictures]
    turned = [fingerprint(picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)) for picture in pictures]
    hashes, shapes = (np.array(bits, np.float32) for bits in zip(*plain, strict=True))
    best = np.full((len(pictures), len(pictures)), 257)
    for others in (plain, turned):
        other_hashes, other_shapes = (np.array(bits, np.float32) for bits in zip(*others, strict=True))
        apart = hashes @ (1 - other_hashes.T) + (1 - hashes) @ other_hashes.T
        both = shapes @ other_shapes.T
        either = shapes.sum(1)[:, None] + other_shapes.sum(1) - both
        best = np.where(both >= overlap * np.maximum(either, 1), np.minimum(best, apart), best)
    first, second = np.triu_indices(len(pictures), 1)
    order = np.argsort(best[first, second], kind="stable")
    pairs = zip(first[order].tolist(), second[order].tolist(), strict=True)
    return [(int(best[i, j]), i, j) for i, j in pairs if best[i, j] < 257]
