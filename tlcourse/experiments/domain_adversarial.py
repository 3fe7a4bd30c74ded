"""Chapter 12: a digit network learns from MNIST and adapts to USPS or to MNIST-M, without a label of either.

The settings were chosen from MNIST to USPS, by the accuracy on those pictures of USPS that train, and then kept for
MNIST-M. A digit of MNIST-M is one of MNIST: the source are the 5,000 digits of MNIST that are not in it, and what tests
lies on other photographs. Light and dark are exchanged by chance in each colour of whatever trains, but for the plain
arms: the target's unlabelled pictures show digits that are darker than what is behind them.

Labels of the target are used for the ceiling, which says so, and for two columns: `accuracy` on its test, and
`tempting`, that on the pictures of the target that were held out.
"""

STEPS, EVERY, BATCH, RATE = 3000, 500, 64, 1e-3
WEIGHT, CORAL = 0.3, 1000.0
HELD_OUT, SEEN = 500, 1500  # pictures kept out of training on each side; pictures that batch norm is measured on
# Penalty, batch norm, schedule, weight; whether the colours of the pictures that train are inverted by chance.
ARMS = {
    "source only": ("none", "by domain", "constant", 0.0, True),
    "target": ("none", "by domain", "constant", 0.0, True),
    "joint, ramped": ("reversal", "joint", "ramped", WEIGHT, True),
    "joint, constant": ("reversal", "joint", "constant", WEIGHT, True),
    "by domain, ramped": ("reversal", "by domain", "ramped", WEIGHT, True),
    "by domain, constant": ("reversal", "by domain", "constant", WEIGHT, True),
    "coral": ("coral", "by domain", "ramped", CORAL, True),
    **{f"weight {weight}": ("reversal", "by domain", "ramped", weight, True) for weight in (0.1, 1.0, 3.0)},
    "source only, no batch norm": ("none", "none", "constant", 0.0, True),
    "target, no batch norm": ("none", "none", "constant", 0.0, True),
    "ramped, no batch norm": ("reversal", "none", "ramped", WEIGHT, True),
    "source only, plain": ("none", "by domain", "constant", 0.0, False),
    "target, plain": ("none", "by domain", "constant", 0.0, False),
    "by domain, ramped, plain": ("reversal", "by domain", "ramped", WEIGHT, False),
}
CONFIGS = [
    *({"target": "mnist_m", "arm": arm} for arm in ARMS),
    *({"target": "usps", "arm": arm} for arm in ("source only", "target", "by domain, ramped", "coral")),
]
MINIATURE = {"STEPS": 2, "EVERY": 1, "BATCH": 8, "HELD_OUT": 60, "SEEN": 40}


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


def reverse(source, y, target, logits):
    """Accuracy in percent on the source of the target's class means, its classes as the network names them.

    Reverse validation (Ganin et al., 2016, section 5.1.2), with nearest means for a network trained backwards.
    """
    import numpy as np

    from tlcourse.methods import training

    named = logits.argmax(axis=1)
    means = [target[named == c].mean(axis=0) if c in named else np.full(target.shape[1], 1e6) for c in range(10)]
    return training.accuracy(y, -((source[:, None] - np.stack(means)) ** 2).sum(axis=2))


def told_apart(source, target):
    """How often a new classifier names the domain of features that it has not seen, balanced, in percent."""
    import numpy as np
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    rows, domain = np.concatenate([source, target]), np.repeat([0, 1], [len(source), len(target)])
    folds = StratifiedKFold(2, shuffle=True, random_state=0)
    told = cross_val_predict(make_pipeline(StandardScaler(), SVC()), rows, domain, cv=folds)
    return float(100 * balanced_accuracy_score(domain, told))


def without_labels(parts, source, y, target):
    """What can be known of a network without the target's labels, from pictures that did not train it."""
    import numpy as np

    from tlcourse.methods import adversarial

    logits = parts.labels.predict(target, batch_size=500, verbose=0)
    entropy, information = adversarial.doubt(logits)
    told = [parts.domain.predict(side, batch_size=500, verbose=0) > 0 for side in (source, target)]
    return {
        "entropy": entropy,
        "information": information,
        "reverse": reverse(source, y, target, logits),
        "domain_accuracy": float(50 * (1 - np.mean(told[0]) + np.mean(told[1]))),
        "told_apart": told_apart(source, target),
    }


def trial(config: dict) -> list[dict]:
    """Every `EVERY` steps: balanced accuracy on the target's test in percent, and what is known without its labels."""
    import numpy as np

    from tlcourse.methods import adversarial, training

    seed, arm, part = config["seed"], config["arm"], pictures(config["target"], config["seed"])
    parts, rows = adversarial.digit_parts(batch_norm=ARMS[arm][1] != "none", seed=seed), []
    labelled, unlabelled = part["target" if arm.startswith("target") else "source"], part["target"][0]
    (kept, y_kept), (x_test, y_test) = part["source held out"], part["test"]
    own, theirs = (as_in_training(side, arm) for side in (part["source"][0], unlabelled))
    statistics = {"source": own, "target": theirs}
    if ARMS[arm][1] == "joint":
        mixed = np.concatenate([own[::2], theirs[::2]])
        statistics = {"source": mixed, "both": mixed}
    for step in stages(parts, labelled, unlabelled, arm, seed=seed):
        adversarial.use_statistics(parts.features, statistics["source"])
        source, source_logits = answers(parts, kept)
        for name in [name for name in statistics if name != "source" or arm.startswith("source only")]:
            adversarial.use_statistics(parts.features, statistics[name])
            target, target_logits = answers(parts, part["target held out"][0])
            rows.append(
                {
                    "weight": ARMS[arm][3],
                    "step": step,
                    "statistics": name,
                    "accuracy": training.accuracy(y_test, answers(parts, x_test)[1]),
                    "tempting": training.accuracy(part["target held out"][1], target_logits),
                    "source_accuracy": training.accuracy(y_kept, source_logits),
                    **without_labels(parts, source, y_kept, target),
                }
            )
    return rows
