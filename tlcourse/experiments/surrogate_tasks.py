"""Chapter 18: what a network learns without a label, judged by what a probe makes of it with a few.

Each network takes as many steps on the same unlabelled pictures, seen through the same random changes. Only the
question differs: by how many quarter turns is this one turned ("rotation"), or which other picture was made from the
same one ("contrastive"). "lot" sees what "rotation" sees, turned pictures, and is told another turn, drawn by lot: it
lacks nothing but the link of picture and answer. "untrained" keeps its first weights, "imagenet" sees the same small
grey pictures enlarged, and "pixels" are no network.

"scratch" and what begins as "rotation" or "contrastive" train every weight on the few labels themselves.

In "fashion, turned" each picture lies in a turn of its own: nobody can tell how far it was turned on top of that.

Draws 0 and 1 choose the settings, each arm its own, by pictures of the pool ("validation"); the others are judged on.
"""

from collections.abc import Iterator

SETS = {"fashion": (1, 3, 10, 30), "fashion, turned": (10,), "glyphs": (1, 3, 10), "stickers": (1, 3, 10)}  # labels
ARMS = {
    "fashion": ("rotation", "contrastive", "lot", "untrained", "pixels", "imagenet", "scratch",
                "scratch, changed"),
    "fashion, turned": ("rotation", "contrastive", "lot", "untrained"),
    "glyphs": ("rotation", "untrained", "pixels", "imagenet"),
    "stickers": ("rotation", "contrastive", "untrained", "pixels", "imagenet"),
}  # fmt: skip
CONFIGS = [{"pictures": pictures, "task": task} for pictures, tasks in ARMS.items() for task in tasks]
UNLABELLED, VALIDATION, TEST = 6000, 500, 1000  # pictures at most
FONTS = (100, 40, 40)  # that nobody labels, that are labelled from, that test
STEPS, LONGER, BATCH, RATE = 700, 1400, 64, 1e-3  # each of the batch is seen twice
TEMPERATURE, HIDDEN, OUTPUTS, WIDTH = 0.2, 128, 64, 16
LAYERS = ("halve2", "halve3", "pool")  # that a probe may read
TUNED, RATES, TUNING_STEPS, TUNING_BATCH = 10, (1e-3, 3e-3), (200, 400, 800), 32  # every weight: labels a class
MINIATURE = {"config": {"pictures": "fashion", "task": "contrastive"}, "STEPS": 2, "LONGER": 3, "BATCH": 8, "TUNED": 1,
             "SETS": dict.fromkeys(SETS, (1,)), "TUNING_STEPS": (1,), "WIDTH": 4, "VALIDATION": 6}  # fmt: skip


def world(pictures: str, seed: int) -> tuple:
    """Pictures `(n, 28, 28, 1)` in [0, 255]: those without labels, to label from, and to test on.

    Returns:
        `(x, x_pool, y_pool, x_test, y_test)`. No family of fonts, and no sticker's name, is on both sides of
        training and test; of `glyphs` the unlabelled fonts are other families still.
    """
    import numpy as np

    from tlcourse.material import data

    rng = np.random.default_rng([seed, 18])
    if pictures == "glyphs":
        glyphs = data.glyphs()
        parts = data.parts_by_group(glyphs.families, FONTS, seed=seed)
        x, x_pool, x_test = (glyphs.images[fonts].reshape(-1, 28, 28) for fonts in parts)
        y_pool, y_test = (np.tile(np.arange(glyphs.images.shape[1]), len(fonts)) for fonts in parts[1:])
    elif pictures == "stickers":
        splits = [data.stickers(name, size=28, test_fraction=0.3, seed=seed) for name in data.STICKER_DOMAINS]
        x_pool, x_test = (
            np.concatenate([255 - getattr(split, part).mean(axis=-1) for split in splits])
            for part in ("x_train", "x_test")
        )
        y_pool, y_test = (np.concatenate([getattr(s, part) for s in splits]) for part in ("y_train", "y_test"))
        x = x_pool
    else:
        split = data.fashion()
        some, tested = rng.permutation(len(split.x_train))[:UNLABELLED], rng.permutation(len(split.x_test))[:TEST]
        x_pool, y_pool, x_test, y_test = split.x_train, split.y_train, split.x_test[tested], split.y_test[tested]
        x = x_pool[some]
    # x is a part of the pool in fashion and stickers: a picture that is labelled may have been looked at before
    parts = [part[..., None].astype("float32") for part in (x, x_pool, x_test)]
    if pictures == "fashion, turned":
        parts = [turned(part, rng.integers(4, size=len(part))) for part in parts]
    return parts[0], parts[1], y_pool, parts[2], y_test


def turned(x, quarters):
    """Each picture turned by so many quarters, against the clock."""
    import numpy as np

    return np.stack([np.rot90(picture, k) for picture, k in zip(x, quarters, strict=True)])


def changes(seed: int):
    """What every network sees pictures through: moved, tilted, larger or smaller, a part covered, at random."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(seed)
    kept = {"fill_mode": "constant", "fill_value": 0.0}
    return keras.Sequential([
        layers.RandomTranslation(0.12, 0.12, **kept),
        layers.RandomRotation(0.04, **kept),
        layers.RandomZoom((-0.2, 0.2), (-0.2, 0.2), **kept),
        layers.RandomErasing(0.5, scale=(0.05, 0.25), value_range=(0, 255), fill_value=0.0),
    ])  # fmt: skip


def alike(z, temperature: float = TEMPERATURE):
    """The contrastive loss: of all the other pictures, which is made from the same one? Rows i and i + n are."""
    import tensorflow as tf

    z = tf.math.l2_normalize(z, axis=1)
    likeness = tf.matmul(z, z, transpose_b=True) / temperature - 1e9 * tf.eye(len(z))  # nobody is asked for itself
    partner = tf.roll(tf.range(len(z)), len(z) // 2, axis=0)
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(partner, likeness))


def taught(task: str, x, *, until: tuple[int, ...], seed: int) -> Iterator[tuple]:
    """`(steps, network)` each time that so many steps on pictures without labels are done."""
    import keras
    import numpy as np
    import tensorflow as tf

    from tlcourse.material import backbones

    change, rng = changes(seed), np.random.default_rng([seed, 1])
    body = backbones.small_cnn(classes=2, input_size=x.shape[1], channels=1, width=WIDTH)
    hidden = keras.layers.Dense(HIDDEN, activation="relu")(body.get_layer("pool").output)
    network = keras.Model(body.input, keras.layers.Dense(OUTPUTS if task == "contrastive" else 4)(hidden))
    optimizer = keras.optimizers.Adam(RATE)

    @tf.function
    def step(pictures, turns, answers):
        pictures = change(pictures, training=True) * tf.random.uniform((len(pictures), 1, 1, 1), 0.4, 1.0)
        if task != "contrastive":  # the turn comes last, so that no change gives it away
            by = tf.one_hot(turns, 4)[:, :, None, None, None]
            pictures = tf.reduce_sum(by * tf.stack([tf.image.rot90(pictures, k) for k in range(4)], axis=1), axis=1)
        with tf.GradientTape() as tape:
            z = network(pictures, training=True)
            told = alike(z) if task == "contrastive" else tf.nn.sparse_softmax_cross_entropy_with_logits(answers, z)
            loss = tf.reduce_mean(told)
        optimizer.apply(tape.gradient(loss, network.trainable_weights), network.trainable_weights)

    for done in range(1 + max(until)):
        if done in until:
            yield done, network
        rows = np.tile(rng.integers(len(x), size=BATCH), 2)
        turns, lot = rng.integers(4, size=(2, 2 * BATCH))
        answers = tf.constant(lot if task == "lot" else turns, tf.int32)
        step(tf.constant(x[rows]), tf.constant(turns, tf.int32), answers)


def flat(rows):
    """One row of numbers for each picture."""
    return rows.reshape(len(rows), -1)


def readings(task: str, network) -> dict:
    """By layer, a function from pictures to rows of features: what a probe may read."""
    import keras
    import numpy as np

    from tlcourse.material import backbones, features

    if task == "imagenet":
        lite0 = backbones.efficientnet_lite0(input_size=64)
        return {task: lambda x: features.extract(lite0, np.repeat(x, 3, axis=3).astype("uint8"), cache=False)}
    if network is None:
        return {task: flat}
    bodies = {layer: keras.Model(network.input, network.get_layer(layer).output) for layer in LAYERS}
    return {layer: lambda x, body=body: flat(body.predict(x, verbose=0)) for layer, body in bodies.items()}


def probe(z, y):
    """A linear classifier, as strong as suits the few: each is foretold from the others (Golub et al., 1979)."""
    import numpy as np
    from sklearn.linear_model import RidgeClassifierCV

    return RidgeClassifierCV(np.logspace(1, 5, 9)).fit(z, y)


def tuned(base, x, y, rate: float, *, changed: bool, seed: int) -> Iterator[tuple]:
    """As `taught`, of a classifier of which every weight trains on the few; its convolutions begin as `base`'s."""
    import keras
    import numpy as np
    import tensorflow as tf

    from tlcourse.material import backbones

    change, rng = changes(seed + 1), np.random.default_rng([seed, 3])
    network = backbones.small_cnn(classes=int(y.max()) + 1, input_size=x.shape[1], channels=1, width=WIDTH)
    for name in ("conv1", "conv2", "conv3") if base else ():
        network.get_layer(name).set_weights(base.get_layer(name).get_weights())
    optimizer = keras.optimizers.Adam(rate)

    @tf.function
    def step(pictures, answers):
        with tf.GradientTape() as tape:
            z = network(change(pictures, training=True) if changed else pictures, training=True)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(answers, z))
        optimizer.apply(tape.gradient(loss, network.trainable_weights), network.trainable_weights)

    for done in range(1, 1 + max(TUNING_STEPS)):
        rows = rng.integers(len(x), size=TUNING_BATCH)
        step(tf.constant(x[rows]), tf.constant(y[rows], tf.int32))
        if done in TUNING_STEPS:
            yield done, network


def trial(config: dict) -> list[dict]:
    """Balanced accuracy in percent on the test and on other pictures of the pool, by learner, labels and setting.

    `steps` are those of the question for "probe", and those on the few labels for "every weight". Rows with `learner`
    "question" say how often turns are told right on test pictures; "one character" the same for each (k its number).
    """
    import numpy as np
    from sklearn.preprocessing import StandardScaler

    from tlcourse.methods import training

    seed, task, pictures = config["seed"], config["task"], config["pictures"]
    x, x_pool, y_pool, x_test, y_test = world(pictures, seed)
    order = np.random.default_rng([seed, 2]).permutation(len(y_pool))
    few = {k: np.concatenate([order[y_pool[order] == c][:k] for c in np.unique(y_pool)])
           for k in {*SETS[pictures], TUNED}}  # fmt: skip
    held = order[~np.isin(order, few[max(few)])][:VALIDATION]  # of the pool, and labelled for nobody
    rows, judged = [], {"validation": (x_pool[held], y_pool[held]), "accuracy": (x_test[:TEST], y_test[:TEST])}

    def note(learner, k, steps, setting, values):
        rows.append({"learner": learner, "k": k, "steps": steps, "setting": setting, "validation": 0.0, **values})

    def tune(base, changed):
        for rate in RATES:
            for steps, net in tuned(base, x_pool[few[TUNED]], y_pool[few[TUNED]], rate, changed=changed, seed=seed):
                answers = {name: (b, net.predict(a, batch_size=256, verbose=0)) for name, (a, b) in judged.items()}
                scores = {name: training.accuracy(*pair) for name, pair in answers.items()}
                note("every weight", TUNED, steps, f"rate {rate:g}", scores)

    if task.startswith("scratch"):
        tune(None, task.endswith("changed"))
        return rows
    again = pictures == "fashion" and task in ("rotation", "contrastive")
    until = (0,) if task == "untrained" else (STEPS, LONGER) if again else (STEPS,)
    plain = task in ("pixels", "imagenet")
    for steps, network in [(0, None)] if plain else taught(task, x, until=until, seed=seed):
        for layer, read in readings(task, network).items():
            scale = StandardScaler().fit(read(x[:VALIDATION]))  # no label is needed for it
            known = {name: (scale.transform(read(a)), b) for name, (a, b) in judged.items()}
            for k in SETS[pictures]:
                learnt = probe(scale.transform(read(x_pool[few[k]])), y_pool[few[k]])
                scores = {n: training.accuracy(b, learnt.decision_function(z)) for n, (z, b) in known.items()}
                note("probe", k, steps, layer, scores)
        if task == "rotation":
            by = np.random.default_rng([seed, 4]).integers(4, size=len(x_test))
            right = network.predict(turned(x_test, by), batch_size=256, verbose=0).argmax(axis=1) == by
            note("question", 0, steps, "", {"accuracy": 100 * right.mean()})
            for c in np.unique(y_test).tolist() if pictures == "glyphs" else ():
                note("one character", c, steps, "", {"accuracy": 100 * right[y_test == c].mean()})
        if again and steps == STEPS:
            tune(network, changed=True)
    return rows
