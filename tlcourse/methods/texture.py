"""One thing's texture in another thing's shape: what a network goes by when the two disagree.

After Geirhos et al. (2019), "ImageNet-trained CNNs are biased towards texture": a silhouette has the shape alone, a
patch from inside the object the texture alone, and a cue conflict the shape of one class with the texture of another.
"""

import numpy as np
from numpy.typing import ArrayLike


def fill(mask: ArrayLike, inside: ArrayLike, outside: ArrayLike = 255) -> np.ndarray:
    """Paint what is inside an outline and what is outside it.

    Args:
        mask: ``(…, height, width)``, 255 inside and 0 outside; what lies between is mixed.
        inside: a grey from 0 to 255, or pictures ``(…, height, width, 3)`` in [0, 255].
        outside: likewise; white if not given.

    Returns:
        ``(…, height, width, 3) uint8``.

    Raises:
        ValueError: a picture has another size than the mask, or values out of [0, 255].
    """
    mask, paints = np.asarray(mask), {"inside": np.asarray(inside), "outside": np.asarray(outside)}
    for name, paint in paints.items():
        if paint.ndim and (paint.ndim < 3 or paint.shape[-3:] != (*mask.shape[-2:], 3)):
            raise ValueError(
                f"{name} must be a grey or RGB pictures of the mask's size {mask.shape[-2:]}, got shape {paint.shape}."
            )
    for name, values in {"mask": mask, **paints}.items():
        if values.size and not (values.min() >= 0 and values.max() <= 255):
            raise ValueError(f"{name} must have values from 0 to 255, got {values.min():g} to {values.max():g}.")
    paints = [paint.reshape(paint.shape or (1, 1, 1)) for paint in paints.values()]
    shape = np.broadcast_shapes((*mask.shape, 3), *(paint.shape for paint in paints))
    result = np.empty(shape, np.uint8)
    mask, ours, theirs = (np.broadcast_to(part, shape) for part in (mask[..., None], *paints))
    for i in np.ndindex(shape[:-3]):  # picture by picture, so that a stack needs no more memory than one
        share = mask[i].astype(np.float32) / 255
        result[i] = np.rint(share * ours[i] + (1 - share) * theirs[i])
    return result


def patches(colour: ArrayLike, mask: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """The largest square that lies wholly inside each thing, enlarged to the size of a sticker: texture without shape.

    Args:
        colour: ``(n, height, width, 3) uint8``.
        mask: ``(n, height, width) uint8``; inside counts what is at least 250.

    Returns:
        The patches ``(n, height, width, 3) uint8`` and the sides of the squares that they were, ``(n,)`` in pixels.

    Raises:
        ValueError: colour and mask do not fit, or a thing has no inside.
    """
    from PIL import Image
    from scipy.ndimage import distance_transform_cdt

    colour, mask = np.asarray(colour), np.asarray(mask)
    if colour.ndim != 4 or colour.shape != (*mask.shape, 3):
        raise ValueError(f"colour must be (n, height, width, 3) and mask fit it, got {colour.shape} and {mask.shape}.")
    result, sides = np.empty_like(colour), np.empty(len(colour), int)
    for i, (pixels, opaque) in enumerate(zip(colour, mask >= 250, strict=True)):
        reach = distance_transform_cdt(np.pad(opaque, 1), metric="chessboard")[1:-1, 1:-1]
        row, column = np.unravel_index(reach.argmax(), reach.shape)
        r = reach[row, column] - 1
        if r < 0:
            raise ValueError(f"mask {i} has no opaque pixel, and a patch needs at least one; leave that picture out.")
        square = pixels[row - r : row + r + 1, column - r : column + r + 1]
        height, width = opaque.shape
        enlarged = Image.fromarray(np.ascontiguousarray(square)).resize((width, height), Image.Resampling.BICUBIC)
        result[i], sides[i] = np.asarray(enlarged), 2 * r + 1
    return result, sides
