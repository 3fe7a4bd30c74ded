"""Chapter 12: classes are taken from the target, until adapting to it harms.

As many unlabelled pictures each time, of ten digits or of fewer; judged on these digits. Nothing adapted is the same
network after the same steps, with the source's batch norm statistics or with those of the target's few digits.
"""

from tlcourse.experiments import domain_adversarial

CLASSES, PICTURES = (10, 7, 5, 3), 1000
# What is adapted to: that many digits of MNIST-M, or nothing.
CONFIGS = [{"adapted_to": k} for k in (0, *CLASSES)]
MINIATURE = {
    "config": {"adapted_to": 0}, "PICTURES": 20,
    **{f"domain_adversarial.{name}": value for name, value in domain_adversarial.SMALL.items()},
}  # fmt: skip


def trial(config: dict) -> list[dict]:
    """Balanced accuracy in percent on the digits that the target has, after the last step."""
    import numpy as np

    from tlcourse.methods import adversarial

    seed, adapted_to = config["seed"], config["adapted_to"]
    part = domain_adversarial.pictures("mnist_m", seed)
    (x, y), (x_test, y_test) = part["target"], part["test"]
    digits = np.random.default_rng(seed).permutation(10)

    def of(k):
        """Pictures of the first k digits, unlabelled."""
        return x[np.isin(y, digits[:k])][:PICTURES]

    parts, arm = adversarial.digit_parts(seed=seed), "by domain, ramped" if adapted_to else "source only"
    *_, step = domain_adversarial.stages(parts, part["source"], of(adapted_to or 10), arm, seed=seed)
    rows = []
    for k in [adapted_to] if adapted_to else CLASSES:
        there = np.isin(y_test, digits[:k])
        for name, seen in {"source": part["source"][0], "target": of(k)}.items():
            adversarial.use_statistics(parts.features, domain_adversarial.as_in_training(seen, arm))
            named = domain_adversarial.answers(parts, x_test[there])[1].argmax(axis=1)
            recall = [(named == digit)[y_test[there] == digit].mean() for digit in digits[:k]]
            absent = float(100 * np.isin(named, digits[k:]).mean())
            row = {"classes": k, "statistics": name, "step": step, "accuracy": float(100 * np.mean(recall))}
            rows.append({**row, "named_absent": absent})
    return rows
