"""Chapter 03: does the full-network embedding beat the last layers where the target is like the source, and elsewhere?

The similar targets are the five domains of the stickers, things such as ImageNet has, photographed or drawn; beside
them products of Fashion-MNIST and ten printed letters. Each draw trains on five pictures a class and tests on all
others; of the letters on five whole fonts, each of another family. The linear SVM is the same for all rows: they are
divided by their mean length in training, so that one grid of `C` fits them all, and `C` is chosen for each by
cross-validation within the training pictures.
"""

SIMILAR = ("photo", "clipart", "noto", "twemoji", "openmoji")
CONFIGS = [{"target": target} for target in (*SIMILAR, "fashion", "letters")]
SIZE, PER_CLASS, DRAWS = 128, 5, 30  # a trial makes so many draws, so that features are read once for all of them
STRENGTHS, FOLDS = (1000, 100, 10, 1, 0.1), 3
FASHION = 40  # products a class
MINIATURE = {"config": {"target": "photo"}, "SIZE": 32, "PER_CLASS": 2, "DRAWS": 2, "STRENGTHS": (10, 1), "FOLDS": 2}


def pictures(target: str):
    """Pictures `(n, height, width, 3)` of a target, and labels; of the letters font by font."""
    import numpy as np

    from tlcourse.material import data

    if target in data.STICKER_DOMAINS:
        stickers = data.stickers(target, size=SIZE, test_fraction=0)
        return stickers.x_train, stickers.y_train
    if target == "fashion":
        grey, y = data.fashion().test
        rows = np.concatenate([np.flatnonzero(y == label)[:FASHION] for label in range(10)])
        return np.repeat(grey[rows][..., None], 3, axis=-1), y[rows]
    glyphs = data.glyphs("abcdefghij")
    _, one_a_family = np.unique(glyphs.families, return_index=True)
    grey = 255 - glyphs.images[one_a_family[:40]].reshape(-1, 28, 28)
    return np.repeat(grey[..., None], 3, axis=-1), np.tile(np.arange(10), 40)


def draw(y, each: int, seed: int, *, fonts: bool = False):
    """Rows to train on, so many a class (of `fonts` all of whole ones), and the others to test on."""
    import numpy as np

    rng = np.random.default_rng(seed)
    order = rng.permutation(len(y))
    if fonts:
        order = np.ravel(10 * rng.permutation(len(y) // 10)[:, None] + np.arange(10))
    train = np.concatenate([order[y[order] == label][:each] for label in np.unique(y)])
    return train, np.setdiff1d(order, train)


def trial(config: dict) -> list[dict]:
    """Balanced test accuracy in percent for each draw and each description of the pictures, and the `C` chosen."""
    import numpy as np
    from sklearn.preprocessing import normalize

    from tlcourse.material import backbones, features
    from tlcourse.methods import layer_features

    x, y = pictures(config["target"])
    reader, block_of = layer_features.block_reader(backbones.efficientnet_lite0(input_size=SIZE))
    pooled = features.extract(reader, x)[:, 0]
    unit = {block: normalize(pooled[:, block_of == block]) for block in dict.fromkeys(block_of)}
    rows = []
    for number in range(config["seed"] * DRAWS, (config["seed"] + 1) * DRAWS):
        train, test = draw(y, PER_CLASS, number, fonts=config["target"] == "letters")
        coded = np.empty(pooled.shape)
        coded[train], coded[test] = layer_features.full_network_embedding(pooled[train], pooled[test])
        last, second_last = list(unit)[-1], list(unit)[-2]
        described = {"last block": unit[last], "block before": unit[second_last], "all blocks": pooled,
                     "embedding": coded}  # fmt: skip
        for name, table in described.items():
            accuracy, strength = judged(table, y, train, test)
            rows.append({"draw": number, "rows": name, "accuracy": accuracy, "strength": strength})
    return rows


def judged(rows, y, train, test) -> tuple[float, float]:
    """Balanced test accuracy of a linear SVM on rows of any length, and the `C` that cross-validation chose for it."""
    import numpy as np
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import GridSearchCV
    from sklearn.svm import SVC

    rows = rows / np.sqrt((rows[train] ** 2).sum(axis=1).mean())
    found = GridSearchCV(SVC(kernel="linear"), {"C": STRENGTHS}, cv=FOLDS).fit(rows[train], y[train])
    return 100 * balanced_accuracy_score(y[test], found.predict(rows[test])), found.best_params_["C"]
