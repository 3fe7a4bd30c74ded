"""Chapter 07: what in a teacher's answers teaches: students of a hundred digits, a sure teacher and an unsure one.

Teacher: EfficientNet-Lite0, frozen, read at every block, with a logistic regression trained on 2,500 handwritten
digits; the weaker its penalty (the larger scikit-learn's C, here `strength`), the surer its answers. Student:
`backbones.small_cnn` of width 8, which never meets those digits: it learns from others, the transfer set. Everything
is drawn anew with each seed. The rate was chosen on validation digits, with seeds not used here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

STRENGTH, SURE = 1e-3, 1.0
CONFIGS = [{"strength": STRENGTH}, {"strength": SURE}]
ARMS = (("soft", 1), ("soft", 4), ("soft", 16), ("mixed", 4), ("even", 4), ("permuted", 4))
FEW, STUDENTS = 100, 2  # transfer digits; starts that are averaged
FRESH = 1000  # draws that the claims were not worded after
TEACHER, TRANSFER, VALIDATION = 2500, 1000, 500
INPUT, WIDTH = 32, 8
STEPS, RATE = 1000, 5e-3
HARD_WEIGHT = {"hard": 1.0, "mixed": 0.5}
MINIATURE = {"config": {"strength": STRENGTH}, "FEW": 32, "STUDENTS": 1, "TEACHER": 60, "TRANSFER": 40, "STEPS": 2}


def task(seed: int, *, strength: float = STRENGTH) -> dict[str, dict]:
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
    teacher = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=500))
    taught = parts.pop("teacher")
    teacher.fit(rows[taught], y[taught])
    return {name: {"x": x[i, ..., None].astype("float32"), "y": y[i], "v": teacher.decision_function(rows[i])}
            for name, i in parts.items()}  # fmt: skip


def permuted(p: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The same confidence and the same doubts, dealt anew to the wrong classes (Furlanello et al., 2018)."""
    import numpy as np

    made, wrong = p.copy(), ~np.eye(p.shape[1], dtype=bool)[p.argmax(axis=1)]
    made[wrong] = rng.permuted(p[wrong].reshape(len(p), -1), axis=1).ravel()
    return made


def student(config: dict, part: dict, *, steps: int | None = None, rate: float = RATE):
    """The student, trained for `STEPS` steps if not told otherwise."""
    import keras
    import numpy as np

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
    if config["targets"] == "permuted":
        answers = permuted(answers, np.random.default_rng(config["seed"]))
    return distillation.fit(model, part["x"], answers, labels=part["y"], temperature=config["temperature"],
                            hard_weight=HARD_WEIGHT.get(config["targets"], 0.0), steps=steps, learning_rate=rate,
                            seed=config["seed"])  # fmt: skip


def trial(config: dict) -> list[dict]:
    """Balanced accuracy in percent of teacher and students (their mean), and how sure the teacher is at T = 1."""
    import numpy as np

    from tlcourse.methods import distillation
    from tlcourse.methods.training import accuracy

    seed, strength = FRESH + config["seed"], config["strength"]
    parts = task(seed, strength=strength)
    test, few = parts["test"], {name: values[:FEW] for name, values in parts["transfer"].items()}
    told = {"teacher": accuracy(test["y"], test["v"]),
            "sure": 100 * distillation.soften(few["v"], 1).max(axis=1).mean()}  # fmt: skip
    rows = []
    for targets, temperature in (("hard", 1), *ARMS) if strength == STRENGTH else ARMS:  # labels have no teacher
        arm = {"targets": targets, "temperature": temperature}
        models = [student(arm | {"seed": STUDENTS * seed + i}, few) for i in range(STUDENTS)]
        scores = [accuracy(test["y"], model.predict(test["x"], batch_size=250, verbose=0)) for model in models]
        rows.append({**arm, "accuracy": np.mean(scores), **told})
    return rows
