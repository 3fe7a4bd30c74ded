"""Chapter 07: labels or softened answers, from fifty to a thousand transfer digits; and Keras's loss by its default."""

from tlcourse.experiments import distillation

SIZES = (50, 100, 200, 400, 1000)
CONFIGS = [{"strength": distillation.STRENGTH}]
ARMS = (*((kind, t, n) for kind, t in (("hard", 1), ("soft", 4)) for n in SIZES), ("logits", 4, 100))
MINIATURE = {"config": {"strength": distillation.STRENGTH}, "ARMS": (("soft", 4, 32), ("logits", 4, 32)),
             "distillation.TEACHER": 60, "distillation.TRANSFER": 40, "distillation.STEPS": 2}  # fmt: skip


def trial(config: dict) -> list[dict]:
    """Balanced accuracy in percent of teacher and student."""
    from tlcourse.methods.training import accuracy

    parts = distillation.task(config["seed"], strength=config["strength"])
    test, rows = parts["test"], []
    for targets, temperature, samples in ARMS:
        arm = {"targets": targets, "temperature": temperature}
        few = {name: values[:samples] for name, values in parts["transfer"].items()}
        model = distillation.student(arm | {"seed": config["seed"]}, few)
        score = accuracy(test["y"], model.predict(test["x"], batch_size=250, verbose=0))
        rows.append({**arm, "samples": samples, "accuracy": score, "teacher": accuracy(test["y"], test["v"])})
    return rows
