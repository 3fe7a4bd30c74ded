"""Chapter 18: what a network learns without a label, judged by what a probe makes of it with a few.

Each network learns from the same unlabelled pictures in as many steps, seen through the same random changes, as many
pictures a step. Only the question differs: by how many quarter turns is this one turned ("rotation"), which other
picture was made from the same one ("contrastive"), or which of four labels was drawn for it by lot ("lot", the control
that has everything but a question worth answering). "labels" is told the truth: a ceiling. Of "untrained" the first
weights are kept, "imagenet" sees the same small grey pictures enlarged, and "pixels" are no network.

"scratch" and "fine-tuned" train every weight on the few labels themselves, through the same changes or without.

In "fashion, turned" each picture lies in a quarter turn of its own, as things do that are seen from above: nobody can
tell any more by how much it was turned on top of that.
"""

SETS = {"fashion": (1, 3, 10, 30), "fashion, turned": (1, 3, 10, 30), "glyphs": (1, 3, 10), "stickers": (1, 3, 10)}
TASKS = ("rotation", "contrastive", "lot", "labels")  # that take steps
CONFIGS = [
    *({"pictures": each, "task": task, "longer": 1} for each in SETS for task in (*TASKS, "untrained", "pixels")),
    *({"pictures": each, "task": "imagenet", "longer": 1} for each in SETS if each != "fashion, turned"),
    *({"pictures": each, "task": task, "longer": 1} for each in SETS for task in ("scratch", "scratch, changed")),
    *({"pictures": "fashion", "task": task, "longer": 3} for task in ("rotation", "contrastive")),
]
UNLABELLED, TEST = 6000, 2000  # pictures at most
FONTS, DIGITS = (100, 60, 60), 4  # that nobody labels, that are labelled from, that test; and the kinds of a lot
STEPS, BATCH, RATE = 400, 64, 1e-3  # each of the batch is seen twice
TEMPERATURE, HIDDEN, OUTPUTS, WIDTH = 0.2, 128, 64, 24
LAYER, C = "halve2", 0.1  # of the probe: for every network alike, best on a draw that is not recorded
TUNED, TUNING_STEPS, TUNING_BATCH, TUNING_RATE = ("rotation", "contrastive"), 400, 32, 1e-3
MINIATURE = {"config": {"pictures": "fashion", "task": "contrastive", "longer": 1}, "STEPS": 2, "BATCH": 8,
             "SETS": dict.fromkeys(SETS, (1,)), "TUNING_STEPS": 1, "WIDTH": 4}  # fmt: skip


def world(pictures: str, seed: int) -> tuple:
    """Pictures `(n, 28, 28, 1)` in [0, 255]: those without labels (their labels last), to label from, and to test on.

    Returns:
        `(x, x_pool, y_pool, x_test, y_test, y)`. No family of fonts, and no sticker's name, is on both sides of
        training and test; of `glyphs` the unlabelled fonts are other families still. `y` is for "labels" alone.
    """
    import numpy as np

    from tlcourse.material import data

    rng = np.random.default_rng([seed, 18])
    if pictures == "glyphs":
        glyphs = data.glyphs()
        parts = data.parts_by_group(glyphs.families, FONTS, seed=seed)
        x, x_pool, x_test = (glyphs.images[fonts].reshape(-1, 28, 28) for fonts in parts)
        y, y_pool, y_test = (np.tile(np.arange(glyphs.images.shape[1]), len(fonts)) for fonts in parts)
    elif pictures == "stickers":
        splits = [data.stickers(name, size=28, test_fraction=0.3, seed=seed) for name in data.STICKER_DOMAINS]
        grey = [np.concatenate([255 - s.x_train.mean(axis=-1) for s in splits]),
                np.concatenate([255 - s.x_test.mean(axis=-1) for s in splits])]  # fmt: skip
        x_pool, x_test = grey
        y_pool, y_test = (np.concatenate([getattr(s, part) for s in splits]) for part in ("y_train", "y_test"))
        x, y = x_pool, y_pool
    else:
        split = data.fashion()
        x_pool, y_pool = split.x_train, split.y_train
        some = rng.permutation(len(x_pool))[:UNLABELLED]
        x, y = x_pool[some], y_pool[some]
        tested = rng.permutation(len(split.x_test))[:TEST]
        x_test, y_test = split.x_test[tested], split.y_test[tested]
    # x is a part of the pool in fashion and stickers: a picture that is labelled may have been looked at before
    parts = [part[..., None].astype("float32") for part in (x, x_pool, x_test)]
    if pictures == "fashion, turned":
        order = [rng.integers(4, size=len(part)) for part in parts]
        parts = [turned(part, by) for part, by in zip(parts, order, strict=True)]
    return parts[0], parts[1], y_pool, parts[2], y_test, y


def turned(x, quarters):
    """Each picture turned by so many quarters, against the clock."""
    import numpy as np

    return np.stack([np.rot90(picture, k) for picture, k in zip(x, quarters, strict=True)])


def changes(seed: int):
    """What every network sees pictures through: moved, tilted, larger or smaller, darker, a part covered, at random."""
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


def alike(z):
    """The contrastive loss: of all the other pictures, which is made from the same one? Rows i and i + n are."""
    import tensorflow as tf

    z = tf.math.l2_normalize(z, axis=1)
    likeness = tf.matmul(z, z, transpose_b=True) / TEMPERATURE - 1e9 * tf.eye(len(z))  # nobody is asked for itself
    partner = tf.roll(tf.range(len(z)), len(z) // 2, axis=0)
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(partner, likeness))


def taught(task: str, x, y, *, steps: int, seed: int):
    """A network after `steps` on pictures without labels; y is read by "labels" alone."""
    import keras
    import numpy as np
    import tensorflow as tf

    from tlcourse.material import backbones

    outputs = {"rotation": 4, "lot": DIGITS, "contrastive": OUTPUTS}.get(task) or int(y.max()) + 1
    change, rng = changes(seed), np.random.default_rng([seed, 1])
    body = backbones.small_cnn(classes=2, input_size=x.shape[1], channels=1, width=WIDTH)
    hidden = keras.layers.Dense(HIDDEN, activation="relu")(body.get_layer("pool").output)
    network = keras.Model(body.input, keras.layers.Dense(outputs)(hidden))
    optimizer = keras.optimizers.Adam(RATE)
    lot = rng.integers(DIGITS, size=len(x))

    @tf.function
    def step(pictures, answers):
        pictures = change(pictures, training=True) * tf.random.uniform((len(pictures), 1, 1, 1), 0.4, 1.0)
        if task == "rotation":  # the turn comes last, so that no change gives it away
            by = tf.one_hot(answers, 4)[:, :, None, None, None]
            quarters = tf.stack([tf.image.rot90(pictures, k) for k in range(4)], axis=1)
            pictures = tf.reduce_sum(by * quarters, axis=1)
        with tf.GradientTape() as tape:
            z = network(pictures, training=True)
            told = tf.nn.sparse_softmax_cross_entropy_with_logits(answers, z) if task != "contrastive" else alike(z)
            loss = tf.reduce_mean(told)
        optimizer.apply(tape.gradient(loss, network.trainable_weights), network.trainable_weights)
        return loss

    for _ in range(steps):
        rows = np.tile(rng.integers(len(x), size=BATCH), 2)
        answers = {"rotation": rng.integers(4, size=2 * BATCH), "lot": lot[rows], "labels": y[rows]}.get(task, rows)
        step(tf.constant(x[rows]), tf.constant(answers, tf.int32))
    return network


def features_of(network, x):
    """What the second convolution says of 7 × 7 places, flat."""
    import keras

    body = keras.Model(network.input, network.get_layer(LAYER).output)
    return body.predict(x, batch_size=256, verbose=0).reshape(len(x), -1)


def imagenet(x):
    """Features of the same small grey pictures, enlarged."""
    import numpy as np

    from tlcourse.material import backbones, features

    return features.extract(backbones.efficientnet_lite0(input_size=96), np.repeat(x, 3, axis=3).astype("uint8"))


def few_of(y, k: int, seed: int):
    """Rows of k examples of each class; those of a larger k hold those of a smaller one."""
    import numpy as np

    order = np.random.default_rng([seed, 2]).permutation(len(y))
    return np.concatenate([order[y[order] == c][:k] for c in np.unique(y)])


def tuned(base, x, y, *, changed: bool, seed: int):
    """A classifier of which every weight trains on the few examples; its convolutions begin as `base`'s, if any."""
    import keras
    import numpy as np
    import tensorflow as tf

    from tlcourse.material import backbones

    change, rng = changes(seed + 1), np.random.default_rng([seed, 3])
    network = backbones.small_cnn(classes=int(y.max()) + 1, input_size=x.shape[1], channels=1, width=WIDTH)
    for name in ("conv1", "conv2", "conv3") if base else ():
        network.get_layer(name).set_weights(base.get_layer(name).get_weights())
    optimizer = keras.optimizers.Adam(TUNING_RATE)

    @tf.function
    def step(pictures, answers):
        with tf.GradientTape() as tape:
            z = network(change(pictures, training=True) if changed else pictures, training=True)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(answers, z))
        optimizer.apply(tape.gradient(loss, network.trainable_weights), network.trainable_weights)

    for _ in range(TUNING_STEPS):
        rows = rng.integers(len(x), size=TUNING_BATCH)
        step(tf.constant(x[rows]), tf.constant(y[rows], tf.int32))
    return network


def trial(config: dict) -> list[dict]:
    """Balanced test accuracy in percent by learner and number of labels a class; and how the clusters agree.

    The rows with `learner` "clusters" have the adjusted Rand index in percent, those with "question" how often the
    network answers its own question right on test pictures.
    """
    import numpy as np
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import adjusted_rand_score
    from sklearn.preprocessing import StandardScaler

    from tlcourse.methods import training

    seed, task = config["seed"], config["task"]
    x, x_pool, y_pool, x_test, y_test, y = world(config["pictures"], seed)
    few = {k: few_of(y_pool, k, seed) for k in SETS[config["pictures"]]}
    rows = []

    def score(learner, k, logits):
        rows.append({"learner": learner, "k": k, "accuracy": training.accuracy(y_test, logits)})

    if task.startswith("scratch"):
        for k, chosen in few.items():
            net = tuned(None, x_pool[chosen], y_pool[chosen], changed=task.endswith("changed"), seed=seed)
            score("every weight", k, net.predict(x_test, batch_size=256, verbose=0))
        return rows
    network = None
    if task not in ("pixels", "imagenet"):
        steps = 0 if task == "untrained" else STEPS * config["longer"]
        network = taught(task, x, y, steps=steps, seed=seed)
    read = {"pixels": lambda part: part.reshape(len(part), -1), "imagenet": imagenet}
    read = read.get(task) or (lambda part: features_of(network, part))
    most = few[max(few)]
    scale = StandardScaler().fit(read(x[: len(most)]))  # no label is needed for it
    x_few, z_test = scale.transform(read(x_pool[most])), scale.transform(read(x_test))
    for k, chosen in few.items():
        z = x_few[np.isin(most, chosen)]
        probe = LogisticRegression(C=C, max_iter=500)
        probe.fit(z, y_pool[most[np.isin(most, chosen)]])
        score("probe", k, probe.predict_proba(z_test))
    turn = PCA(min(50, *z_test.shape), random_state=0).fit_transform(z_test)
    found = KMeans(int(y_test.max()) + 1, n_init=3, random_state=seed).fit_predict(turn)
    rows.append({"learner": "clusters", "k": 0, "accuracy": 100 * adjusted_rand_score(y_test, found)})
    if task == "rotation":
        by = np.random.default_rng([seed, 4]).integers(4, size=len(x_test))
        answers = network.predict(turned(x_test, by), batch_size=256, verbose=0)
        rows.append({"learner": "question", "k": 0, "accuracy": training.accuracy(by, answers)})
        if config["pictures"] == "glyphs":  # each character by itself; k is its number
            right = answers.argmax(axis=1) == by
            rows += [{"learner": "one character", "k": c, "accuracy": 100 * right[y_test == c].mean()}
                     for c in np.unique(y_test).tolist()]  # fmt: skip
    if task in TUNED:
        for k, chosen in few.items():
            net = tuned(network, x_pool[chosen], y_pool[chosen], changed=True, seed=seed)
            score("every weight", k, net.predict(x_test, batch_size=256, verbose=0))
    return rows
