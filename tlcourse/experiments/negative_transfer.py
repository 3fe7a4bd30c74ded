"""Chapter 19: sources from near to far for five targets, all small grey pictures: which help, harm, and foretell it?

A source network (that of chapter 06) is trained on 620 pictures; its six convolutions are copied, two dense layers are
new, and the target has a few examples of each class. What was copied is frozen, or fine-tuned with the rest.
"untrained", fine-tuned, is training from scratch: what every gain is counted from.
"""

from tlcourse.experiments.copied_layers import other_scripts

DRAWN = {"clip art": "clipart", "Noto": "noto", "Twemoji": "twemoji", "OpenMoji": "openmoji"}
SOURCES = ("same fonts", "letters", "mirrored", "upside down", "inverted", "other scripts", "digits", "pictograms",
           *DRAWN, "fonts", "random labels", "shuffled pixels", "noise", "untrained")  # fmt: skip
TARGETS = ("letters", "inverted letters", "digits", "photographs", "fonts")
CONFIGS = [{"source": source} for source in SOURCES]
PICTURES, SOURCE_STEPS, COPIED = 620, 300, 6
RATE, BATCH, TARGET_STEPS = 1e-3, 31, 160
FONTS = 31  # in both font questions, other ones in each


def grey(x):
    """RGB pictures as grey ones, bright on black like the others."""
    return 255 - x.astype("float32").mean(axis=-1)


def worlds(seed: int) -> tuple[dict, dict]:
    """Sources as `(x, y)`, targets as `(x, y, x_test, y_test)`, with x `(n, 28, 28, 1)` in [0, 255].

    A source and a target never share a picture. The letters of source and target are two halves of the 62 characters,
    in other fonts, but for the source "same fonts": there the target's two fonts are among the twenty. The four sets
    of drawn stickers are sources one by one, whole (189 to 243 pictures), and pooled, as "pictograms".
    """
    import numpy as np

    from tlcourse.material import data
    from tlcourse.methods import layer_transfer

    rng = np.random.default_rng(seed)
    images = data.glyphs().images.astype("float32")  # (fonts, characters, 28, 28)
    near, target = layer_transfer.halves(images.shape[1], seed=seed)
    fonts = rng.permutation(len(images))
    to_source, to_target, to_test, named, asked = np.split(fonts, [20, 22, 122, 122 + FONTS])
    drawn = rng.permutation(images.shape[1])

    def characters(chosen, fonts):
        return images[fonts][:, chosen].reshape(-1, 28, 28), np.tile(np.arange(len(chosen)), len(fonts))

    def faces(chosen, fonts):
        return images[fonts][:, chosen].reshape(-1, 28, 28), np.repeat(np.arange(len(fonts)), len(chosen))

    x, y = characters(near, to_source)
    digits = data.digits("mnist")
    some = rng.permutation(len(digits.x_train))
    sets = {name: data.stickers(domain, size=28, seed=seed) for name, domain in DRAWN.items()}
    drawings = [np.concatenate([grey(s.x_train) for s in sets.values()]),
                np.concatenate([s.y_train for s in sets.values()])]  # fmt: skip
    chosen = rng.permutation(len(drawings[1]))[:PICTURES]
    foreign, letter = other_scripts(seed)
    sources = {
        "same fonts": characters(near, np.concatenate([to_target, to_source[2:]])),
        "letters": (x, y),
        "mirrored": (x[:, :, ::-1], y),
        "upside down": (x[:, ::-1], y),
        "inverted": (255 - x, y),
        "other scripts": (foreign[..., 0], letter),
        "digits": (digits.x_train[some[:PICTURES]], digits.y_train[some[:PICTURES]]),
        "pictograms": (drawings[0][chosen], drawings[1][chosen]),
        **{k: (grey(np.concatenate([s.x_train, s.x_test])), np.concatenate([s.y_train, s.y_test]))
           for k, s in sets.items()},
        "fonts": faces(drawn[:20], named),
        "random labels": (x, rng.permutation(y)),
        "shuffled pixels": (x.reshape(-1, 784)[:, rng.permutation(784)].reshape(-1, 28, 28), y),
        "noise": (rng.uniform(0, 255, x.shape), y),
    }  # fmt: skip
    photos = data.stickers("photo", size=28, test_fraction=0.5, seed=seed)
    few = few_of_each(photos.y_train, 8, rng), few_of_each(digits.y_train[some[PICTURES:]], 4, rng)
    letters = (*characters(target, to_target), *characters(target, to_test))
    targets = {
        "letters": letters,
        "inverted letters": (255 - letters[0], letters[1], 255 - letters[2], letters[3]),
        "digits": (digits.x_train[some[PICTURES:]][few[1]], digits.y_train[some[PICTURES:]][few[1]],
                   digits.x_test, digits.y_test),
        "photographs": (grey(photos.x_train[few[0]]), photos.y_train[few[0]], grey(photos.x_test), photos.y_test),
        "fonts": (*faces(drawn[:2], asked[:FONTS]), *faces(drawn[2:], asked[:FONTS])),
    }  # fmt: skip

    def shaped(*parts):
        return tuple(p[..., None].astype("float32") if p.ndim == 3 else p.astype("int64") for p in parts)

    return {k: shaped(*v) for k, v in sources.items()}, {k: shaped(*v) for k, v in targets.items()}


def few_of_each(y, count: int, rng):
    """Rows of `count` examples of each class, at random."""
    import numpy as np

    return np.concatenate([rng.permutation(np.flatnonzero(y == c))[:count] for c in np.unique(y)])


def passes(x, steps: int) -> int:
    """How many whole passes come nearest to so many steps, so that smaller sets get as many."""
    return round(steps / -(-len(x) // BATCH))


def source_network(source: str, sources: dict, *, seed: int):
    """The network that the convolutions come from, trained unless it is "untrained"."""
    from tlcourse.methods import layer_transfer, training

    if source == "untrained":
        return layer_transfer.network(31, seed=10 * seed)
    x, y = sources[source]
    model = layer_transfer.network(int(y.max()) + 1, seed=10 * seed)
    training.fit(model, (x, y), epochs=passes(x, SOURCE_STEPS), learning_rate=RATE, batch_size=BATCH, seed=10 * seed)
    return model


def transferred(base, target: tuple, *, frozen: bool, steps: int = TARGET_STEPS, seed: int) -> float:
    """Balanced test accuracy in percent after training on the target's few examples."""
    from tlcourse.methods import fine_tuning, layer_transfer, training

    x, y, x_test, y_test = target
    model = upper = layer_transfer.transfer(base, COPIED, int(y.max()) + 1, frozen=frozen, seed=10 * seed + 1)
    if frozen:  # what is frozen runs once
        lower, upper = fine_tuning.cut(model, layer_transfer.LAYERS - COPIED)
        x, x_test = (lower.predict(part, batch_size=256, verbose=0) for part in (x, x_test))
    training.fit(upper, (x, y), epochs=passes(x, steps), learning_rate=RATE, batch_size=BATCH, seed=10 * seed + 1)
    return training.accuracy(y_test, upper.predict(x_test, batch_size=256, verbose=0))


def scores(base, target: tuple) -> dict[str, float]:
    """What foretells the gain, from the target's training examples alone; `neighbour` in percent.

    `neighbour` simply tries: is an example's nearest neighbour, by the cosine of their features, of its class?
    """
    import keras
    import numpy as np
    from sklearn.preprocessing import normalize

    from tlcourse.methods import transferability
    from tlcourse.methods.distillation import soften

    x, y = target[:2]
    rows = keras.Model(base.input, base.get_layer("flatten").output).predict(x, verbose=0).astype(float)
    alike = normalize(rows) @ normalize(rows).T
    np.fill_diagonal(alike, -1)
    return {
        "leep": transferability.leep(soften(base.predict(x, verbose=0), 1), y),
        "logme": transferability.logme(rows, y),
        "h_score": transferability.h_score(rows, y),
        "h_score_plain": transferability.h_score(rows, y, shrink=False),
        "cka": transferability.cka(rows, np.eye(y.max() + 1)[y]),
        "neighbour": float(100 * (y[alike.argmax(axis=1)] == y).mean()),
    }


def trial(config: dict) -> list[dict]:
    """For each target and treatment the accuracy in percent, with the scores of this source for this target."""
    seed = config["seed"]
    sources, targets = worlds(seed)
    base = source_network(config["source"], sources, seed=seed)
    rows = []
    for name, target in targets.items():
        foretold = scores(base, target)
        for treatment in ("frozen", "fine-tuned"):
            reached = transferred(base, target, frozen=treatment == "frozen", seed=seed)
            rows.append({"target": name, "treatment": treatment, "accuracy": reached, **foretold})
    return rows
