"""Chapter 02: do transformed copies of the pictures make off-the-shelf features better, in training or in the test?

Each draw trains on eight pictures a class of a target and tests on all others; of each picture there are three copies,
mirrored at random, turned and zoomed a little, whose features are read once. Training may use the copies of the
training pictures, and a test picture may be judged by the sum over it and its copies. All four ways have one pipeline:
rows of length one, and a linear SVM whose `C` is chosen by cross-validation over the training pictures, in which copies
stay with their picture.
"""

from tlcourse.experiments import embedding

CONFIGS = [{"target": target} for target in (*embedding.SIMILAR, "fashion")]
WAYS = ("none", "training", "test", "both")  # where the copies are used
SIZE, PER_CLASS, DRAWS, COPIES = 128, 8, 30, 3
MINIATURE = {"config": {"target": "photo"}, "SIZE": 32, "PER_CLASS": 2, "DRAWS": 2, "COPIES": 1, "embedding.SIZE": 32,
             "embedding.STRENGTHS": (10, 1), "embedding.FOLDS": 2}  # fmt: skip


def trial(config: dict) -> list[dict]:
    """Balanced test accuracy in percent for each draw and each use of the copies."""
    import numpy as np
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import GridSearchCV, GroupKFold
    from sklearn.preprocessing import normalize
    from sklearn.svm import SVC

    from tlcourse.material import backbones, features

    x, y = embedding.pictures(config["target"])
    backbone, jitter = backbones.efficientnet_lite0(input_size=SIZE), jittered()
    views = [x] + [np.asarray(jitter(x, training=True)).astype("uint8") for _ in range(COPIES)]
    read = np.stack([normalize(features.extract(backbone, view)) for view in views])  # (views, pictures, 1280)
    rows = []
    for number in range(config["seed"] * DRAWS, (config["seed"] + 1) * DRAWS):
        train, test = embedding.draw(y, PER_CLASS, number)
        for way in WAYS:
            used = len(views) if way in ("training", "both") else 1
            asked = len(views) if way in ("test", "both") else 1
            grid = GridSearchCV(SVC(kernel="linear"), {"C": embedding.STRENGTHS}, cv=GroupKFold(embedding.FOLDS))
            grid.fit(read[:used, train].reshape(-1, read.shape[2]), np.tile(y[train], used),
                     groups=np.tile(np.arange(len(train)) % PER_CLASS, used))  # fmt: skip
            votes = sum(grid.decision_function(view[test]) for view in read[:asked])
            accuracy = 100 * balanced_accuracy_score(y[test], votes.argmax(axis=1))
            rows.append({"draw": number, "copies": way, "accuracy": accuracy})
    return rows


def jittered():
    """Layers that mirror, turn and zoom as chapter 02 does."""
    from keras import Sequential, layers

    return Sequential(
        [
            layers.RandomFlip("horizontal", seed=1),
            layers.RandomRotation(0.06, fill_mode="nearest", seed=2),
            layers.RandomZoom((-0.2, 0.1), fill_mode="nearest", seed=3),
        ]
    )
