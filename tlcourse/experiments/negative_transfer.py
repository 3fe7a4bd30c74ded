"""Chapter 19: sources from near to far for ten targets, all small grey pictures: which help, harm, and foretell it?

A source network (that of chapter 06) is trained on 620 pictures; its six convolutions are copied, two dense layers are
new, and the target has a few examples of each class. What was copied is frozen; for some targets it is fine-tuned with
the rest, too. "untrained", fine-tuned, is plain training from scratch; better ones are in `negative_transfer_recipes`.

"noise features" is no network: its features and answers are drawn at random for each example, so that a score which
promises much of them is fooled. It answers at chance, which is the accuracy that stands in its rows.
"""

DRAWN = {"clip art": "clipart", "Noto": "noto", "Twemoji": "twemoji", "OpenMoji": "openmoji"}
SOURCES = ("same fonts", "letters", "mirrored", "upside down", "inverted", "other scripts", "digits", "pictograms",
           *DRAWN, "fonts", "random labels", "shuffled pixels", "noise", "untrained")  # fmt: skip
TARGETS = ("letters", "inverted letters", "mirrored letters", "scripts", "writing systems", "digits", "optdigits",
           "fashion", "photographs", "fonts")  # fmt: skip
TUNED = ("letters", "digits", "photographs", "fonts")  # takes longest
CONFIGS = [{"source": source} for source in (*SOURCES, "noise features")]
PICTURES, SOURCE_STEPS, COPIED = 620, 300, 6
RATE, BATCH, TARGET_STEPS = 1e-3, 31, 160
CLASSES = 31  # letters, and fonts in both font questions, other ones in each
FEATURES, SHARPNESS = 576, 6  # of noise: as many features, and logits of such a spread, as a trained network's are
MINIATURE = {"config": {"source": "letters"}, "SOURCE_STEPS": 1, "BATCH": 8, "TARGET_STEPS": 1}


def grey(x):
    """RGB pictures as grey ones, bright on black like the others."""
    return 255 - x.astype("float32").mean(axis=-1)


def worlds(seed: int) -> tuple[dict, dict]:
    """Sources as `(x, y)`, targets as `(x, y, x_test, y_test)`, with x `(n, 28, 28, 1)` in [0, 255].

    A source and a target never share a picture, nor a family of fonts, nor a writing system; but for the source "same
    fonts": there the two fonts that the target's examples are drawn in are among the twenty. Letters are tested in
    families that nobody has learnt from. Those of source and target are two halves of the 62 characters. The four sets
    of drawn stickers are sources one by one (189 to 243 pictures), and mixed, as "pictograms".
    """
    import numpy as np

    from tlcourse.material import data
    from tlcourse.methods import layer_transfer

    rng = np.random.default_rng(seed)
    glyphs = data.glyphs()
    images = glyphs.images.astype("float32")  # (fonts, characters, 28, 28)
    near, target = layer_transfer.halves(images.shape[1], seed=seed)
    parts = data.parts_by_group(glyphs.families, (20, 2, 100, CLASSES, CLASSES), seed=seed)
    to_source, to_target, to_test, named, asked = parts
    drawn = rng.permutation(images.shape[1])

    def characters(chosen, fonts):
        return images[fonts][:, chosen].reshape(-1, 28, 28), np.tile(np.arange(len(chosen)), len(fonts))

    def faces(chosen, fonts):
        return images[fonts][:, chosen].reshape(-1, 28, 28), np.repeat(np.arange(len(fonts)), len(chosen))

    x, y = characters(near, to_source)
    digits = data.digits("mnist")
    some = rng.permutation(len(digits.x_train))
    ours, theirs = some[:PICTURES], some[PICTURES:]
    sets = {name: data.stickers(domain, size=28, test_fraction=0) for name, domain in DRAWN.items()}
    sets = {name: (grey(drawings.x_train), drawings.y_train) for name, drawings in sets.items()}
    mixed = [np.concatenate(part) for part in zip(*sets.values(), strict=True)]
    chosen = rng.permutation(len(mixed[1]))[:PICTURES]
    foreign, scripts, systems = foreign_letters(seed)
    sources = {
        "same fonts": characters(near, np.concatenate([to_target, to_source[2:]])),
        "letters": (x, y),
        "mirrored": (x[:, :, ::-1], y),
        "upside down": (x[:, ::-1], y),
        "inverted": (255 - x, y),
        "other scripts": foreign,
        "digits": (digits.x_train[ours], digits.y_train[ours]),
        "pictograms": (mixed[0][chosen], mixed[1][chosen]),
        **sets,
        "fonts": faces(drawn[:20], named),
        "random labels": (x, rng.permutation(y)),
        "shuffled pixels": (x.reshape(-1, 784)[:, rng.permutation(784)].reshape(-1, 28, 28), y),
        "noise": (rng.uniform(0, 255, x.shape), y),
    }
    photos = data.stickers("photo", size=28, test_fraction=0.5, seed=seed)
    optdigits, fashion = data.digits("optdigits"), data.fashion()
    letters = (*characters(target, to_target), *characters(target, to_test))
    targets = {
        "letters": letters,
        "inverted letters": (255 - letters[0], letters[1], 255 - letters[2], letters[3]),
        "mirrored letters": (letters[0][:, :, ::-1], letters[1], letters[2][:, :, ::-1], letters[3]),
        "scripts": scripts,
        "writing systems": systems,
        "digits": few_of(digits.x_train[theirs], digits.y_train[theirs], *digits.test, rng=rng),
        "optdigits": few_of(*optdigits.train, *optdigits.test, rng=rng),
        "fashion": few_of(*fashion.train, *fashion.test, rng=rng),
        "photographs": few_of(grey(photos.x_train), photos.y_train, grey(photos.x_test), photos.y_test, 8, rng=rng),
        "fonts": (*faces(drawn[:2], asked), *faces(drawn[2:], asked)),
    }

    def shaped(*parts):
        return tuple(p[..., None].astype("float32") if p.ndim == 3 else p.astype("int64") for p in parts)

    return {k: shaped(*v) for k, v in sources.items()}, {k: shaped(*v) for k, v in targets.items()}


def foreign_letters(seed: int) -> tuple[tuple, tuple, tuple]:
    """A source, letters of systems that are not Latin, and two targets, of other systems: which letter, which system?

    The first target has two drawings of one face to learn from, and other faces to test on; the second has four letters
    of each of ten systems, and their other letters.
    """
    import numpy as np

    from tlcourse.material import data

    scripts = data.scripts()
    rng, several = np.random.default_rng([seed, 2]), np.flatnonzero(scripts.faces.max(axis=1) > 0)
    images, faces, systems = scripts.images[several], scripts.faces[several], np.array(scripts.systems)[several]
    learnt, asked = data.parts_by_group(systems, (CLASSES, CLASSES), seed=seed)
    source = images[learnt].reshape(-1, 28, 28), np.repeat(np.arange(CLASSES), images.shape[1])
    is_first = faces[asked] == 0
    few = is_first & (is_first.cumsum(axis=1) <= 2)
    which = np.arange(CLASSES)[:, None].repeat(images.shape[1], axis=1)
    letters = images[asked][few], which[few], images[asked][~is_first], which[~is_first]
    named = rng.permutation(np.setdiff1d(systems, systems[learnt]))[:10]
    rows = np.stack([rng.permutation(np.flatnonzero(systems == system)) for system in named])
    x, x_test = images[rows[:, :4], 0].reshape(-1, 28, 28), images[rows[:, 4:], :5].reshape(-1, 28, 28)
    question = x, np.repeat(np.arange(10), 4), x_test, np.repeat(np.arange(10), len(x_test) // 10)
    return source, letters, question


def few_of(x, y, x_test, y_test, count: int = 4, *, rng) -> tuple:
    """`count` examples of each class to learn from, and at most a hundred of each to test on."""
    few, tested = few_of_each(y, count, rng), few_of_each(y_test, 100, rng)
    return x[few], y[few], x_test[tested], y_test[tested]


def few_of_each(y, count: int, rng):
    """Rows of `count` examples of each class, at random."""
    import numpy as np

    return np.concatenate([rng.permutation(np.flatnonzero(y == c))[:count] for c in np.unique(y)])


def passes(x, steps: int) -> int:
    """How many whole passes come nearest to so many steps, so that smaller sets get as many."""
    return max(1, round(steps / -(-len(x) // BATCH)))


def source_network(source: str, sources: dict, *, seed: int):
    """The network that the convolutions come from, trained unless it is "untrained"."""
    from tlcourse.methods import layer_transfer, training

    if source == "untrained":
        return layer_transfer.network(CLASSES, seed=10 * seed)
    x, y = sources[source]
    model = layer_transfer.network(int(y.max()) + 1, seed=10 * seed)
    training.fit(model, (x, y), epochs=passes(x, SOURCE_STEPS), learning_rate=RATE, batch_size=BATCH, seed=10 * seed)
    return model


def transferred(
    base, target: tuple, *, frozen: bool, copied: int = COPIED, steps: int | None = None, seed: int
) -> float:
    """Balanced test accuracy in percent after training on the target's few examples, with `copied` layers of `base`."""
    from tlcourse.methods import fine_tuning, layer_transfer, training

    x, y, x_test, y_test = target
    model = upper = layer_transfer.transfer(base, copied, int(y.max()) + 1, frozen=frozen, seed=10 * seed + 1)
    if frozen:  # what is frozen runs once
        lower, upper = fine_tuning.cut(model, layer_transfer.LAYERS - copied)
        x, x_test = (lower.predict(part, batch_size=256, verbose=0) for part in (x, x_test))
    epochs = passes(x, steps or TARGET_STEPS)
    training.fit(upper, (x, y), epochs=epochs, learning_rate=RATE, batch_size=BATCH, seed=10 * seed + 1)
    return training.accuracy(y_test, upper.predict(x_test, batch_size=256, verbose=0))


def scores(features, logits, y) -> dict[str, float]:
    """What foretells the gain, from the target's training examples alone; `neighbour` in percent.

    `neighbour` simply tries: is an example's nearest neighbour, by the cosine of their features, of its class?
    """
    import numpy as np
    from sklearn.preprocessing import normalize

    from tlcourse.methods import transferability
    from tlcourse.methods.distillation import soften

    alike = normalize(features) @ normalize(features).T
    np.fill_diagonal(alike, -1)
    one_hot = np.eye(y.max() + 1)[y]
    return {
        "leep": transferability.leep(soften(logits, 1), y),
        "logme": transferability.logme(features, y),
        "h_score": transferability.h_score(features, y),
        "cka": transferability.cka(features, one_hot),
        "cka_biased": transferability.cka(features, one_hot, debias=False),
        "neighbour": float(100 * (y[alike.argmax(axis=1)] == y).mean()),
    }


def looked_at(base, x) -> tuple:
    """A network's features of pictures, those that its last two layers see, and its logits."""
    import keras

    features, logits = keras.Model(base.input, [base.get_layer("flatten").output, base.output]).predict(x, verbose=0)
    return features.astype(float), logits


def trial(config: dict) -> list[dict]:
    """For each target and treatment the accuracy in percent, with the scores of this source for this target."""
    import numpy as np

    seed, source = config["seed"], config["source"]
    sources, targets = worlds(seed)
    if source == "noise features":
        rng, rows = np.random.default_rng([seed, 3]), []
        for name, (x, y, *_) in targets.items():
            features, logits = rng.normal(size=(len(x), FEATURES)), SHARPNESS * rng.normal(size=(len(x), CLASSES))
            chance = 100 / (y.max() + 1)
            rows.append({"target": name, "treatment": "none", "accuracy": chance, **scores(features, logits, y)})
        return rows
    base = source_network(source, sources, seed=seed)
    rows = []
    for name, target in targets.items():
        foretold = scores(*looked_at(base, target[0]), target[1])
        tuned = name in TUNED or source == "untrained"
        for treatment in ("frozen", "fine-tuned") if tuned else ("frozen",):
            reached = transferred(base, target, frozen=treatment == "frozen", seed=seed)
            rows.append({"target": name, "treatment": treatment, "accuracy": reached, **foretold})
    return rows
