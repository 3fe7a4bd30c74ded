"""Chapter 01: what the guide's recipe for fine-tuning costs, against one that keeps the batch-norm statistics.

Eight photographs a class to train on, the rest to test on. Every run starts from the same trained classifier on the
frozen features, thaws the whole network by one of the recipes, and trains on: 8 epochs are 128 steps in batches of 4
and 32 steps in batches of 16; 32 epochs in batches of 16 are 128 steps again.
"""

PLANS = ((4, 8), (16, 8), (16, 32))  # batch size, epochs
CONFIGS = [{"recipe": "probe", "batch_size": 4, "epochs": 8}] + [
    {"recipe": recipe, "batch_size": batch_size, "epochs": epochs}
    for batch_size, epochs in PLANS
    for recipe in ("guide", "frozen statistics")
]
SIZE, PER_CLASS, RATE = 96, 8, 1e-4
MINIATURE = {"config": {"recipe": "frozen statistics", "batch_size": 8, "epochs": 1}, "SIZE": 32, "PER_CLASS": 2}


def trial(config: dict) -> list[dict]:
    """Balanced test accuracy after fine-tuning by the config's recipe, and share of moving statistics kept, in %."""
    import keras
    import numpy as np
    from keras import layers
    from sklearn.metrics import balanced_accuracy_score

    from tlcourse.material import backbones, data
    from tlcourse.methods import freezing, training

    seed, recipe = config["seed"], config["recipe"]
    batch_size, epochs = config["batch_size"], config["epochs"]
    photos = data.stickers("photo", size=SIZE, test_fraction=0)
    x, y = photos.x_train.astype("float32"), photos.y_train
    rng = np.random.default_rng(seed)
    train = np.concatenate([rng.choice(np.flatnonzero(y == label), PER_CLASS, replace=False) for label in range(8)])
    test = np.setdiff1d(np.arange(len(y)), train)

    keras.utils.set_random_seed(seed)
    base = backbones.efficientnet_lite0(input_size=SIZE)
    base.trainable = False
    inputs = keras.Input((SIZE, SIZE, 3))
    model = keras.Model(inputs, layers.Dense(8, name="logits")(base(inputs, training=False)))
    # The probe sees the same features at every step, so it can be trained on them directly.
    head = keras.Sequential([keras.Input((base.output_shape[-1],)), model.get_layer("logits")])
    features = base.predict(x[train], verbose=0)
    training.fit(head, (features, y[train]), epochs=40, learning_rate=1e-2, batch_size=16, seed=seed)
    before = freezing.snapshot(base)
    if recipe != "probe":
        base.trainable = True
        for layer in base.layers:
            if recipe == "frozen statistics" and isinstance(layer, layers.BatchNormalization):
                layer.trainable = False
        training.fit(model, (x[train], y[train]), epochs=epochs, learning_rate=RATE, batch_size=batch_size, seed=seed)
    guessed = model.predict(x[test], verbose=0).argmax(axis=1)
    moving, changed = [path for path in before if "moving" in path], set(freezing.changed(base, before))
    kept = 100 * sum(path not in changed for path in moving) / len(moving)
    return [{"accuracy": 100 * balanced_accuracy_score(y[test], guessed), "kept": kept}]
