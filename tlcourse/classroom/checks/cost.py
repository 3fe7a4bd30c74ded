"""Checks of chapter 05: a carbon intensity, a convolution's FLOPs, a fair comparison, and a pipeline that caches."""

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


@numeric
def fair_gain(samples) -> Question:
    """What FT gains over FE on things, 6 a class, both by cross-validation; `samples` has a row a run."""
    rows = samples[samples.k == 6]
    mean = rows.groupby(["target", "method"]).accuracy.mean()

    def over(of: str, rival: str, target: str = "things") -> float:
        return mean[target, of] - mean[target, rival]

    truth = over("FT, cross-validated", "FE, cross-validated")
    return Question(
        truth,
        {
            -truth: "Right but for the sign: FT minus FE.",
            over("FT, known rate", "FE, last block"): "FT knows its rate there, and FE reads the block that everybody "
            "reads. Let both choose for themselves.",
            over("FT, known rate", "FE, known block"): "That is as fair: both know. But who has only these pictures "
            "knows neither.",
            over("FT, known rate", "FE, cross-validated"): "FT knows its rate there, while FE has to find its block.",
            over("FT, cross-validated", "FE, known block"): "FE knows its block there, while FT has to find its rate.",
            over("FT, cross-validated", "FE, embedding"): "The embedding has nothing to choose. Take the FE that has.",
            over("FT, cross-validated", "FE, cross-validated", "letters"): "That is for letters.",
        },
        otherwise="Which two kinds choose by the few training pictures themselves?",
        praise="{} points in the mean. The interval holds zero, so FT is not shown to be ahead. Finding one block of "
        "eighteen by so few pictures is dear; FT chose among four settings.",
        decimals=1,
    )


@exercise
def told_apart(answer, samples, pool) -> str:
    """Where the interval of FT over FE's last block is off zero, as a dict of lists of pictures a class.

    `pool` is what the intervals allow for, test pictures to the rest, by target.
    """
    from tlcourse.methods import statistics

    expect(answer, dict, 'a dict such as {"letters": [6, 48], "things": []}')
    targets = ("letters", "things")
    missing = [target for target in targets if target not in answer]
    require(not missing, f"Still missing: {', '.join(missing)}.")
    for target in targets:
        rows, given = samples[samples.target == target], answer[target]
        one = np.ndim(given) == 0 and not isinstance(given, (set, frozenset))
        given = {given} if one else set(given)
        sizes = set(rows.k)
        unknown = sorted(map(str, given - sizes))
        require(not unknown, f"{target}: expected some of {sorted(sizes)}, got {', '.join(unknown)}.")
        sides = {"of": "FT, known rate", "over": "FE, last block", "overlap": pool[target]}
        gains = {k: statistics.gain(rows[rows.k == k], "accuracy", **sides) for k in sizes}
        off = {k for k, gain in gains.items() if gain.low > 0 or gain.high < 0}
        largest = max(gains, key=lambda k: gains[k].mean)
        for k in sorted(given - off):
            most = " although the mean difference is the largest" if k == largest else ""
            raise NotYet(f"{target}, {k} a class: the interval holds zero{most}.")
        require(given == off, f"{target}: there is one more whose interval does not hold zero.")
    return "The intervals of things are hardly wider than those of letters: their differences are smaller."


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
