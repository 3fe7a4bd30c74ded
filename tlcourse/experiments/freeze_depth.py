"""Chapters 04 and 05: how much of the network to thaw on 96 photographs, at which rate, and from which start.

Half of the photographs train, a fifth validate, the rest test. The head starts as a probe unless it is random; batch
norm stays frozen except from scratch, where there are no statistics worth keeping: they are measured anew after the
training, for they lag behind the weights. Each row is an epoch; from scratch there is only the last.
"""

import time

DEPTHS, RATE = (1, 2, 3, 4, 6, 8, 10), 1e-4
CONFIGS = [
    *({"start": "probe", "top": top, "rate": RATE, "decay": 1.0} for top in DEPTHS),
    *({"start": "probe", "top": top, "rate": rate, "decay": 1.0} for top in (4, 10) for rate in (3e-5, 3e-4)),
    {"start": "probe", "top": 10, "rate": 3e-4, "decay": 0.5},
    {"start": "random head", "top": 10, "rate": RATE, "decay": 1.0},
    {"start": "scratch", "top": 10, "rate": 1e-3, "decay": 1.0},
]
CLOCKED = ("seconds", "cpu_seconds")
SIZE, EPOCHS, BATCH = 96, 12, 16
VALIDATION, TEST = 38, 56
MINIATURE = {"config": {"start": "probe", "top": 4, "rate": RATE, "decay": 1.0}, "SIZE": 32, "EPOCHS": 2,
             "VALIDATION": 16, "TEST": 16}  # fmt: skip


def rows_of(y, seed: int):
    """Row numbers to train on, to validate on and to test on, stratified."""
    import numpy as np
    from sklearn.model_selection import train_test_split

    rest, test = train_test_split(np.arange(len(y)), test_size=TEST, stratify=y, random_state=seed)
    train, validation = train_test_split(rest, test_size=VALIDATION, stratify=y[rest], random_state=seed)
    return train, validation, test


def trial(config: dict) -> list[dict]:
    """Loss and balanced accuracy in percent after each epoch (0 is before the first), and what the training cost.

    `seconds` and `cpu_seconds` are those of a whole run from pixels, without the evaluations.
    """
    import keras
    import numpy as np

    from tlcourse.material import backbones, data
    from tlcourse.methods import fine_tuning, freezing, training

    photos = data.stickers("photo", size=SIZE, test_fraction=0)
    x, y = photos.x_train.astype("float32"), photos.y_train
    train, validation, test = rows_of(y, config["seed"])

    keras.utils.set_random_seed(config["seed"])
    scratch = config["start"] == "scratch"
    model = backbones.efficientnet_lite0(classes=8, input_size=SIZE, weights=None if scratch else "imagenet")
    clock = (time.perf_counter(), time.process_time())
    if config["start"] == "probe":
        pooled = keras.Model(model.input, model.get_layer("pool").output).predict(x[train], verbose=0)
        fine_tuning.put_probe(model, pooled, y[train])
    freezing.thaw(model, config["top"], batch_norm=scratch)
    lower, upper = fine_tuning.cut(model, config["top"])
    x = lower.predict(x, verbose=0)
    ready = (time.perf_counter(), time.process_time())

    judged, rows = np.concatenate([validation, test]), []

    def judge(epoch, logs=None):
        if scratch and epoch + 1 < EPOCHS:
            return
        if scratch:
            fine_tuning.refresh_statistics(upper, x[train], batch_size=BATCH)
        logits = upper.predict_on_batch(x[judged])
        found = {"epoch": epoch + 1, **_scores("validation", logits[: len(validation)], y[validation])}
        rows.append({**found, **_scores("test", logits[len(validation) :], y[test]), **_train(logs)})

    judge(-1)  # builds the graph for judging, too, before the clock goes on
    rate = config["rate"]
    optimizer = rate if config["decay"] == 1 else fine_tuning.by_block(model, rate, decay=config["decay"])
    start, spent = (time.perf_counter(), time.process_time()), [0.0, 0.0]

    def timed(epoch, logs=None):
        before = (time.perf_counter(), time.process_time())
        judge(epoch, logs)
        spent[0] += time.perf_counter() - before[0]
        spent[1] += time.process_time() - before[1]

    watch = keras.callbacks.LambdaCallback(on_epoch_end=timed)
    training.fit(upper, (x[train], y[train]), epochs=EPOCHS, learning_rate=optimizer, batch_size=BATCH,
                 seed=config["seed"], callbacks=[watch])  # fmt: skip
    end = (time.perf_counter(), time.process_time())
    wall, cpu = (end[i] - start[i] - spent[i] + ready[i] - clock[i] for i in (0, 1))
    return [{**row, "seconds": wall, "cpu_seconds": cpu} for row in rows]


def _scores(name: str, logits, y) -> dict[str, float]:
    from scipy.special import log_softmax
    from sklearn.metrics import balanced_accuracy_score

    loss = -log_softmax(logits, axis=1)[range(len(y)), y].mean()
    return {f"{name}_loss": loss, f"{name}_accuracy": 100 * balanced_accuracy_score(y, logits.argmax(axis=1))}


def _train(logs: dict | None) -> dict[str, float]:
    return {"train_loss": (logs or {}).get("loss", float("nan"))}
