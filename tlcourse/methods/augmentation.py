"""More pictures out of one: transformations that keep a letter's name, and one that does not. Mostly Keras's layers."""

from __future__ import annotations

import numpy as np

KEEPING = ("shift", "turn", "size", "slant", "stroke", "elastic", "noise", "contrast")  # what a letter is called
BREAKING = ("mirror",)  # a mirrored b is a d


def transformed(x: np.ndarray, names: tuple[str, ...], *, strength: float = 1.0, seed: int) -> np.ndarray:
    """Each picture changed at random by each of the transformations, one after the other.

    At strength 1 a picture is shifted by up to a tenth of its width, turned by up to 15 degrees, made up to a fifth
    larger or smaller, slanted by up to 15 degrees; its strokes are one pixel thinner, thicker or as they were; it is
    bent by about a pixel, given noise of standard deviation 40, and more or less contrast. Another strength multiplies
    all that, but for the stroke (which changes that much more often or seldom) and the mirror (left and right are
    exchanged in half of the pictures).

    Args:
        x: `(n, height, width, 1)` grey pictures in [0, 255], bright on black.
        names: of `KEEPING` and `BREAKING`.
        strength: not negative.
        seed: for all that is random.

    Returns:
        `(n, height, width, 1) float32` in [0, 255].

    Raises:
        ValueError: there is no transformation of that name.
    """
    import keras

    if unknown := [name for name in names if name not in KEEPING + BREAKING]:
        raise ValueError(f"Expected some of {', '.join(KEEPING + BREAKING)}, got {unknown[0]!r}: leave it out.")
    layers, s, rng = keras.layers, strength, np.random.default_rng(seed)
    black = {"fill_mode": "constant", "fill_value": 0.0, "seed": seed}
    made = {
        "shift": lambda: layers.RandomTranslation(0.1 * s, 0.1 * s, **black),
        "turn": lambda: layers.RandomRotation(15 * s / 360, **black),
        "size": lambda: layers.RandomZoom(0.2 * s, **black),
        "slant": lambda: layers.RandomShear(x_factor=np.deg2rad(15) * s, **black),
        "elastic": lambda: lambda pictures, training: bent(pictures, pixels=s, seed=seed),
        "stroke": lambda: lambda pictures, training: strokes(pictures, share=2 / 3 * s, seed=seed),
        "noise": lambda: lambda pictures, training: pictures + 40 * s * rng.standard_normal(pictures.shape),
        "contrast": lambda: layers.RandomContrast(min(0.9, 0.4 * s), value_range=(0, 255), seed=seed),
        "mirror": lambda: layers.RandomFlip("horizontal", seed=seed),
    }
    x = np.asarray(x, "float32")
    for name in names:
        x = np.asarray(made[name]()(x, training=True))
    return np.clip(x, 0, 255).astype("float32")


def strokes(x: np.ndarray, *, share: float, seed: int) -> np.ndarray:
    """Half of that share of the pictures with strokes a pixel thicker, and half with strokes a pixel thinner."""
    from scipy import ndimage

    drawn, pixel = np.random.default_rng(seed).random(len(x)), (1, 2, 2, 1)
    changed = np.array(x)
    thick, thin = drawn < share / 2, (drawn >= share / 2) & (drawn < share)
    changed[thick] = ndimage.grey_dilation(changed[thick], size=pixel)
    changed[thin] = ndimage.grey_erosion(changed[thin], size=pixel)
    return changed


def bent(x: np.ndarray, *, pixels: float, seed: int) -> np.ndarray:
    """Each point moved by about so many pixels, its neighbours almost alike (Simard, Steinkraus and Platt, 2003)."""
    from scipy import ndimage

    noise = np.random.default_rng(seed).standard_normal((2, *x.shape[:3]))
    moved = ndimage.gaussian_filter(noise, (0, 0, 4, 4), mode="constant")
    moved *= pixels / moved.std()
    picture, row, column = np.indices(x.shape[:3], dtype="float32")
    return ndimage.map_coordinates(x[..., 0], (picture, row + moved[0], column + moved[1]), order=1)[..., None]
