"""Chapter 17: what the source's own augmentation makes alike stays alike for the target.

A network learns digits and capital letters of many fonts, seen as they are, through transformations that keep a small
letter's name ("keeping"), or mirrored in half of the cases: no capital and no digit becomes another one in a mirror.
Then it serves small letters, of which one or five fonts have labels: with a frozen trunk, or with every weight tuned. A
small b in a mirror is a d. All test fonts are of other families than all that trained.
"""

from tlcourse.experiments import transformations
from tlcourse.methods import augmentation, multitask

SOURCE_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SOURCE_FONTS, FACES, TEST = 130, (1, 5), 100
STEPS, TUNING_STEPS, BATCH = 3000, 300, 64
SOURCES = {"as they are": (), "keeping": ("shift", "elastic"), "mirrored": ("mirror",)}
CONFIGS = [{"source": source} for source in (*SOURCES, "none")]
MINIATURE = {"config": {"source": "mirrored"}, "STEPS": 2, "TUNING_STEPS": 1, "BATCH": 8, "FACES": (1,)}


def world(seed: int) -> tuple:
    """Pairs of pictures and labels: the source, its test, the target's few, its test."""
    import numpy as np

    from tlcourse.material import data

    source, target = data.glyphs(SOURCE_LETTERS), data.glyphs(transformations.LETTERS)
    many, few, test = data.parts_by_group(source.families, (SOURCE_FONTS, max(FACES), TEST), seed=seed)

    def pair(glyphs, fonts):
        count = glyphs.images.shape[1]
        return glyphs.images[fonts].reshape(-1, 28, 28, 1), np.tile(np.arange(count), len(fonts))

    return pair(source, many), pair(source, test), pair(target, few), pair(target, test)


def taught(source: str, x, y, *, seed: int):
    """The network for the source, untrained for "none"."""
    import numpy as np

    net = multitask.Network({"source": int(y.max()) + 1}, seed=seed)
    if source == "none":
        return net
    order = multitask.batches([np.arange(len(x))], STEPS, batch=BATCH, seed=seed)
    if names := SOURCES[source]:
        again, order = order.ravel(), np.arange(order.size).reshape(order.shape)
        x, y = augmentation.transformed(x[again], names, strength=0.5, seed=seed), y[again]
    return net.fit(x, {"source": y}, order)


def trial(config: dict) -> list[dict]:
    """Percentages of small letters (`transformations.scores`), frozen and tuned, and of the source's own test."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from tlcourse.methods import training

    seed = config["seed"]
    source, source_test, target, (x_test, y_test) = world(seed)
    net = taught(config["source"], *source, seed=seed)
    own = training.accuracy(source_test[1], net.logits("source", source_test[0]))
    trunk = [weights.numpy() for weights in net.trunk.trainable_weights]
    rows = []
    for faces in FACES:
        x, y = (part[: faces * (int(y_test.max()) + 1)] for part in target)
        probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000)).fit(net.features(x), y)
        tuned = multitask.Network({"letter": int(y.max()) + 1}, seed=seed).start_from(trunk)
        tuned.fit(x, {"letter": y}, multitask.batches([np.arange(len(x))], TUNING_STEPS, batch=BATCH, seed=seed))
        read = {
            "frozen": probe.decision_function(net.features(x_test)),
            "tuned": tuned.logits("letter", x_test),
        }
        for how, logits in read.items():
            found = transformations.scores(y_test, logits)
            rows.append({"faces": faces, "trained": how, **found, "source_test": own})
    return rows
