"""Chapter 15: is a start that was made to be fine-tuned (Reptile) better to fine-tune than one that was not?

Three starts: a classifier of all letters, Reptile, and none, with as many pictures each; and Reptile with four times as
many, to see whether it was only not finished. On five letters of a new writing system, one or five examples of each,
the whole network is fine-tuned. The control is not to, and to take the nearest mean of the same network's embeddings.

Rate and number of steps are, for each start and number of examples, those that do best on the systems of another fold,
which the network has not seen either. Reptile's two settings were looked for on seeds that nothing is judged on.
"""

import numpy as np

from tlcourse.experiments import few_shot
from tlcourse.methods import few_shot as learning
from tlcourse.methods import reptile

STARTS = ("untrained", "classifier", "reptile", "reptile, longer")
CONFIGS = [{"start": start, "fold": fold} for start in STARTS for fold in range(len(few_shot.FOLDS))]
PARTNER = {0: 1, 1: 0, 2: 3, 3: 2, 4: 0}  # which other fold the rate is chosen on
STEPS, LONGER, FIRST = 1000, 4000, 300
EPISODES, TRIED = 5, 1  # of a writing system, to judge by and to choose by
RATES, MARKS = (0.003, 0.01, 0.03), (5, 20, 50)
INNER, OUTER = 0.3, 0.5
MINIATURE = {
    "config": {"start": "reptile", "fold": 1},
    "STEPS": 2,
    "EPISODES": 1,
    "TRIED": 1,
    "RATES": (0.01,),
    "MARKS": (1,),
    "learning.FILTERS": (2, 2, 2, 2),
}


def started(start, x, y, seed):
    """A network with five logits, that learnt from letters or did not."""
    if start == "classifier":
        return reptile.with_head(learning.Trainer(None, seed=seed).fit(x, y, steps=STEPS).model)
    model = reptile.with_head(learning.network(seed=seed))
    if start.startswith("reptile"):
        steps = LONGER if start.endswith("longer") else STEPS
        reptile.Reptile(model, inner=INNER, outer=OUTER, seed=seed).fit(x, y, steps=steps)
    return model


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


def by_mean(model, examples, queries):
    """Percent right by the nearest mean of embeddings, everything of length 1."""
    z, asked = (learning.unit(learning.embed(model, part)) for part in (examples, queries))
    means = learning.unit(z.mean(axis=1))
    return percent((asked.reshape(-1, z.shape[-1]) @ means.T).argmax(axis=1), queries)


def fine_tuned(tuner, examples, queries, rate):
    """Percent right after each of `MARKS` steps."""
    x, asked = (part.reshape(-1, 28, 28, 1).astype("float32") / 255 for part in (examples, queries))
    y = np.repeat(np.arange(len(examples)), examples.shape[1])
    return [percent(z.argmax(axis=1), queries) for z in tuner.answers(x, y, asked, rate=rate, steps=MARKS)]


def chosen(tuner, fold, shots, seed):
    """The rate, and the number of `MARKS`, that do best on this fold."""
    tried = {}
    for rate in RATES:
        reached = [
            fine_tuned(tuner, *episode, rate)
            for system in few_shot.systems_of(fold)
            for episode in episodes(few_shot.letters([system]), system, shots, TRIED, seed)
        ]
        tried |= {(rate, number): mean for number, mean in enumerate(np.mean(reached, axis=0))}
    return max(tried, key=tried.get)


def trial(config):
    """Percent named right in each writing system of a fold, five letters, by fine-tuning and by the nearest mean."""
    import keras

    fold, seed, rows = config["fold"], FIRST + config["seed"], []
    model = started(config["start"], *few_shot.training_letters(fold, PARTNER[fold]), seed)
    embedding, tuner = keras.Model(model.input, model.layers[-2].output), reptile.FineTuner(model)
    for shots in few_shot.SHOTS:
        rate, number = chosen(tuner, PARTNER[fold], shots, seed)
        for system in few_shot.systems_of(fold):
            found = [
                (by_mean(embedding, *episode), fine_tuned(tuner, *episode, rate)[number])
                for episode in episodes(few_shot.tested_letters(system), system, shots, EPISODES, seed)
            ]
            mean, tuned = (float(value) for value in np.mean(found, axis=0))
            settings = {"shots": shots, "rate": rate, "steps": MARKS[number]}
            rows.append({"system": system, **settings, "nearest mean": mean, "fine-tuned": tuned})
    return rows
