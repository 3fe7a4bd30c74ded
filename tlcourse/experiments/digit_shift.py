"""Chapter 09: a network for one set of digits on all the others, handwritten, printed, or on photographs.

The network is that of chapter 06. All sets have as many pictures to learn from, all are grey. A source and a target are
other writers or other families of fonts; but a digit of MNIST-M is one of MNIST, so between those two what tests the
one is never learnt from in the other: their digits stand in one order, with one split.
"""

CONFIGS = [{"source": source} for source in ("mnist", "optdigits", "usps", "glyph", "mnist_m")]
PICTURES, TEST, EPOCHS, RATE, BATCH = 1400, 390, 10, 1e-3, 32
MINIATURE = {"config": {"source": "mnist"}, "PICTURES": 32, "TEST": 40, "EPOCHS": 1}


def pictures(name: str, seed: int) -> tuple:
    """Some digits of a set: `(x, y, x_test, y_test)`, with x `(n, 28, 28, 1)` in [0, 255]."""
    import numpy as np

    from tlcourse.material import data

    split = data.digits(name)
    rng = np.random.default_rng(seed)
    train, test = rng.permutation(len(split.x_train))[:PICTURES], rng.permutation(len(split.x_test))[:TEST]

    def grey(x):
        return (x.mean(axis=-1) if x.ndim == 4 else x)[..., None].astype("float32")

    return grey(split.x_train[train]), split.y_train[train], grey(split.x_test[test]), split.y_test[test]


def trial(config: dict) -> list[dict]:
    """Balanced test accuracy in percent on each set, after learning from the source."""
    from tlcourse.methods import layer_transfer, training

    seed = config["seed"]
    sets = {c["source"]: pictures(c["source"], seed) for c in CONFIGS}
    x, y = sets[config["source"]][:2]
    model = layer_transfer.network(10, seed=seed)
    training.fit(model, (x, y), epochs=EPOCHS, learning_rate=RATE, batch_size=BATCH, seed=seed)
    return [
        {"target": name, "accuracy": training.accuracy(y_test, model.predict(x_test, batch_size=256, verbose=0))}
        for name, (_, _, x_test, y_test) in sets.items()
    ]
