"""Chapter 12: the same methods on the frozen features of twenty pairs of sticker domains, with the digits' settings.

Collections hold their kinds in different proportions. So each pair comes twice: as it is, and with what trains thinned
to equally many of each kind on both sides. The latter uses labels of the target to change the *task*, for every arm.
"""

from itertools import permutations

DOMAINS = ("photo", "clipart", "noto", "twemoji", "openmoji")
STEPS, BATCH, RATE, WIDTH = 400, 32, 1e-3, 128
ARMS = ("source only", "joint, ramped", "by domain, ramped", "coral")
CONFIGS = [{"source": source, "target": target} for source, target in permutations(DOMAINS, 2)]
MINIATURE = {"STEPS": 2, "BATCH": 8, "WIDTH": 6}


def parts_of(inputs: int, *, seed: int):
    """One hidden layer with batch norm on frozen features, and the two classifiers."""
    import keras
    from keras import layers

    from tlcourse.methods import adversarial

    keras.utils.set_random_seed(seed)
    entered = keras.Input((inputs,))
    x = layers.Dense(WIDTH, use_bias=False, kernel_initializer="he_uniform")(entered)
    features = keras.Model(entered, layers.ReLU()(layers.BatchNormalization()(x)))
    return adversarial.Parts(features, *adversarial.heads(WIDTH, 8))


def trial(config: dict) -> list[dict]:
    """Balanced test accuracy on the target in percent, after the last step, for every arm; concepts are kept apart."""
    import numpy as np
    from sklearn.preprocessing import normalize

    from tlcourse.material import backbones, data, features

    seed, network = config["seed"], backbones.efficientnet_lite0(input_size=96)
    source, target = (data.stickers(config[side], size=96, seed=seed) for side in ("source", "target"))
    y = source.y_train
    x, unlabelled, x_test = (
        normalize(features.extract(network, p)) for p in (source.x_train, target.x_train, target.x_test)
    )
    rows = []
    for proportions in ("as they are", "equal"):
        if proportions == "equal":
            each = min(np.bincount(y).min() for y in (source.y_train, target.y_train))
            (x, y), (unlabelled, _) = (thinned(*s, each, seed) for s in ((x, y), (unlabelled, target.y_train)))
        rows += [{"proportions": proportions, **row} for row in adapted(x, y, unlabelled, x_test, target.y_test, seed)]
    return rows


def thinned(x, y, each, seed):
    """The first `each` of every class, in random order."""
    import numpy as np

    order = np.random.default_rng(seed).permutation(len(y))
    kept = np.concatenate([order[y[order] == c][:each] for c in np.unique(y)])
    return x[kept], y[kept]


def adapted(x, y, unlabelled, x_test, y_test, seed):
    """What every arm comes to on the target's test."""
    import numpy as np

    from tlcourse.experiments import domain_adversarial
    from tlcourse.methods import adversarial, training

    rows = []
    for arm in ARMS:
        parts = parts_of(x.shape[1], seed=seed)
        penalty, norm, _, weight, _ = domain_adversarial.ARMS[arm]
        ramp_over = STEPS if penalty != "none" else None
        model = adversarial.adapting(parts, penalty, weight=weight, norm=norm, ramp_over=ramp_over, learning_rate=RATE)
        for _ in adversarial.in_stages(
            model, (x, y), unlabelled, steps=STEPS, every=STEPS, batch_size=BATCH, seed=seed
        ):
            pass
        seen = {"source": x, "target": unlabelled} if arm == "source only" else {"target": unlabelled}
        if norm == "joint":
            seen = {"both": np.concatenate([x, unlabelled])}
        for name, inputs in seen.items():
            adversarial.use_statistics(parts.features, inputs)
            logits = parts.labels.predict(parts.features.predict(x_test, verbose=0), verbose=0)
            rows.append({"arm": arm, "statistics": name, "accuracy": training.accuracy(y_test, logits)})
    return rows
