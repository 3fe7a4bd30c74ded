"""Chapter 12: two coordinates of the features that a network makes of both domains, before and after it adapts.

One draw is enough: it is there to be looked at.
"""

from tlcourse.experiments import domain_adversarial

CONFIGS = [{"arm": arm} for arm in ("source only", "by domain, ramped")]
SHOWN = 250  # pictures of each domain, none of which trained the network
MINIATURE = {f"domain_adversarial.{name}": value for name, value in domain_adversarial.SMALL.items()}


def trial(config: dict) -> list[dict]:
    """A row for each picture and choice of statistics: its domain, its digit, and two principal components.

    The target's features are made with the batch norm statistics of the source, or with its own; the components are the
    same for both.
    """
    import numpy as np
    from sklearn.decomposition import PCA

    from tlcourse.methods import adversarial

    seed, part = config["seed"], domain_adversarial.pictures("mnist_m", config["seed"])
    parts = adversarial.digit_parts(seed=seed)
    for _ in domain_adversarial.stages(parts, part["source"], part["target"][0], config["arm"], seed=seed):
        pass
    made, rows = {}, []
    for domain, whose in (("source", "source"), ("target", "source"), ("target", "target")):
        seen = domain_adversarial.as_in_training(part[whose][0], config["arm"])
        adversarial.use_statistics(parts.features, seen)
        x, y = (side[:SHOWN] for side in part[f"{domain} held out"])
        made[domain, whose] = domain_adversarial.answers(parts, x)[0], y
    turn = PCA(2, random_state=0).fit(np.concatenate([features for features, _ in made.values()]))
    for (domain, whose), (features, y) in made.items():
        for digit, (a, b) in zip(y.tolist(), turn.transform(features), strict=True):
            rows.append({"domain": domain, "statistics": whose, "digit": digit, "x": float(a), "y": float(b)})
    return rows
