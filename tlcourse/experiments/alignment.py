"""Chapter 11: five sets of digits, and five collections of stickers, each to each, aligned in seven ways.

Of the target every method gets the pictures that train, without their labels; the target's own classifier ("nothing",
where source and target are one) is what is compared with. A digit of MNIST-M is one of MNIST: between those two what
tests the one is never learnt from in the other, for their digits stand in one order, with one split. Stickers are
split by thing. No draw is one that a setting was looked at with, which is why the seeds begin at a hundred.
"""

CONFIGS = [{"kind": "digits"}, {"kind": "stickers"}]
SETS = ("mnist", "optdigits", "usps", "glyph", "mnist_m")
TRAIN, TEST, DIMENSIONS, FIRST = 400, 390, 50, 100
MINIATURE = {"config": {"kind": "digits"}, "TRAIN": 40, "TEST": 30, "DIMENSIONS": 5}


def strokes(pictures):
    """`(n, 28, 28)` or in colour: for each of 7 × 7 places and 8 directions, how much edge; `(n, 392)`."""
    import numpy as np
    from sklearn.preprocessing import normalize

    grey = (pictures.mean(axis=-1) if pictures.ndim == 4 else pictures).astype(float)
    down, right = np.gradient(grey, axis=(1, 2))
    way = (np.arctan2(down, right) % np.pi * 8 / np.pi).astype(int) % 8
    edges = np.hypot(down, right)[..., None] * (way[..., None] == np.arange(8))
    return normalize(edges.reshape(-1, 7, 4, 7, 4, 8).sum(axis=(2, 4)).reshape(len(pictures), -1))


def digits(seed: int) -> dict:
    """Of each set `(x, y, x_test, y_test)`, with x the strokes of some pictures."""
    import numpy as np

    from tlcourse.material import data

    parts = {}
    for name in SETS:
        split, draw = data.digits(name), np.random.default_rng(seed)
        i, j = draw.permutation(len(split.x_train))[:TRAIN], draw.permutation(len(split.x_test))[:TEST]
        parts[name] = strokes(split.x_train[i]), split.y_train[i], strokes(split.x_test[j]), split.y_test[j]
    return parts


def stickers(seed: int) -> dict:
    """Of each collection `(x, y, x_test, y_test)`, with x EfficientNet-Lite0's features, of length 1."""
    from sklearn.preprocessing import normalize

    from tlcourse.material import backbones, data, features

    network, parts = backbones.efficientnet_lite0(input_size=96), {}
    for name in data.STICKER_DOMAINS:
        split = data.stickers(name, size=96, seed=seed)
        x, x_test = (normalize(features.extract(network, x)) for x in (split.x_train, split.x_test))
        parts[name] = x, split.y_train, x_test, split.y_test
    return parts


def methods() -> dict:
    """Functions of source and target rows, each to an `Alignment`; each of the last four has its control beside it."""
    import numpy as np

    from tlcourse.methods import domains

    def centred(source, target):
        return domains.Alignment(lambda new: new - source.mean(axis=0), lambda new: new - target.mean(axis=0))

    def fifty_axes(source, target):
        axes = np.linalg.svd(source - source.mean(axis=0), full_matrices=False)[2][:DIMENSIONS].T
        moved = centred(source, target)
        return domains.Alignment(lambda new: moved.source(new) @ axes, lambda new: moved.target(new) @ axes)

    return {
        "nothing": lambda source, target: None,
        "centred": centred,
        "standardised": domains.standardise,
        "source's statistics": lambda source, target: domains.standardise(source, source),
        "CORAL": domains.coral,
        "fifty axes": fifty_axes,
        "fifty axes, turned": lambda source, target: domains.align_subspaces(source, target, DIMENSIONS),
    }


def trial(config: dict) -> list[dict]:
    """Balanced accuracy in percent on new pictures of each target, by source and method."""
    from sklearn.metrics import balanced_accuracy_score

    from tlcourse.methods import domains

    parts = {"digits": digits, "stickers": stickers}[config["kind"]](FIRST + config["seed"])
    rows = []
    for source, (x, y, *_) in parts.items():
        for target, (x_target, _, x_new, y_new) in parts.items():
            for name, align in methods().items():
                if source == target and name != "nothing":
                    continue
                said = domains.answers(x, y, x_new, align(x, x_target))
                reached = float(100 * balanced_accuracy_score(y_new, said))
                rows.append({"source": source, "target": target, "method": name, "accuracy": reached})
    return rows
