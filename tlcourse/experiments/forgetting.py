"""Chapter 04: what a network that learnt the stickers' eight classes loses of them while it is tuned to letters.

The stickers are those of all five domains, photographs and drawings, and a thing that one of them shows is on one side
of the split in all. The old head is kept aside, and never trained. At some steps the stickers are classified by it and
by a new probe on the features as they are then: the first needs features that stay where they were, the second only
features that still tell the classes apart.
"""

CONFIGS = [{"top": 5, "rate": 3e-4}, {"top": 10, "rate": 3e-4}, {"top": 10, "rate": 3e-5}]
SIZE, SHOTS, TEST, BATCH, EPOCHS, LOOK = 96, 16, 30, 16, 15, (1, 4, 15)  # an epoch is 8 steps
MINIATURE = {"config": {"top": 5, "rate": 3e-4}, "SIZE": 32, "SHOTS": 2, "TEST": 2, "EPOCHS": 1, "LOOK": (1,)}


def trial(config: dict) -> list[dict]:
    """Balanced test accuracies in percent: on letters, and on stickers by the old head and by a new probe."""
    import keras
    import numpy as np
    import tensorflow as tf
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import balanced_accuracy_score

    from tlcourse.experiments import samples
    from tlcourse.material import backbones
    from tlcourse.methods import fine_tuning, freezing, training

    seed = config["seed"]
    things, kinds, things_test, kinds_test = samples.things(seed)
    x, y, x_test, y_test = samples.letters(seed)
    eight = np.random.default_rng(seed).permutation(int(y.max()) + 1)[:8]
    x = np.concatenate([x[y == letter][:SHOTS] for letter in eight])
    x_test = np.concatenate([x_test[y_test == letter][:TEST] for letter in eight])
    y, y_test = np.repeat(np.arange(8), SHOTS), np.repeat(np.arange(8), len(x_test) // 8)
    x, x_test = (tf.image.resize(part, (SIZE, SIZE)).numpy() for part in (x, x_test))

    keras.utils.set_random_seed(seed)
    model = backbones.efficientnet_lite0(classes=8, input_size=SIZE)
    backbone = keras.Model(model.input, model.get_layer("pool").output)

    def pooled(pictures):
        return backbone.predict(pictures.astype("float32"), batch_size=64, verbose=0)

    old = LogisticRegression(C=0.1, max_iter=2000).fit(pooled(things), kinds)
    fine_tuning.put_probe(model, pooled(x), y)
    freezing.thaw(model, config["top"])
    rows = []

    def look(epoch, logs=None):
        if epoch + 1 not in (0, *LOOK):
            return
        asked = pooled(things_test)
        new = LogisticRegression(C=0.1, max_iter=2000).fit(pooled(things), kinds)
        kernel, bias = model.get_layer("logits").get_weights()
        guessed = {
            "letters": (y_test, np.argmax(pooled(x_test) @ kernel + bias, axis=1)),
            "old head": (kinds_test, old.predict(asked)),
            "new probe": (kinds_test, new.predict(asked)),
        }
        steps = (epoch + 1) * len(x) // BATCH
        rows.extend(
            {"steps": steps, "judged": name, "accuracy": 100 * balanced_accuracy_score(*pair)}
            for name, pair in guessed.items()
        )

    look(-1)
    watch = keras.callbacks.LambdaCallback(on_epoch_end=look)
    training.fit(model, (x, y), epochs=EPOCHS, learning_rate=config["rate"], batch_size=BATCH, seed=seed,
                 callbacks=[watch])  # fmt: skip
    return rows
