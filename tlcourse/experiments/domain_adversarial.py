"""Chapter 12: a digit network learns from MNIST and adapts to USPS or to MNIST-M, without a label of either.

λ was chosen from MNIST to USPS, by the accuracy on those pictures of USPS that train, for each kind of batch norm by
itself, and then kept for MNIST-M. A digit of MNIST-M is one of MNIST: the source are the 5,000 digits of MNIST that are
not in it, and what tests lies on other photographs. Light and dark are exchanged by chance in each colour of whatever
trains, but for the plain arms: the target's unlabelled pictures show digits that are darker than what is behind them.

Labels of the target are used for the ceilings, which say so, and for columns that judge: `accuracy` on its test,
`tempting` and `class_gap` on the pictures of the target that were held out.
"""

STEPS, EVERY, BATCH, RATE = 3000, 500, 64, 1e-3
WEIGHTS = {"by domain": 0.3, "joint": 0.3, "none": 0.3}
CORAL = 1000.0
HELD_OUT, SEEN = 500, 1500  # pictures kept out of training on each side; pictures that batch norm is measured on
# Penalty, batch norm, schedule, weight; whether the colours of the pictures that train are inverted by chance.
ARMS = {
    "source only": ("none", "by domain", "constant", 0.0, True),
    "target": ("none", "by domain", "constant", 0.0, True),
    "by domain, ramped": ("reversal", "by domain", "ramped", WEIGHTS["by domain"], True),
    "by domain, constant": ("reversal", "by domain", "constant", WEIGHTS["by domain"], True),
    "joint, no adversary": ("reversal", "joint", "constant", 0.0, True),
    "joint, ramped": ("reversal", "joint", "ramped", WEIGHTS["joint"], True),
    "joint, constant": ("reversal", "joint", "constant", WEIGHTS["joint"], True),
    "coral": ("coral", "by domain", "ramped", CORAL, True),
    **{f"weight {weight}": ("reversal", "by domain", "ramped", weight, True) for weight in (0.1, 1.0, 3.0)},
    "source only, no batch norm": ("none", "none", "constant", 0.0, True),
    "ramped, no batch norm": ("reversal", "none", "ramped", WEIGHTS["none"], True),
    "source only, plain": ("none", "by domain", "constant", 0.0, False),
    "by domain, ramped, plain": ("reversal", "by domain", "ramped", WEIGHTS["by domain"], False),
    "source only, plain, no batch norm": ("none", "none", "constant", 0.0, False),
    "ramped, plain, no batch norm": ("reversal", "none", "ramped", WEIGHTS["none"], False),
    "target, plain, no batch norm": ("none", "none", "constant", 0.0, False),
}
CONFIGS = [
    *({"target": "mnist_m", "arm": arm} for arm in ARMS),
    *({"target": "usps", "arm": arm} for arm in ("source only", "target", "by domain, ramped")),
]
SMALL = {"STEPS": 2, "EVERY": 1, "BATCH": 8, "HELD_OUT": 60, "SEEN": 40}
MINIATURE = {"config": {"target": "mnist_m", "arm": "by domain, ramped"}, **SMALL}


def pictures(target: str, seed: int) -> dict:
    """Pictures `(n, 28, 28, 3)` by their use, with labels; the target's only judge, or teach the arm "target"."""
    import numpy as np

    from tlcourse.material import data

    def colour(x):
        return np.repeat(x[..., None], 3, axis=-1) if x.ndim == 3 else x

    rng = np.random.default_rng(seed)
    more, known, split = data.digits("mnist", more=True), len(data.digits("mnist").y_train), data.digits(target)
    x, y = colour(more.x_train[known:]), more.y_train[known:]  # none of them is in MNIST-M
    ours, theirs = rng.permutation(len(x)), rng.permutation(len(split.x_train))
    x_target, y_target = colour(split.x_train), split.y_train
    return {
        "source": (x[ours[HELD_OUT:]], y[ours[HELD_OUT:]]),
        "source held out": (x[ours[:HELD_OUT]], y[ours[:HELD_OUT]]),
        "target": (x_target[theirs[HELD_OUT:]], y_target[theirs[HELD_OUT:]]),
        "target held out": (x_target[theirs[:HELD_OUT]], y_target[theirs[:HELD_OUT]]),
        "test": (colour(split.x_test), split.y_test),
    }


def stages(parts, labelled: tuple, unlabelled, arm: str, *, seed: int):
    """Train the parts as an arm does; yields the steps done, every `EVERY`."""
    from tlcourse.methods import adversarial

    penalty, norm, schedule, weight, inverted = ARMS[arm]
    augment = adversarial.invert_channels if inverted else None
    norm = norm if norm in adversarial.NORMS else "by domain"  # without batch norm it makes no difference
    model = adversarial.adapting(
        parts, penalty, weight=weight, norm=norm, ramp_over=STEPS if schedule == "ramped" else None, learning_rate=RATE
    )
    yield from adversarial.in_stages(
        model, labelled, unlabelled, steps=STEPS, every=EVERY, batch_size=BATCH, augment=augment, seed=seed
    )


def as_in_training(x, arm: str):
    """Some pictures as the arm sees them in training, for batch norm to be measured on."""
    import numpy as np

    from tlcourse.methods import adversarial

    return adversarial.invert_channels(x[:SEEN], np.random.default_rng(0)) if ARMS[arm][4] else x[:SEEN]


def answers(parts, x):
    """Features and logits of pictures."""
    features = parts.features.predict(x, batch_size=500, verbose=0)
    return features, parts.labels.predict(features, batch_size=500, verbose=0)


def told_apart(known, unknown):
    """How often a new classifier, of the adversary's kind, names the domain of features that it has not learnt.

    Both are pairs, of source and target; balanced, in percent.
    """
    import numpy as np
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    def together(pair):
        return np.concatenate(pair), np.repeat([0, 1], [len(side) for side in pair])

    anew = make_pipeline(StandardScaler(), MLPClassifier((100,), early_stopping=True, random_state=0))
    rows, domain = together(unknown)
    return float(100 * balanced_accuracy_score(domain, anew.fit(*together(known)).predict(rows)))


def class_gap(source, y, target, y_target):
    """How far a class's mean lies from that of the other domain, in spreads of a class: mean over the ten.

    A spread is the root of the mean squared distance from the mean, over the classes of the source.
    """
    import numpy as np

    means = [[x[labels == c].mean(axis=0) for c in range(10)] for x, labels in ((source, y), (target, y_target))]
    spread = np.sqrt(np.mean([((source[y == c] - means[0][c]) ** 2).sum(axis=1).mean() for c in range(10)]))
    return float(np.mean(np.linalg.norm(np.subtract(*means), axis=1)) / spread)


def trial(config: dict) -> list[dict]:
    """Every `EVERY` steps: balanced accuracy on the target's test in percent, and what is known without its labels.

    The domains are told apart, by the network's own adversary and by a new one, as they were in training: inverted or
    not. The new one is asked after the last step alone.
    """
    import numpy as np

    from tlcourse.methods import adversarial, training

    seed, arm, part = config["seed"], config["arm"], pictures(config["target"], config["seed"])
    parts, rows = adversarial.digit_parts(batch_norm=ARMS[arm][1] != "none", seed=seed), []
    labelled, unlabelled = part["target" if arm.startswith("target") else "source"], part["target"][0]
    (kept, y_kept), (held, y_held), (x_test, y_test) = (part[n] for n in ("source held out", "target held out", "test"))
    own, theirs = (as_in_training(side, arm) for side in (part["source"][0], unlabelled))
    statistics = {"source": own, "target": theirs}
    if arm == "source only":
        statistics["target as it is"] = unlabelled[:SEEN]
    if ARMS[arm][1] == "joint":
        mixed = np.concatenate([own[::2], theirs[::2]])
        statistics = {"source": mixed, "both": mixed}
    seen = [as_in_training(side, arm) for side in (kept, held)]
    for step in stages(parts, labelled, unlabelled, arm, seed=seed):
        adversarial.use_statistics(parts.features, statistics["source"])
        source, source_logits = answers(parts, kept)
        mine = [answers(parts, x)[0] for x in ([seen[0], own] if step == STEPS else seen[:1])]
        for name in [name for name in statistics if name != "source" or arm.startswith("source only")]:
            adversarial.use_statistics(parts.features, statistics[name])
            target, logits = answers(parts, held)
            other = [answers(parts, x)[0] for x in ([seen[1], theirs] if step == STEPS else seen[1:])]
            entropy, information = adversarial.doubt(logits)
            row = {
                "weight": ARMS[arm][3],
                "step": step,
                "statistics": name,
                "accuracy": training.accuracy(y_test, answers(parts, x_test)[1]),
                "tempting": training.accuracy(y_held, logits),
                "source_accuracy": training.accuracy(y_kept, source_logits),
                "entropy": entropy,
                "information": information,
                "class_gap": class_gap(source, y_kept, target, y_held),
            }
            if ARMS[arm][0] == "reversal":
                told = [parts.domain.predict(x, batch_size=500, verbose=0) > 0 for x in (mine[0], other[0])]
                row["domain_accuracy"] = float(50 * (1 - np.mean(told[0]) + np.mean(told[1])))
            if step == STEPS:
                row["told_apart"] = told_apart((mine[1], other[1]), (mine[0], other[0]))
            rows.append(row)
    return rows
