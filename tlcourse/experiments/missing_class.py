"""Chapter 07: the student never meets one digit (Hinton et al., 2015, section 3). Which, the seed says: seed modulo 10.

As in `distillation`, with more digits to learn from. All of one class are taken out, and whatever the teacher takes for
one: so no label and no first choice says it. The bias of the missing class is then raised until a tenth of the
validation digits, of which no label is used, are named so.
"""

from tlcourse.experiments import distillation

CONFIGS = [{"samples": 400}]
ARMS = (("hard", 1), ("soft", 1), ("soft", 4), ("soft", 16), ("even", 4))
SHARE = 0.1
MINIATURE = {"config": {"samples": 32}, "ARMS": (("soft", 4),), "distillation.TEACHER": 60,
             "distillation.TRANSFER": 40, "distillation.STEPS": 2}  # fmt: skip


def trial(config: dict) -> list[dict]:
    """Percent of the missing class that is named, and balanced accuracy over the others, without and with the bias."""
    import numpy as np

    from tlcourse.methods.distillation import bias_for_share

    missing = config["seed"] % 10
    parts = distillation.task(config["seed"])
    transfer, y, rows = parts["transfer"], parts["test"]["y"], []
    left = (transfer["y"] != missing) & (transfer["v"].argmax(axis=1) != missing)
    few = {name: values[left][: config["samples"]] for name, values in transfer.items()}
    for targets, temperature in ARMS:
        arm = {"targets": targets, "temperature": temperature}
        model = distillation.student(arm | {"seed": config["seed"]}, few)
        logits = {name: model.predict(parts[name]["x"], batch_size=250, verbose=0) for name in ("validation", "test")}
        raised = bias_for_share(logits["validation"], missing, SHARE)
        for bias in (0.0, raised):
            named = (logits["test"] + bias * (np.arange(10) == missing)).argmax(axis=1)
            recall = [100 * (named[y == digit] == digit).mean() for digit in range(10)]
            rows.append({**arm, "missing": missing, "corrected": bias == raised, "bias": bias,
                         "recall": recall[missing], "others": np.delete(recall, missing).mean()})  # fmt: skip
    return rows
