"""Chapter 12: two coordinates of the features that a network makes of both domains, before and after it adapts.

One draw is enough: it is there to be looked at.
"""

from tlcourse.experiments import domain_adversarial

CONFIGS = [{"arm": arm} for arm in ("source only", "by domain, ramped")]
SHOWN = 250  # pictures of each domain, none of which trained the network
MINIATURE = {f"domain_adversarial.{name}": value for name, value in domain_adversarial.MINIATURE.items()}


def trial(config: dict) -> list[dict]:
    """A row for each picture: its domain, its digit, and the first two principal components of its features."""
    import numpy as np
    from sklearn.decomposition import PCA

    from tlcourse.methods import adversarial

    seed, part = config["seed"], domain_adversarial.pictures("mnist_m", config["seed"])
    parts = adversarial.digit_parts(seed=seed)
    for _ in domain_adversarial.stages(parts, part["source"], part["target"][0], config["arm"], seed=seed):
        pass
    statistics_of = {"source": "source", "target": "source" if config["arm"] == "source only" else "target"}
    rows, names, digits = [], [], []
    for domain, whose in statistics_of.items():
        seen = domain_adversarial.as_in_training(part[whose][0], config["arm"])
        adversarial.use_statistics(parts.features, seen)
        x, y = (side[:SHOWN] for side in part[f"{domain} held out"])
        rows.append(domain_adversarial.answers(parts, x)[0])
        names, digits = names + [domain] * len(y), digits + y.tolist()
    places = PCA(2, random_state=0).fit_transform(np.concatenate(rows))
    return [
        {"domain": name, "digit": digit, "x": float(x), "y": float(y)}
        for name, digit, (x, y) in zip(names, digits, places, strict=True)
    ]
