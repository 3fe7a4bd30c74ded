"""Chapter 06: Yosinski et al. (2014) on letters: copy n of eight layers, freeze or fine-tune them, train the rest.

Task B is 31 characters, drawn anew with each seed. Near source: the other 31 characters, in the same fonts. Farther:
31 letters of other writing systems. Farthest: another question about the same kind of picture, which of 31 fonts it is
drawn in. Each has as many classes and as many pictures as B. Everything is trained alike and for as long.
"""

TREATMENTS = ("BnB", "BnB+", "AnB", "AnB+", "scripts AnB", "scripts AnB+", "fonts AnB", "fonts AnB+", "random")
CONFIGS = [{"treatment": treatment} for treatment in TREATMENTS]
CLASSES, TRAIN, TEST = 31, 20, 100  # classes, and pictures of each
EPOCHS, RATE, BATCH = 15, 1e-3, 31


def tasks(seed: int) -> dict[str, tuple]:
    """`near`, `scripts`, `fonts`, `target`, `test`: `(n, 28, 28, 1)` float32 in [0, 255], labels from 0 to 30."""
    import numpy as np

    from tlcourse.material import data
    from tlcourse.methods import layer_transfer

    images = data.glyphs().images  # (fonts, characters, 28, 28)
    rng = np.random.default_rng(seed)
    near, target = layer_transfer.halves(images.shape[1], seed=seed)
    fonts = rng.permutation(len(images))
    to_train, to_test, others = np.split(fonts, [TRAIN, TRAIN + TEST])

    def characters(chosen, fonts):
        x = images[fonts][:, chosen].reshape(-1, 28, 28, 1).astype("float32")
        return x, np.tile(np.arange(CLASSES), len(fonts))

    drawn = rng.permutation(images.shape[1])[:TRAIN]
    x = images[others[:CLASSES]][:, drawn].reshape(-1, 28, 28, 1).astype("float32")
    return {
        "near": characters(near, to_train),
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


def trained(model, pair: tuple, *, seed: int):
    """The model after training on a task, in place."""
    from tlcourse.methods import training

    training.fit(model, pair, epochs=EPOCHS, learning_rate=RATE, batch_size=BATCH, seed=seed)
    return model


def source(treatment: str, task: dict, *, seed: int):
    """The network that layers are copied from."""
    from tlcourse.methods import layer_transfer

    new = layer_transfer.network(CLASSES, seed=10 * seed)
    if treatment == "random":
        return new
    *elsewhere, letters = treatment.split()
    name = elsewhere[0] if elsewhere else "near" if letters.startswith("A") else "target"
    return trained(new, task[name], seed=10 * seed)


def transferred(base, n: int, task: dict, *, frozen: bool, seed: int) -> float:
    """Balanced test accuracy in percent on the target, after training with `n` copied layers."""
    from tlcourse.methods import fine_tuning, layer_transfer

    model = upper = layer_transfer.transfer(base, n, CLASSES, frozen=frozen, seed=10 * seed + 1)
    (x, y), (x_test, y_test) = task["target"], task["test"]
    if frozen:  # what is frozen runs once
        lower, upper = fine_tuning.cut(model, layer_transfer.LAYERS - n)
        x, x_test = (lower.predict(part, batch_size=256, verbose=0) for part in (x, x_test))
    trained(upper, (x, y), seed=10 * seed + 1)
    return accuracy(upper, (x_test, y_test))


def accuracy(model, pair: tuple) -> float:
    """Balanced, in percent."""
    from tlcourse.methods import training

    return training.accuracy(pair[1], model.predict(pair[0], batch_size=256, verbose=0))


def trial(config: dict) -> list[dict]:
    """For every n the accuracy on the target; `BnB` also has n = 0, the base that copies nothing."""
    treatment, seed = config["treatment"], config["seed"]
    task = tasks(seed)
    base = source(treatment, task, seed=seed)
    rows = [{"n": 0, "accuracy": accuracy(base, task["test"])}] if treatment == "BnB" else []
    for n in range(1, 8):
        frozen = not treatment.endswith("+")
        rows.append({"n": n, "accuracy": transferred(base, n, task, frozen=frozen, seed=seed)})
    return rows
