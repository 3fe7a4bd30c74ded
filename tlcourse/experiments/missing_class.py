"""Chapter 07: the student never meets one digit (Hinton et al., 2015, section 3). Which, the seed says: seed modulo 10.

As in `distillation`, with more digits to learn from, and all those of one class taken out. The bias of the missing
class is then raised until a tenth of the validation digits, of which no label is used, are named so.
"""

from tlcourse.experiments import distillation

CONFIGS = [
    {"targets": "hard", "temperature": 1},
    *({"targets": name, "temperature": t} for name, t in (("soft", 1), ("soft", 4), ("soft", 16), ("even", 4))),
]
SAMPLES = 400
SHARE = 0.1
MINIATURE = {"config": {"targets": "soft", "temperature": 4}, "SAMPLES": 32, "distillation.TEACHER": 60,
             "distillation.TRANSFER": 40, "distillation.STEPS": 2}  # fmt: skip


def trial(config: dict) -> list[dict]:
    """Percent of the missing class that is named, and balanced accuracy over the others, without and with the bias."""
    import numpy as np

    from tlcourse.methods.distillation import bias_for_share

    missing = config["seed"] % 10
    parts = distillation.task(config["seed"])
    left = parts["transfer"]["y"] != missing
    few = {name: values[left][:SAMPLES] for name, values in parts["transfer"].items()}
    model = distillation.student(config, few)
    logits = {name: model.predict(parts[name]["x"], batch_size=250, verbose=0) for name in ("validation", "test")}
    bias = np.zeros(10)
    y = parts["test"]["y"]
    rows = []
    for corrected in (False, True):
        if corrected:
            bias[missing] = bias_for_share(logits["validation"], missing, SHARE)
        named = (logits["test"] + bias).argmax(axis=1)
        recall = [100 * (named[y == digit] == digit).mean() for digit in range(10)]
        rows.append({"missing": missing, "corrected": corrected, "bias": bias[missing], "recall": recall[missing],
                     "others": np.delete(recall, missing).mean()})  # fmt: skip
    return rows
