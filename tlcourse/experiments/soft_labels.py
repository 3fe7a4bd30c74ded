"""Chapter 13: a few labels in the target, and each term of Tzeng et al. (2015) against training on the same labels.

Of a pair of collections everything in the source has a label, and in the target a few of each class, or of four of the
eight. A frozen network reads the pictures; principal components, fitted without labels, leave `WIDTH` numbers of each;
on top a small network learns, all its examples in every step. The weights were set beforehand, the temperature by the
source: with it a teacher leaves about half to an example's own class.
"""

import functools

import keras
import numpy as np
import tensorflow as tf

from tlcourse.methods.distillation import soften, spread_evenly

DOMAINS = ("photo", "clipart", "noto", "twemoji", "openmoji")
CONFIGS = [{"source": s, "target": t} for s in DOMAINS for t in DOMAINS if s != t]
CONFIGS += [{"source": "film", "target": "product"}, {"source": "product", "target": "film"}]
SENTENCES = 200
WIDTH, HIDDEN, STEPS, RATE = 100, 64, 200, 3e-3
T = 4.0
CONFUSION, SOFT = 1.0, T**2  # lambda, and nu: a softened loss pulls T² times less (chapter 07)
LABELS = (1, 3, 5, 10)
MINIATURE = {"config": {"source": "photo", "target": "noto"}, "WIDTH": 4, "HIDDEN": 4, "STEPS": 2, "LABELS": (1,)}


class Network:
    """A representation and its classifier, and the domain classifier that they are trained against."""

    def __init__(self, width, classes, *, seed):
        keras.utils.set_random_seed(seed)
        self.represent = keras.Sequential([keras.Input((width,)), keras.layers.Dense(HIDDEN, activation="relu")])
        self.classify = keras.Sequential([keras.Input((HIDDEN,)), keras.layers.Dense(classes)])
        self.tell_domain = keras.Sequential([keras.Input((HIDDEN,)), keras.layers.Dense(2)])
        self.trained = self.represent.trainable_weights + self.classify.trainable_weights
        self.optimizer, self.domain_optimizer = keras.optimizers.Adam(RATE), keras.optimizers.Adam(RATE)
        self.optimizer.build(self.trained)
        self.domain_optimizer.build(self.tell_domain.trainable_weights)
        self.state = [*self.trained, *self.tell_domain.weights]
        self.state += [*self.optimizer.variables, *self.domain_optimizer.variables]
        self.start = [variable.numpy() for variable in self.state]
        self.alternate = tf.function(functools.partial(alternate, self))

    def fit(self, x, y, domain, *, soft=None, weight=0.0, temperature=1.0, confusion=0.0, alone=False):
        """Train from the start.

        Args:
            x: `(n, width)`, source and target.
            y: `(n,)` labels; -1 where there is none.
            domain: `(n,)`, 0 for the source and 1 for the target.
            soft: `(classes, classes)`, what an example of each class is to answer in the target; its label if None.
            weight: of that term.
            temperature: that the logits are divided by in that term.
            confusion: weight of the confusion term.
            alone: without the source's labels.
        """
        classes = self.classify.output_shape[-1]
        known, labels = y >= 0, np.eye(classes)[y]
        in_target = known & (domain == 1)
        soft = labels if soft is None else soft[y]
        rows = (x, np.eye(2)[domain], labels, in_target if alone else known, soft, in_target)
        for variable, value in zip(self.state, self.start, strict=True):
            variable.assign(value)
        lesson = [tf.constant(part, tf.float32) for part in (*rows, weight, temperature, confusion)]
        self.alternate(*lesson, steps=STEPS, adversary=confusion > 0)
        return self

    def logits(self, x):
        """`(n, classes)`."""
        return self.classify(self.represent(x)).numpy()


def alternate(net, x, domain, *lesson, steps, adversary):
    """One step of either kind after the other; without an adversary there is only one kind."""
    for _ in tf.range(steps):
        if adversary:
            domain_step(net, x, domain)
        representation_step(net, x, *lesson)


def domain_step(net, x, domain):
    """The domain classifier learns; the representation is fixed."""
    features = net.represent(x)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(cross_entropy(domain, net.tell_domain(features)))
    own = net.tell_domain.trainable_weights
    net.domain_optimizer.apply(tape.gradient(loss, own), own)


def representation_step(net, x, labels, counted, soft, taught, weight, temperature, confusion):
    """Representation and classifier learn; the domain classifier is fixed."""
    with tf.GradientTape() as tape:
        features = net.represent(x)
        logits = net.classify(features)
        loss = mean_over(counted, cross_entropy(labels, logits))
        loss += confusion * tf.reduce_mean(cross_entropy([0.5, 0.5], net.tell_domain(features)))
        loss += weight * mean_over(taught, cross_entropy(soft, logits / temperature))
    net.optimizer.apply(tape.gradient(loss, net.trained), net.trained)


def cross_entropy(p, z):
    """Of probabilities and logits, row by row."""
    return -tf.reduce_sum(p * tf.nn.log_softmax(z), axis=-1)


def mean_over(counted, values):
    """Of the rows that count; 0 if none does."""
    return tf.reduce_sum(counted * values) / tf.maximum(tf.reduce_sum(counted), 1)


def soft_labels(logits, y, temperature):
    """A row a class: the mean softened answer to the source's examples of it."""
    return np.stack([soften(logits[y == c], temperature).mean(axis=0) for c in range(logits.shape[1])])


def arms(soft):
    """What is trained, and how, by name."""
    softly = {"weight": SOFT, "temperature": T}
    return {
        "joint": {},
        "labels again": {"weight": 1.0},
        "soft, even": {"soft": spread_evenly(soft), **softly},
        "soft": {"soft": soft, **softly},
        "confusion": {"confusion": CONFUSION},
        "both": {"soft": soft, **softly, "confusion": CONFUSION},
    }


def given(y, classes, k, rng):
    """Which k examples of each of these classes, or all there are, have a label; smaller draws lie in larger ones."""
    order = rng.permutation(len(y))
    return np.concatenate([order[y[order] == c][:k] for c in classes])


def reduced(x_source, x_target, *tests):
    """Each as `WIDTH` numbers of a picture: principal components of source and target, scaled alike, without labels."""
    from sklearn.decomposition import PCA

    both = np.concatenate([x_source, x_target])
    turn = PCA(WIDTH, svd_solver="full").fit(both)
    scale = turn.transform(both).std()
    return [(turn.transform(x) / scale).astype("float32") for x in (x_source, x_target, *tests)]


def recalls(y, logits, classes):
    """Percent of each class that is named right."""
    named = logits.argmax(axis=1)
    return np.array([100 * (named[y == c] == c).mean() for c in range(classes)])


def read(domain, seed):
    """What a frozen network makes of a collection: `(x, y, x_test, y_test)`, each row of x of length 1."""
    from sklearn.preprocessing import normalize

    from tlcourse.material import backbones, data, features

    if domain in DOMAINS:
        split, network = data.stickers(domain, size=96, seed=seed), backbones.efficientnet_lite0(input_size=96)
        parts = split.x_train, split.y_train, split.x_test, split.y_test
    else:
        split, rng = data.reviews(domain), np.random.default_rng(seed)
        train, test = (rng.permutation(len(y))[:n] for y, n in ((split.y_train, SENTENCES), (split.y_test, 400)))
        parts = split.x_train[train], split.y_train[train], split.x_test[test], split.y_test[test]
    make = (lambda x: features.extract(network, x)) if domain in DOMAINS else (lambda x: features.embed(x, length=64))
    return normalize(make(parts[0])), parts[1], normalize(make(parts[2])), parts[3]


def trial(config):
    """Percent of each class that is named right in the target, by which classes have labels, how many, and the arm."""
    seed = config["seed"]
    x_source, y_source, *_ = read(config["source"], seed)
    x_target, y_target, x_test, y_test = read(config["target"], seed)
    classes = len(np.unique(y_source))
    x_source, x_target, x_test = reduced(x_source, x_target, x_test)
    x, domain = np.concatenate([x_source, x_target]), np.repeat([0, 1], [len(x_source), len(x_target)])
    rng = np.random.default_rng(seed)
    order, net, rows = rng.permutation(classes), Network(WIDTH, classes, seed=seed), []

    def run(labelled, k, name, y, **arm):
        right = recalls(y_test, net.fit(x, y, domain, **arm).logits(x_test), classes)
        has = " ".join(str(int(c in labelled)) for c in range(classes))
        rows.append({"labelled": has, "labels": k, "method": name, "recall": " ".join(f"{r:.1f}" for r in right)})

    nothing = np.concatenate([y_source, np.full(len(x_target), -1)])
    for name in ("joint", "confusion"):
        run([], 0, name, nothing, confusion=CONFUSION * (name == "confusion"))
    soft = soft_labels(net.fit(x, nothing, domain).logits(x_source), y_source, T)
    for labelled in (order, order[: classes // 2]):
        for k in LABELS:
            y = nothing.copy()
            chosen = given(y_target, labelled, k, np.random.default_rng(seed))
            y[len(x_source) + chosen] = y_target[chosen]
            for name, arm in arms(soft).items():
                run(labelled, k, name, y, **arm)
            if len(labelled) == classes:
                run(labelled, k, "target alone", y, alone=True)
    return rows
