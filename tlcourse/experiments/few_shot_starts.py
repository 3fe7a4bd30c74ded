"""Chapter 15: is a start that was made to be fine-tuned (Reptile) better to fine-tune than one that was not?

Five starts. The comparison that counts begins alike: half of a classifier's training, and then the other half, or as
many pictures as small tasks of Reptile. Besides, in every other group: none; Reptile from the beginning, and this
four times as long, to see whether it was only not finished. On five letters of a new writing system, one or five
examples of each, the whole network is fine-tuned. The control is not to, and to take the nearest mean of the same
network's embeddings.

When a network has been a classifier, or nothing, its batch normalisation is given the statistics of the training
letters (`few_shot.settle`), and keeps them in fine-tuning. In Reptile's steps on a task it keeps them as well, or takes
each batch's own and is settled anew afterwards; this is chosen as the rates are.

Rate, number of steps, and how means are read are, for each start and number of examples, those that do best on another
group, which the network has not seen either. If the highest rate is best, one more is tried.
"""

import numpy as np

from tlcourse.experiments import few_shot
from tlcourse.methods import episodes as reading
from tlcourse.methods import few_shot as learning
from tlcourse.methods import reptile

STARTS = ("untrained", "classifier", "classifier, then reptile", "reptile", "reptile, longer")
CONFIGS = [{"start": start, "group": group} for start in STARTS for group in range(len(few_shot.GROUPS))
           if start.startswith("classifier") or group % 2 == 0]  # fmt: skip
STEPS, LONGER, FIRST = 1000, 4000, 300
EPISODES, TRIED = {1: 8, 5: 4}, {1: 3, 5: 2}  # of a writing system, by the number of examples: to judge, to choose
RATES, BEYOND, MARKS = (0.01, 0.03, 0.1), 0.3, (5, 20, 50)
MINIATURE = {
    "config": {"start": "classifier, then reptile", "group": 1},
    "STEPS": 4,
    "EPISODES": {1: 1, 5: 1},
    "TRIED": {1: 1, 5: 1},
    "RATES": (0.01,),
    "MARKS": (1,),
    "learning.FILTERS": (2, 2, 2, 2),
}


def partner(group):
    """The group on which rate and steps are chosen for this one: of another fold, so that it is no kin."""
    return (group + 2) % len(few_shot.GROUPS)


def led(start, x, y, classifier, outward, seed):
    """A network with five logits that was trained, or not, and then settled; see `reptile.FineTuner`.

    Args:
        start: one of `STARTS`.
        x: letters to learn from.
        y: their classes.
        classifier: its setting and rate.
        outward: Reptile's rate on a task, which part of the way the start follows, and whether batch normalisation's
            statistics are "kept" in the steps on a task, or each "batch" has its own.
        seed: for all of it.
    """
    share = {"classifier": 1.0, "classifier, then reptile": 0.5}.get(start, 0.0)
    model = few_shot.trainer("classifier", *classifier, seed)
    if share:
        model.fit(x, y, steps=round(share * STEPS))
    model = reptile.with_head(model.model)
    learning.settle(model, x, seed=seed)
    if "reptile" in start:
        inner, outer, how = outward
        steps = LONGER if start.endswith("longer") else round((1 - share) * STEPS)
        reptile.Reptile(model, inner=inner, outer=outer, kept=how == "kept", seed=seed).fit(x, y, steps=steps)
        if how != "kept":
            learning.settle(model, x, seed=seed)
    return reptile.FineTuner(model)


def episodes(drawn, system, shots, count, seed):
    """Of five letters: examples `(5, shots, 28, 28)`, and queries `(5, n, 28, 28)`, which are of one face.

    `drawn` is what `few_shot.letters` gives for the system.
    """
    images, faces = drawn
    rng = np.random.default_rng([seed, shots, *map(ord, system)])
    for _ in range(count):
        chosen, (queries, examples) = rng.permutation(len(images))[: reptile.WAYS], few_shot.draw(faces, shots, rng)
        asked = queries[chosen, None]
        if faces.max():  # whatever is of their face may ask
            asked = np.tile(np.flatnonzero(faces[0] == faces[0, queries[0]]), (reptile.WAYS, 1))
        yield images[chosen[:, None], examples[chosen]], images[chosen[:, None], asked]


def percent(named, queries):
    """How many are right of the answers to queries `(5, n, …)`."""
    return float(100 * np.mean(named == np.repeat(np.arange(len(queries)), queries.shape[1])))


def by_mean(embedding, examples, queries):
    """Percent right by the nearest mean of embeddings, for each way to read them."""
    z, asked = (learning.embed(embedding, part) for part in (examples, queries))
    means, rows = z.mean(axis=1), asked.reshape(-1, z.shape[-1])
    cosines = reading.unit(rows) @ reading.unit(reading.unit(z).mean(axis=1)).T
    nearest = {"euclid": ((rows[:, None] - means) ** 2).sum(axis=-1).argmin(axis=1), "cosine": cosines.argmax(axis=1)}
    return {rule: percent(named, queries) for rule, named in nearest.items()}


def fine_tuned(tuner, examples, queries, rate, marks=None):
    """Percent right after each of so many steps, `MARKS` if None."""
    x, asked = (part.reshape(-1, 28, 28, 1).astype("float32") / 255 for part in (examples, queries))
    y = np.repeat(np.arange(len(examples)), examples.shape[1])
    return [percent(z.argmax(axis=1), queries) for z in tuner.answers(x, y, asked, rate=rate, steps=marks or MARKS)]


def tried(tuner, groups, shots, seed):
    """Percent right in the mean over these groups, by rate and number of steps."""
    drawn = [
        episode
        for system in few_shot.systems_of(*groups)
        for episode in episodes(few_shot.letters([system]), system, shots, TRIED[shots], seed)
    ]

    def after(rate):
        means = np.mean([fine_tuned(tuner, *episode, rate) for episode in drawn], axis=0)
        return {(rate, steps): float(mean) for steps, mean in zip(MARKS, means, strict=True)}

    found = {pair: mean for rate in RATES for pair, mean in after(rate).items()}
    if max(found, key=found.get)[0] == RATES[-1]:
        found |= after(BEYOND)
    return found


def reached(tuner, groups, shots, seed):
    """Percent right with the best rate and number of steps."""
    return max(tried(tuner, groups, shots, seed).values())


def rule_of(embedding, groups, shots, seed):
    """How means are best read in these groups."""
    found = [
        by_mean(embedding, *episode)
        for system in few_shot.systems_of(*groups)
        for episode in episodes(few_shot.letters([system]), system, shots, TRIED[shots], seed)
    ]
    return max(found[0], key=lambda rule: np.mean([row[rule] for row in found]))


def trial(config):
    """Percent named right in each writing system of a group, five letters, by fine-tuning and by the nearest mean."""
    import keras

    start, group, seed, rows = config["start"], config["group"], FIRST + config["seed"], []
    x, y = few_shot.training_letters(group, partner(group))
    *classifier, _ = few_shot.CHOSEN["classifier"][group // 2]
    outward = few_shot.CHOSEN[start.removesuffix(", longer") if "reptile" in start else "reptile"][group // 2]
    tuner = led(start, x, y, classifier, outward, seed)
    embedding = keras.Model(tuner.model.input, tuner.model.layers[-2].output)
    for shots in few_shot.SHOTS:
        found = tried(tuner, [partner(group)], shots, seed)
        rate, steps = max(found, key=found.get)
        rule = rule_of(embedding, [partner(group)], shots, seed)
        for system in few_shot.systems_of(group):
            judged = [
                (by_mean(embedding, *episode)[rule], *fine_tuned(tuner, *episode, rate, [steps]))
                for episode in episodes(few_shot.tested_letters(system), system, shots, EPISODES[shots], seed)
            ]
            mean, tuned = (float(value) for value in np.mean(judged, axis=0))
            settings = {"shots": shots, "rate": rate, "steps": steps, "rule": rule}
            rows.append({"system": system, **settings, "nearest mean": mean, "fine-tuned": tuned})
    return rows
