"""Chapter 07: digits: a student of 6 thousand weights learns a teacher's answers, labels, or both, from few digits.

Teacher: EfficientNet-Lite0, frozen, read at every block, with a logistic regression trained on 2,500 handwritten
digits. Student: `backbones.small_cnn` of width 8, which never meets those digits: it learns from others, the transfer
set. Everything is drawn anew with each seed. The rate was chosen on validation digits, with seeds not used here.
"""

TEMPERATURES = (1, 2, 4, 8, 16)
SIZES = (50, 100, 200, 400, 1000)
FEW = 100
CONFIGS = [
    *({"targets": "hard", "temperature": 1, "samples": n} for n in SIZES),
    *({"targets": "soft", "temperature": t, "samples": FEW} for t in TEMPERATURES),
    *({"targets": name, "temperature": t, "samples": FEW} for name in ("mixed", "even") for t in (1, 4, 16)),
    *({"targets": "soft", "temperature": 4, "samples": n} for n in SIZES if n != FEW),
    {"targets": "logits", "temperature": 4, "samples": FEW},  # Keras's default loss, which never takes the softmax
]
TEACHER, TRANSFER, VALIDATION = 2500, 1000, 500
INPUT, WIDTH, STRENGTH = 32, 8, 1e-3
STEPS, RATE = 1000, 5e-3
HARD_WEIGHT = {"hard": 1.0, "mixed": 0.5}
MINIATURE = {"config": {"targets": "mixed", "temperature": 4, "samples": 32}, "TEACHER": 60, "TRANSFER": 40, "STEPS": 2}


def task(seed: int) -> dict[str, dict]:
    """`transfer`, `validation` and `test`, each with `x` (n, 28, 28, 1), `y`, and the teacher's logits `v` (n, 10)."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from tlcourse.material import backbones, data, features
    from tlcourse.methods import layer_features

    digits = data.digits("mnist")
    x, y = np.concatenate([digits.x_train, digits.x_test]), np.concatenate([digits.y_train, digits.y_test])
    reader, _ = layer_features.block_reader(backbones.efficientnet_lite0(input_size=INPUT))
    rows = features.extract(reader, x[..., None].repeat(3, axis=-1)).reshape(len(x), -1)
    order = np.random.default_rng(seed).permutation(len(digits.x_train))
    parts = dict(
        zip(("teacher", "transfer", "validation"), np.split(order, [TEACHER, TEACHER + TRANSFER]), strict=True)
    )
    parts["test"] = np.arange(len(digits.x_train), len(x))
    teacher = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=500))
    taught = parts.pop("teacher")
    teacher.fit(rows[taught], y[taught])
    return {name: {"x": x[i, ..., None].astype("float32"), "y": y[i], "v": teacher.decision_function(rows[i])}
            for name, i in parts.items()}  # fmt: skip


def student(config: dict, part: dict, *, steps: int | None = None, rate: float = RATE):
    """The student, trained for `STEPS` steps if not told otherwise."""
    import keras

    from tlcourse.material import backbones
    from tlcourse.methods import distillation

    steps = steps or STEPS
    keras.utils.set_random_seed(config["seed"])
    model = backbones.small_cnn(classes=10, input_size=28, channels=1, width=WIDTH)
    if config["targets"] == "logits":
        loss = keras.distillation.LogitsDistillation(temperature=float(config["temperature"])).compute_loss
        epochs, falling = distillation.passes(len(part["x"]), steps=steps, learning_rate=rate)
        model.compile(keras.optimizers.Adam(falling), loss=loss)
        model.fit(part["x"], part["v"], epochs=epochs, batch_size=32, verbose=0)
        return model
    answers = distillation.soften(part["v"], config["temperature"])
    if config["targets"] == "even":
        answers = distillation.spread_evenly(answers)
    return distillation.fit(model, part["x"], answers, labels=part["y"], temperature=config["temperature"],
                            hard_weight=HARD_WEIGHT.get(config["targets"], 0.0), steps=steps, learning_rate=rate,
                            seed=config["seed"])  # fmt: skip


def trial(config: dict) -> list[dict]:
    """Balanced accuracy in percent of student and teacher, and how often the two agree."""
    from tlcourse.methods.training import accuracy

    parts = task(config["seed"])
    few = {name: values[: config["samples"]] for name, values in parts["transfer"].items()}
    model = student(config, few)
    test, validation = parts["test"], parts["validation"]
    logits = model.predict(test["x"], batch_size=250, verbose=0)
    return [{
        "accuracy": accuracy(test["y"], logits),
        "validation": accuracy(validation["y"], model.predict(validation["x"], batch_size=250, verbose=0)),
        "teacher": accuracy(test["y"], test["v"]),
        "agreement": 100 * (logits.argmax(axis=1) == test["v"].argmax(axis=1)).mean(),
    }]  # fmt: skip
