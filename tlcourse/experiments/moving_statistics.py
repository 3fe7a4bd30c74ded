"""Chapter 01: which part of a thawed batch normalisation costs accuracy, its moving statistics or its gamma and beta?

Eight pictures of Fashion-MNIST a class to train on, enlarged, and forty others a class to test on. No picture is in two
of the first ten draws, on either side, so these draws are independent. Every run starts from the same trained
classifier on the frozen features, and trains the kernels of the whole network for 160 steps in batches of 4.

What else may move, the recipe says. Gammas and betas are thawed without the statistics by putting a layer that always
normalises with the stored ones in the place of each batch normalisation. Where the statistics moved, the network is
judged once more after they were measured anew: with its final weights, on the training pictures, nothing else changed.
"""

RECIPES = ("probe", "all frozen", "gamma and beta thawed", "statistics moving, too")  # the last one is the guide's
CONFIGS = [{"recipe": recipe} for recipe in RECIPES]
SIZE, PER_CLASS, TEST, RATE, EPOCHS, BATCH = 64, 8, 40, 1e-4, 8, 4
MINIATURE = {"config": {"recipe": "statistics moving, too"}, "SIZE": 32, "PER_CLASS": 2, "TEST": 2, "EPOCHS": 1}


def trial(config: dict) -> list[dict]:
    """Balanced accuracies in percent, of the test and of the training pictures, and the share of statistics kept."""
    import keras

    from tlcourse.material import backbones, data
    from tlcourse.methods import fine_tuning, freezing, training

    recipe, seed = config["recipe"], config["seed"]
    fashion = data.fashion()
    x, y = _share(*fashion.train, PER_CLASS, seed)
    x_test, y_test = _share(*fashion.test, TEST, seed)

    keras.utils.set_random_seed(seed)
    base = with_batch_norm(backbones.efficientnet_lite0(input_size=SIZE), recipe)
    inputs = keras.Input((SIZE, SIZE, 3))
    model = keras.Model(inputs, keras.layers.Dense(10, name="logits")(base(inputs, training=False)))  # as the guide
    # The probe sees the same features at every step, so it can be trained on them directly.
    head = keras.Sequential([keras.Input((base.output_shape[-1],)), model.get_layer("logits")])
    features = base.predict(x, verbose=0)
    training.fit(head, (features, y), epochs=40, learning_rate=1e-2, batch_size=16, seed=seed)
    before = freezing.snapshot(base)
    if recipe != "probe":
        training.fit(model, (x, y), epochs=EPOCHS, learning_rate=RATE, batch_size=BATCH, seed=seed)
    moving, changed = [path for path in before if "moving" in path], set(freezing.changed(base, before))
    kept = 100 * sum(path not in changed for path in moving) / len(moving)

    def judged(statistics):
        accuracy, known = (training.accuracy(b, model.predict(a, verbose=0)) for a, b in ((x_test, y_test), (x, y)))
        return {"statistics": statistics, "accuracy": accuracy, "train_accuracy": known, "kept": kept}

    rows = [judged("as they are")]
    if recipe == RECIPES[-1]:
        for layer in base.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = 0.9  # or it would take hundreds of steps to forget the old ones
        fine_tuning.refresh_statistics(base, x, batch_size=BATCH)
        rows.append(judged("measured anew"))
    return rows


def with_batch_norm(base, recipe: str):
    """The backbone, its kernels trainable, and of batch normalisation what the recipe says."""
    import keras

    class Stored(keras.layers.BatchNormalization):
        """Learns gamma and beta, and always normalises with the stored statistics."""

        def call(self, inputs, training=None, mask=None):
            return super().call(inputs, training=False, mask=mask)

    def replaced(layer):
        kind = Stored if isinstance(layer, keras.layers.BatchNormalization) else type(layer)
        return kind.from_config(layer.get_config())

    if recipe == "gamma and beta thawed":
        trained, base = base, keras.models.clone_model(base, clone_function=replaced)
        base.set_weights(trained.get_weights())
    base.trainable = recipe != "probe"
    for layer in base.layers:
        if recipe == "all frozen" and isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
    return base


def _share(x, y, each: int, seed: int):
    """So many pictures of each class that no other draw has, as long as there are some, in three channels and mixed."""
    import numpy as np
    import tensorflow as tf

    rows = []
    for label in np.unique(y):
        members = np.random.default_rng(0).permutation(np.flatnonzero(y == label))
        start = each * (seed % (len(members) // each))
        rows.append(members[start : start + each])
    rows = np.random.default_rng(seed).permutation(np.concatenate(rows))  # else a batch would be of one class
    enlarged = tf.image.resize(x[rows][..., None], (SIZE, SIZE), "bicubic").numpy()
    return np.repeat(np.clip(enlarged, 0, 255), 3, axis=3), y[rows]
