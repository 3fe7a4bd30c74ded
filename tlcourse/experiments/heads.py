"""Chapter 02: what to put on frozen features: a linear SVM, one with a kernel, or one to three hidden layers.

With five pictures a class on the seven targets of `embedding`, and with 5, 50 and 250 products a class and 4,000 to
test on. Each head chooses its own settings by cross-validation within the training pictures: the SVMs their `C` (the
kernel its width, too), the layers their penalty. All rows are brought to length one.
"""

import functools

from tlcourse.experiments import embedding

CONFIGS = [
    *({"target": target, "shots": 5} for target in (*embedding.SIMILAR, "fashion", "letters")),
    *({"target": "products", "shots": shots} for shots in (5, 50, 250)),
]
SIZE, FOLDS, DRAWS = 96, 3, 4  # a trial makes so many draws of few pictures, so that features are read once
HIDDEN, EPOCHS = 256, 60  # units a layer; passes at most
STRENGTHS, WIDTHS, PENALTIES = (0.1, 1.0, 10.0, 100.0), (0.1, 1.0, 10.0), (1e-2, 1.0)
MINIATURE = {"config": {"target": "products", "shots": 2}, "SIZE": 32, "DRAWS": 1, "FOLDS": 2, "STRENGTHS": (1.0,),
             "WIDTHS": (1.0,), "PENALTIES": (1e-2,), "EPOCHS": 2}  # fmt: skip


def heads() -> dict:
    """Name and grid search of every head."""
    from sklearn.model_selection import GridSearchCV
    from sklearn.neural_network import MLPClassifier
    from sklearn.svm import SVC

    search = functools.partial(GridSearchCV, cv=FOLDS)
    layers = {
        f"{depth} hidden": search(
            MLPClassifier((HIDDEN,) * depth, max_iter=EPOCHS, random_state=0), {"alpha": PENALTIES}
        )
        for depth in (1, 2, 3)
    }
    return {
        "linear": search(SVC(kernel="linear"), {"C": STRENGTHS}),
        "kernel": search(SVC(kernel="rbf"), {"C": STRENGTHS, "gamma": WIDTHS}),
        **layers,
    }


def drawn(target: str, shots: int, seed: int):
    """Rows `(n, 1280)` of length one and their labels, and for each draw which of them train and which test."""
    import numpy as np
    from sklearn.preprocessing import normalize

    from tlcourse.material import backbones, data, features

    if target == "products":
        fashion, rng = data.fashion(), np.random.default_rng(seed)
        few = [rng.permutation(np.flatnonzero(fashion.y_train == label))[:shots] for label in range(10)]
        taken = np.concatenate(few)
        grey = np.concatenate([fashion.x_train[taken], fashion.x_test])
        x, y = np.repeat(grey[..., None], 3, axis=-1), np.concatenate([fashion.y_train[taken], fashion.y_test])
        draws = [(np.arange(len(taken)), np.arange(len(taken), len(y)))]
    else:
        x, y = embedding.pictures(target)
        numbers = range(seed * DRAWS, (seed + 1) * DRAWS)
        draws = [embedding.draw(y, shots, number, fonts=target == "letters") for number in numbers]
    rows = features.extract(backbones.efficientnet_lite0(input_size=SIZE), x, cache=False)
    return normalize(rows.reshape(len(y), -1)), y, draws


def trial(config: dict) -> list[dict]:
    """Balanced accuracies in percent, on the training pictures and on the test, of every head."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.metrics import balanced_accuracy_score

    rows, y, draws = drawn(config["target"], config["shots"], config["seed"])
    found = []
    for number, (train, test) in enumerate(draws):
        for name, head in heads().items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # stopped at `EPOCHS`, as it is meant
                head.fit(rows[train], y[train])
            told = {part: 100 * balanced_accuracy_score(y[of], head.predict(rows[of]))
                    for part, of in (("train_accuracy", train), ("test_accuracy", test))}  # fmt: skip
            found.append({"draw": number, "head": name, **told, "setting": str(head.best_params_)})
    return found
