"""Chapter 06: Yosinski et al. (2014) on letters: copy n of eight layers, freeze or fine-tune them, train the rest.

Task B is 31 characters, drawn anew with each seed, in twenty fonts. Sources: the other 31 characters in the same fonts
("AnB") or in twenty others; farther, 31 letters of other writing systems; farthest, another question about the same
kind of picture, which of 31 fonts it is drawn in. Each has as many classes and as many pictures as B, and everything is
trained alike and for as long. No family of fonts is in two of the parts, so the test fonts are unlike all others.

Where nothing is copied seven networks are trained a draw, since what a single one reaches is mostly luck.
"""

SOURCES = {  # the treatments, by what the copied layers learnt; "+" fine-tunes them, and for each: how many are copied
    "nothing copied": {},
    "own": {"BnB": (1, 2, 3, 4, 5, 6, 7), "BnB+": (1, 2, 3, 4, 5, 6, 7)},
    "near": {"AnB": (1, 2, 3, 4, 5, 6, 7), "AnB+": (1, 2, 3, 4, 5, 6, 7)},
    "other fonts": {"other fonts AnB": (2, 3, 4, 5, 6)},
    "scripts": {"scripts AnB": (2, 3, 4, 5, 6), "scripts AnB+": (2, 4, 6)},
    "fonts": {"fonts AnB": (2, 3, 4, 5, 6), "fonts AnB+": (2, 4, 6)},
    "random": {"random": (2, 3, 4, 5, 6)},
}
CONFIGS = [{"source": source} for source in SOURCES]
CLASSES, TRAIN, TEST = 31, 20, 100  # classes, and pictures of each
EPOCHS, RATE, BATCH = 15, 1e-3, 31
BASES = (0, 2, 3, 4, 5, 6, 7)  # what is added to ten times the seed; 1 is for the layers that are new
MINIATURE = {"config": {"source": "near"}, "SOURCES": {source: {"AnB": (2,), "AnB+": (2,)} for source in SOURCES},
             "CLASSES": 4, "EPOCHS": 1, "BATCH": 8}  # fmt: skip


def tasks(seed: int) -> dict[str, tuple]:
    """`near`, `other fonts`, `scripts`, `fonts`, `target` and `test`, the last two being task B.

    Each is `(x, y)`, x `(n, 28, 28, 1)` float32 in [0, 255], y from 0 to 30.
    """
    import numpy as np

    from tlcourse.material import data
    from tlcourse.methods import layer_transfer

    glyphs = data.glyphs()
    images = glyphs.images  # (fonts, characters, 28, 28)
    rng = np.random.default_rng(seed)
    near, target = layer_transfer.halves(images.shape[1], seed=seed)
    parts = data.parts_by_group(glyphs.families, (TRAIN, TEST, TRAIN, CLASSES), seed=seed)
    to_train, to_test, other, named = parts

    def characters(chosen, fonts):
        x = images[fonts][:, chosen].reshape(-1, 28, 28, 1).astype("float32")
        return x, np.tile(np.arange(CLASSES), len(fonts))

    drawn = rng.permutation(images.shape[1])[:TRAIN]
    x = images[named][:, drawn].reshape(-1, 28, 28, 1).astype("float32")
    return {
        "near": characters(near, to_train),
        "other fonts": characters(near, other),
        "scripts": other_scripts(seed),
        "fonts": (x, np.repeat(np.arange(CLASSES), TRAIN)),
        "target": characters(target, to_train),
        "test": characters(target, to_test),
    }


def other_scripts(seed: int) -> tuple:
    """As many letters, and drawings of each, as task B has, of writing systems that are not Latin; see `tasks`."""
    import numpy as np

    from tlcourse.material import data

    images = data.scripts().images  # (letters, drawings, 28, 28)
    chosen = np.random.default_rng([seed, 1]).permutation(len(images))[:CLASSES]
    x = images[chosen, :TRAIN].reshape(-1, 28, 28, 1).astype("float32")
    return x, np.repeat(np.arange(CLASSES), TRAIN)


def trained(model, pair: tuple, *, seed: int, epochs: int | None = None):
    """The model after training on a task, in place."""
    from tlcourse.methods import training

    training.fit(model, pair, epochs=epochs or EPOCHS, learning_rate=RATE, batch_size=BATCH, seed=seed)
    return model


def source_network(source: str, task: dict, *, seed: int):
    """The network that layers are copied from."""
    from tlcourse.methods import layer_transfer

    new = layer_transfer.network(CLASSES, seed=10 * seed)
    return new if source == "random" else trained(new, task["target" if source == "own" else source], seed=10 * seed)


def transferred(base, n: int, task: dict, *, frozen: bool, seed: int, epochs: int | None = None) -> float:
    """Balanced test accuracy in percent on the target, after training with `n` copied layers."""
    from tlcourse.methods import fine_tuning, layer_transfer

    model = upper = layer_transfer.transfer(base, n, CLASSES, frozen=frozen, seed=10 * seed + 1)
    (x, y), (x_test, y_test) = task["target"], task["test"]
    if frozen:  # what is frozen runs once
        lower, upper = fine_tuning.cut(model, layer_transfer.LAYERS - n)
        x, x_test = (lower.predict(part, batch_size=256, verbose=0) for part in (x, x_test))
    trained(upper, (x, y), seed=10 * seed + 1, epochs=epochs)
    return accuracy(upper, (x_test, y_test))


def accuracy(model, pair: tuple) -> float:
    """Balanced, in percent."""
    from tlcourse.methods import training

    return training.accuracy(pair[1], model.predict(pair[0], batch_size=256, verbose=0))


def trial(config: dict) -> list[dict]:
    """The accuracy on the target by treatment and n; "base" has n = 0, one row for each of its seven networks."""
    source, seed = config["source"], config["seed"]
    task = tasks(seed)
    if source == "nothing copied":
        reached = [base(task, seed=10 * seed + number) for number in BASES]
        return [{"treatment": "base", "n": 0, "run": run, "accuracy": value} for run, value in enumerate(reached)]
    network, rows = source_network(source, task, seed=seed), []
    for treatment, copied in SOURCES[source].items():
        for n in copied:
            reached = transferred(network, n, task, frozen=not treatment.endswith("+"), seed=seed)
            rows.append({"treatment": treatment, "n": n, "run": 0, "accuracy": reached})
    return rows


def base(task: dict, *, seed: int) -> float:
    """Balanced test accuracy in percent of a network that copies nothing."""
    from tlcourse.methods import layer_transfer

    return accuracy(trained(layer_transfer.network(CLASSES, seed=seed), task["target"], seed=seed), task["test"])
