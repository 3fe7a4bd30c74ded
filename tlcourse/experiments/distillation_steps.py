"""Chapter 07: of a thousand digits, is a student of answers worse, or only not finished? Four times the steps."""

from tlcourse.experiments import distillation

CONFIGS = [
    {"targets": name, "temperature": t, "steps": steps}
    for steps in (1000, 4000)
    for name, t in (("hard", 1), ("soft", 4), ("mixed", 4))
]
MINIATURE = {"config": {"targets": "soft", "temperature": 4, "steps": 2}, "distillation.TEACHER": 60,
             "distillation.TRANSFER": 40}  # fmt: skip


def trial(config: dict) -> list[dict]:
    """Balanced accuracy in percent, and how often student and teacher agree on the transfer digits themselves."""
    from tlcourse.methods import training

    parts = distillation.task(config["seed"])
    model = distillation.student(config, parts["transfer"], steps=config["steps"])
    answers = {name: model.predict(parts[name]["x"], batch_size=250, verbose=0) for name in ("transfer", "test")}
    agreed = answers["transfer"].argmax(axis=1) == parts["transfer"]["v"].argmax(axis=1)
    return [{"accuracy": training.accuracy(parts["test"]["y"], answers["test"]), "agreement": 100 * agreed.mean()}]
