"""Checks of chapter 05: a carbon intensity, the FLOPs of a convolution, and a pipeline that caches the right thing."""

import itertools

import numpy as np

from tlcourse.classroom.checks.core import NotYet, Question, exercise, expect, numeric, require

_PICTURES = 16


@numeric
def carbon_intensity() -> Question:
    """Kilograms of CO₂ for a kilowatt-hour, from the lecture's row on fine-tuning."""
    truth = 201.54 / (0.2761 * 1825.72)
    return Question(
        truth,
        {
            truth / 1000: "That is kilograms for a watt-hour; a kilowatt-hour is a thousand.",
            1000 * truth: "That is grams; in kilograms, please.",
            1 / truth: "Upside down: carbon for energy, not energy for carbon.",
            3.84 / (0.1241 * 60.02): "That is what the row FE implies; this is about FT.",
            201.54 / 1825.72: "That is carbon for an hour. Energy is power times hours.",
        },
        otherwise="In which units are the row's power, energy and carbon?",
        praise="{} kg for a kilowatt-hour, somewhat below the mean of the world's grids.",
        decimals=2,
        tolerance=0.001,
    )


@numeric
def stem_flops() -> Question:
    """Millions of FLOPs of a 3×3 convolution from 3 to 32 channels with stride 2 at 224 pixels."""
    kernel = 3 * 3 * 3 * 32
    truth = 2 * kernel * 112 * 112 / 1e6
    return Question(
        truth,
        {
            truth * 1e6: "Right, but in FLOPs; in millions, please.",
            truth / 2: "Those are multiply-adds; each is one multiplication and one addition.",
            4 * truth: "It moves two pixels at a time, so there are only a quarter as many places.",
            2 * truth: "Two pixels at a time in both directions: half as many rows, and half as many columns.",
            truth / 3: "Each kernel spans all three colours.",
            truth / 32: "There are 32 kernels, and each visits every place.",
            2 * kernel / 1e6: "That is one place of the output. How many places are there?",
        },
        otherwise="What does one place of the output cost, and how many places are there?",
        praise="{} million, for 864 weights.",
        decimals=1,
    )


@exercise
def cached_pipeline(pipeline, reads) -> str:
    """A `tf.data.Dataset` of 16 pictures, whose epochs differ although each picture is decoded once.

    `reads` is the list to which the decoder adds what it reads; it is left as it was.
    """
    import tensorflow as tf

    expect(pipeline, tf.data.Dataset, "a tf.data.Dataset")
    require(pipeline.cardinality() != tf.data.INFINITE_CARDINALITY, "An epoch never ends: leave out repeat.")
    noted = list(reads)
    try:
        _epoch(pipeline)  # may fill a cache, or find one that was filled before
        reads.clear()
        one, other = _epoch(pipeline), _epoch(pipeline)
        decoded = len(reads)
    finally:
        reads[:] = noted
    for epoch in (one, other):
        more = "leave out repeat" if len(epoch) > _PICTURES else "do not leave any out"
        require(
            len(epoch) == _PICTURES,
            f"Expected each of the 16 pictures once an epoch, got {len(epoch)}: {more}.",
        )
    # As sets, for a shuffled order is no jitter.
    again = len({picture.tobytes() for picture in one} & {picture.tobytes() for picture in other})
    fresh = again < _PICTURES / 2
    if decoded:
        new = "the jitter is new each time, but so is the slow part" if fresh else "nothing new is drawn"
        raise NotYet(
            f"Now {new}: after the first epoch {decoded} more pictures were decoded in two. Something of the pipeline "
            "can be kept."
        )
    jittered = np.ptp([picture[0, 0, 0] for picture in one]) > 1e-3  # all stickers lie on pure white
    kept = "the jitter happened once, before the cache, and was kept with the pictures."
    reason = kept if jittered else "nothing is jittered at all: where is `augment`?"
    require(fresh, f"Every epoch has the same pictures: {reason}")
    return "The slow and fixed part is kept, the random part is drawn anew. Order is all."


def _epoch(pipeline) -> list[np.ndarray]:
    """The pictures of an epoch, out of their batches; where there is no end, some more than there should be."""
    parts = map(np.asarray, pipeline.take(_PICTURES + 1).as_numpy_iterator())
    return list(itertools.chain.from_iterable(part if part.ndim == 4 else [part] for part in parts))
