"""Checks of chapter 05: a carbon intensity, the FLOPs of a convolution, and a pipeline that caches the right thing."""

import numpy as np

from tlcourse.classroom.checks.core import NotYet, a_number, exercise, require


@exercise
def carbon_intensity(answer) -> str:
    """Kilograms of CO₂ for a kilowatt-hour, from the lecture's row on fine-tuning."""
    answer = a_number(answer, low=0, high=1e6)
    truth = 201.54 / (0.2761 * 1825.72)
    require(abs(answer - truth / 1000) > 1e-5, "That is kilograms for a watt-hour; a kilowatt-hour is a thousand.")
    require(abs(answer - 1000 * truth) > 5, "That is grams; in kilograms, please.")
    require(abs(answer - 1 / truth) > 0.02, "Upside down: carbon for energy, not energy for carbon.")
    require(abs(answer - 3.84 / (0.1241 * 60.02)) > 0.005, "That is what the row FE implies; this is about FT.")
    require(abs(answer - 201.54 / 1825.72) > 0.002, "That is carbon for an hour. Energy is power times hours.")
    require(abs(answer - truth) < 0.005, f"Not {answer:g}: kilowatts times hours, and the carbon divided by that.")
    return f"{truth:.2f} kg for a kilowatt-hour, somewhat below the mean of the world's grids."


@exercise
def stem_flops(answer) -> str:
    """Millions of FLOPs of a 3×3 convolution from 3 to 32 channels with stride 2 at 224 pixels."""
    answer = a_number(answer, low=0, high=1e12)
    kernel, truth = 3 * 3 * 3 * 32, 2 * (3 * 3 * 3 * 32) * 112 * 112 / 1e6
    for wrong, hint in (
        (truth * 1e6, "Right, but in FLOPs; in millions, please."),
        (truth / 2, "Those are multiply-adds; each is one multiplication and one addition."),
        (4 * truth, "It moves two pixels at a time, so there are only a quarter as many places."),
        (2 * truth, "Two pixels at a time in both directions: half as many rows, and half as many columns."),
        (truth / 3, "Each kernel spans all three colours."),
        (truth / 32, "There are 32 kernels, and each visits every place."),
        (2 * kernel / 1e6, "That is one place of the output. How many places are there?"),
    ):
        require(abs(answer - wrong) > 0.005 * wrong, hint)
    require(abs(answer - truth) < 0.01 * truth, f"Not {answer:g}: twice the kernel's numbers for each place of the "
            "output, of which there are as many as the stride leaves.")  # fmt: skip
    return f"{truth:.1f} million, for 864 weights."


@exercise
def cached_pipeline(pipeline, reads) -> str:
    """A `tf.data.Dataset` whose epochs differ although each picture is decoded once."""
    import tensorflow as tf

    require(isinstance(pipeline, tf.data.Dataset), f"Expected a tf.data.Dataset, got {type(pipeline).__name__}.")
    del reads[:]
    epochs = []
    for _ in range(3):
        part = [np.asarray(picture) for picture in pipeline.as_numpy_iterator()]
        part = [picture for each in part for picture in (each if each.ndim == 4 else [each])]
        epochs.append(part)
    count = len(set(reads))
    require(count > 0, "No picture is decoded any more: make the pipeline of files, decode and augment, anew.")
    require(
        {len(part) for part in epochs} == {16},
        f"Expected each of the 16 pictures once an epoch, got {[len(part) for part in epochs]}: leave out repeat.",
    )
    same = np.array_equal(np.stack(epochs[0]), np.stack(epochs[1]))
    if same and len(reads) == count:
        # The same pictures in each epoch: either chance was frozen with them, or there is none in the pipeline.
        if _jittered(epochs[0]):
            raise NotYet("Every epoch is the same: the jitter happened once, before the cache, and was kept with the "
                         "pictures.")  # fmt: skip
        raise NotYet("Every epoch is the same, and nothing is jittered at all: where is `augment`?")
    require(
        len(reads) == count,
        f"Now the jitter is new each time, but so is the slow part: {len(reads)} pictures were decoded in three epochs "
        f"instead of {count}. Something of the pipeline can be kept.",
    )
    require(not same, "Every epoch is the same: what is random has to be drawn anew in each.")
    return "The slow and fixed part is kept, the random part is drawn anew. Order is all."


def _jittered(pictures) -> bool:
    """Whether brightness was moved: the stickers lie on pure white, 255, up to the jitter."""
    corners = np.array([picture[0, 0, 0] for picture in pictures])
    return bool(np.ptp(corners) > 1e-3)
