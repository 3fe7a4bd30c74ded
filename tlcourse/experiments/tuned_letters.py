"""Chapters 04 and 05: the questions of `freeze_depth` where thousands of pictures answer: 26 letters, six of each.

Black on white, as in `samples`: 100 fonts to learn from and to validate on, 100 of other families to test on, drawn
anew each time. The head starts as a probe unless it is random, and batch norm stays frozen. "features" does not train
the network: a linear SVM reads one of its blocks, and there is a row for each block and scaling.

Recorded are as many draws as the claims need: 30 of the features and of five or ten blocks at one rate, 18 of rates by
block, 12 of random heads, and 6 of what serves only for comparison.
"""

RATE, EPOCHS, BATCH = 3e-4, 12, 13
TUNED = {"start": "probe", "top": 10, "rate": RATE, "decay": 1.0, "epochs": EPOCHS}
CONFIGS = [
    *(TUNED | {"top": top} for top in (3, 5, 10)),
    *(TUNED | {"rate": rate} for rate in (1e-4, 1e-3)),
    *(TUNED | {"rate": rate, "decay": decay} for rate, decay in ((1e-3, 0.5), (1e-3, 0.7), (3e-4, 0.8))),
    *(TUNED | {"start": "random head", "rate": rate} for rate in (1e-4, 3e-4)),
    *(TUNED | {"start": "random head", "rate": rate, "epochs": 2 * EPOCHS} for rate in (1e-4, 3e-4)),
    TUNED | {"start": "features", "top": 0},
]
SHOTS, CHECKED = 6, 4  # letters of each kind to learn from and to validate on
MINIATURE = {"config": TUNED | {"top": 3, "epochs": 2}, "SHOTS": 2, "CHECKED": 2}


def trial(config: dict) -> list[dict]:
    """Balanced accuracies in percent and losses: at the end, and where the validation loss was lowest ("stopped")."""
    import numpy as np

    from tlcourse.experiments import samples

    seed = config["seed"]
    x, y, x_test, y_test = samples.letters(seed)
    rng = np.random.default_rng(seed)
    shuffled = [rng.permutation(np.flatnonzero(y == label)) for label in range(y.max() + 1)]
    train = np.concatenate([rows[:SHOTS] for rows in shuffled])
    validation = np.concatenate([rows[SHOTS : SHOTS + CHECKED] for rows in shuffled])
    x = np.concatenate([x[train], x[validation], x_test]).astype("float32")
    y = np.concatenate([y[train], y[validation], y_test])
    parts = np.split(np.arange(len(x)), [len(train), len(train) + len(validation)])
    return _read(x, y, *parts) if config["start"] == "features" else _trained(config, x, y, *parts)


def _read(x, y, train, validation, test) -> list[dict]:
    from sklearn.metrics import balanced_accuracy_score

    from tlcourse.experiments import samples

    blocks, answers = samples.by_reading(x, y[train])
    rows = []
    for setting in ((block, *scaled) for block in blocks for scaled in samples.SCALED):
        row = {"moment": " ".join(map(str, setting))}
        for name, part in (("validation", validation), ("test", test)):
            row[f"{name}_accuracy"] = 100 * balanced_accuracy_score(y[part], answers(setting, train, part))
        rows.append({**row, **dict.fromkeys(("epoch", "validation_loss", "train_loss"), float("nan"))})
    return rows


def _trained(config: dict, x, y, train, validation, test) -> list[dict]:
    import keras

    from tlcourse.material import backbones
    from tlcourse.methods import fine_tuning, freezing, training

    keras.utils.set_random_seed(config["seed"])
    model = backbones.efficientnet_lite0(classes=int(y.max()) + 1, input_size=x.shape[1])
    if config["start"] == "probe":
        backbone = keras.Model(model.input, model.get_layer("pool").output)
        fine_tuning.put_probe(model, backbone.predict(x[train], verbose=0), y[train])
    freezing.thaw(model, config["top"])
    lower, upper = fine_tuning.cut(model, config["top"])
    x = lower.predict(x, batch_size=64, verbose=0)
    lowest = {"loss": float("inf")}

    def keep(epoch, logs):
        if logs["val_loss"] < lowest["loss"]:
            lowest.update(loss=logs["val_loss"], weights=upper.get_weights())

    rate, decay = config["rate"], config["decay"]
    history = training.fit(
        upper,
        (x[train], y[train]),
        (x[validation], y[validation]),
        epochs=config["epochs"],
        learning_rate=rate if decay == 1 else fine_tuning.by_block(model, rate, decay=decay),
        batch_size=BATCH,
        seed=config["seed"],
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=keep)],
    )
    losses = history.pivot(index="epoch", columns="split", values="loss")
    rows = []
    for moment, epoch in (("end", config["epochs"]), ("stopped", losses["validation"].idxmin())):
        if moment == "stopped":
            upper.set_weights(lowest["weights"])
        row = {"moment": moment, "epoch": epoch, "validation_loss": losses["validation"][epoch]}
        for name, part in (("validation", validation), ("test", test)):
            logits = upper.predict(x[part], batch_size=64, verbose=0)
            row[f"{name}_accuracy"] = training.accuracy(y[part], logits)
        rows.append({**row, "train_loss": losses["train"][epoch]})
    return rows
