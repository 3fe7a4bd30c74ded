"""Runs an experiment's real `trial` in seconds: small networks of the same names, made-up data, its `MINIATURE`.

What was learnt from is noted: the arrays that every `fit` was given, and the weights that came out.
"""

import contextlib
import dataclasses
import functools
import hashlib
import importlib

import numpy as np

from tlcourse import experiments
from tlcourse.experiments import shared_tasks, shared_trunk
from tlcourse.material import backbones, data, features
from tlcourse.material.backbones import efficientnet, sentence_bert
from tlcourse.material.features import extraction
from tlcourse.methods import confusion, few_shot, multitask, reptile


def pictures(classes: int, each: int, *, size: int = 28, channels: int = 0, seed: int = 0):
    """Noise round a shade and a stripe of the class; `(n, size, size[, channels]) uint8`, labels in random order."""
    rng = np.random.default_rng([seed, classes, each])
    y = rng.permutation(np.repeat(np.arange(classes), each))
    x = rng.uniform(0, 80, (len(y), size, size, channels or 1)) + 150 * (y / classes)[:, None, None, None]
    x[np.arange(len(y)), y + 2] = 255
    return x.astype("uint8")[..., slice(None) if channels else 0], y


class World:
    """Made-up data in the place of the course's; with `other_test` all that is tested on is something else."""

    other_test = False
    tests = 0  # that were handed out

    def split(self, classes, each, *, test_fraction=0.25, **shape):
        x, y = pictures(classes, each, **shape)
        tested = np.concatenate([np.flatnonzero(y == c)[: round(test_fraction * each)] for c in range(classes)])
        tested = tested.astype(int)
        rest = np.setdiff1d(np.arange(len(y)), tested)
        return data.Split(x[rest], y[rest], *self.test(x[tested], y[tested]), tuple("abcdefghijk"[:classes]))

    def test(self, x, y):
        self.tests += len(y)
        return (255 - x[::-1], np.roll(y, 1) if len(y) else y) if self.other_test else (x, y)

    def stickers(self, domain="photo", *, size=32, test_fraction=0.25, seed=0):
        return self.split(8, 8, size=size, channels=3, test_fraction=test_fraction, seed=seed + len(domain))

    def digits(self, name="mnist", *, more=False):
        split = self.split(10, 24, channels=3 if name == "mnist_m" else 0)
        if not more:
            return split
        x, y = pictures(10, 12, seed=1)
        return dataclasses.replace(
            split, x_train=np.concatenate([split.x_train, x]), y_train=np.concatenate([split.y_train, y])
        )

    def fashion(self):
        return self.split(10, 8)

    def reviews(self, domain):
        rng = np.random.default_rng(len(domain))
        y = rng.permutation(np.repeat([0, 1], 32))
        texts = np.array([f"{'good' if label else 'bad'} {rng.integers(40)}" for label in y], object)
        x_test, y_test = texts[48:], y[48:]
        self.tests += len(y_test)
        if self.other_test:
            x_test, y_test = x_test[::-1], 1 - y_test
        return data.Split(texts[:48], y[:48], x_test, y_test, ("bad", "good"))

    def letters(self, seed):
        split = self.split(8, 8, size=32, channels=3, seed=seed)
        return split.x_train, split.y_train, split.x_test, split.y_test

    def grey(self, classes, each, seed):
        x, y = pictures(classes, each, seed=seed)
        return x[..., None].astype("float32"), y

    def tasks(self, seed):
        names = ("near", "other fonts", "scripts", "fonts", "target")
        task = {name: self.grey(4, 4, seed + i) for i, name in enumerate(names)}
        return {**task, "test": self.test(*self.grey(4, 3, seed + 9))}

    def writing_system(self, name):
        scripts = data.scripts(name)
        self.tests += len(scripts.images)
        return (255 - scripts.images[::-1] if self.other_test else scripts.images), scripts.faces

    def unlabelled(self, pictures, seed):
        return self.grey(4, 8, seed)[0], *self.grey(4, 4, seed + 1), *self.test(*self.grey(4, 3, seed + 9))

    def letter_pairs(self, kinds, seed):
        """Pictures and labels of four letters, font by font: 0 a source, 1 the target, 2 a test."""

        def fonts(x, y):
            turn = np.array([np.sum(y[:i] == label) for i, label in enumerate(y)])
            order = np.lexsort((y, turn))
            return x[order], y[order]

        source, target = (fonts(*self.grey(4, 6, seed + i)) for i in range(2))
        return tuple(self.test(*self.grey(4, 3, seed + 9)) if kind == 2 else (source, target)[kind] for kind in kinds)

    def few_letters(self, seed):
        few, test = self.letter_pairs((1, 2), seed)
        return *few, *test

    def worlds(self, seed):
        sources = {"letters": self.grey(5, 4, seed)}
        return sources, {"letters": (*self.grey(4, 3, seed), *self.test(*self.grey(4, 3, seed + 20)))}

    def asked(self, name, seed):
        x, y = self.grey(4, 6, seed)
        x_test, y_test = self.test(*self.grey(4, 3, seed + 9))
        tasks = ("class", "domain") if name == "stickers" else ("character", "key", "kind", "style", "font")
        labels, tested = ({task: labels for task in tasks} for labels in (y, y_test))
        labelled = len(x) if name == "stickers" else len(x) // 2
        return shared_tasks.World(x, labels, labelled, x_test, tested, np.arange(4)[::-1])

    def systems(self, seed):
        found = []
        for number in range(6):
            x, y = self.grey(3, 2, seed + number)
            x_test, y_test = self.test(*self.grey(3, 3, seed + number + 20))
            order = np.argsort(y, kind="stable").reshape(3, 2)
            found.append(shared_trunk.System(f"system {number}", 2, x[order], np.arange(2), x_test, y_test))
        return found


def lite0(*, classes=None, weights="imagenet", input_size=32):
    """One convolution with batch norm for each of EfficientNet-Lite0's blocks; "trained" is one fixed draw."""
    import keras
    from keras import layers

    if weights:
        keras.utils.set_random_seed(7)
    inputs = keras.Input((input_size, input_size, 3))
    x = layers.Rescaling(1 / 128, offset=-127 / 128, name="rescale")(inputs)
    for i, block in enumerate(("stem", *(f"block{i}a" for i in range(1, 8)), "top")):
        x = efficientnet._conv_bn(x, block, filters=8, kernel=3, stride=2 if i < 3 else 1, momentum=0.9)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, x if classes is None else layers.Dense(classes, name="logits")(x))


def tokenize(texts, *, length):
    """Each word a number, by its letters."""
    rows = [[1 + sum(map(ord, word)) % 49 for word in text.split()][:length] for text in texts]
    return np.array([row + [0] * (length - len(row)) for row in rows], "int32")


def minilm(*, length=6):
    import keras

    keras.utils.set_random_seed(7)
    return sentence_bert.build(length=length)


def extract(model, x, **_):
    return model.predict(extraction._scale(np.asarray(x), model.input_shape[1:3]), verbose=0)


def embed(texts, *, length, **_):
    return minilm(length=length).predict(tokenize(texts, length=length), verbose=0)


@contextlib.contextmanager
def small_world(monkeypatch):
    """Everything that a trial loads or builds is small; yields the `World`."""
    import tensorflow as tf

    world = World()
    with monkeypatch.context() as patch:
        for name in ("stickers", "digits", "fashion", "reviews"):
            patch.setattr(data, name, getattr(world, name))
        for name, small in {"efficientnet_lite0": lite0, "minilm": minilm, "tokenize": tokenize}.items():
            patch.setattr(backbones, name, small)
        sizes = {"LAYERS": 1, "HEADS": 2, "HEAD_DIM": 4, "WIDTH": 8, "HIDDEN": 16, "VOCABULARY": 50, "POSITIONS": 16}
        for name, size in sizes.items():
            patch.setattr(sentence_bert, name, size)
        patch.setattr(features, "extract", extract)
        patch.setattr(features, "embed", embed)
        patch.setattr(module("first_start"), "drawings", lambda other_things=False: pictures(8, 8, size=32, channels=3))
        for target in ("things", "letters", "photographs"):
            patch.setattr(module("samples"), target, world.letters)
        patch.setattr(module("copied_layers"), "tasks", world.tasks)
        patch.setattr(module("copied_layers_steps"), "task", world.tasks)
        patch.setattr(module("negative_transfer"), "worlds", world.worlds)
        patch.setattr(module("few_shot"), "tested_letters", world.writing_system)
        patch.setattr(shared_tasks, "world", world.asked)
        patch.setattr(shared_trunk, "world", world.systems)
        patch.setattr(module("surrogate_tasks"), "world", world.unlabelled)
        for name, pairs in {"generated_pictures": (0, 1, 2, 0), "inherited_invariance": (0, 2, 1, 2)}.items():
            patch.setattr(module(name), "world", functools.partial(world.letter_pairs, pairs))
        patch.setattr(module("collapse"), "world", functools.partial(world.letter_pairs, (0, 1)))
        patch.setattr(module("transformations"), "world", world.few_letters)
        tf.config.run_functions_eagerly(True)
        try:
            yield world
        finally:
            tf.config.run_functions_eagerly(False)


def module(name):
    return importlib.import_module(f"{experiments.__name__}.{name}")


def run(name: str, monkeypatch, **config) -> list[dict]:
    """The rows of an experiment's trial in miniature, with this config if one is given."""
    experiment = module(name)
    smaller = dict(experiment.MINIATURE)
    config = {**smaller.pop("config", experiment.CONFIGS[0]), "seed": 3, **config}
    with monkeypatch.context() as patch:
        for path, value in smaller.items():
            *inner, constant = path.split(".")
            owner = getattr(experiment, inner[0]) if inner else experiment
            assert hasattr(owner, constant), f"{name} has no {path}"
            patch.setattr(owner, constant, value)
        return experiment.trial(config)


@contextlib.contextmanager
def noted(monkeypatch):
    """A list that grows with every `fit` of Keras and scikit-learn.

    By the learner's name, how many examples it was given, the optimizer's steps, and two hashes: of what it was given,
    and of the weights that came out.
    """
    import keras
    from sklearn.linear_model import LogisticRegression, RidgeClassifierCV
    from sklearn.svm import SVC

    lessons = []

    def hashed(*arrays):
        arrays = [part for a in arrays for part in (a.values() if isinstance(a, dict) else [a])]
        return hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in arrays)).hexdigest()[:8]

    with monkeypatch.context() as patch:
        learners = (keras.Model, LogisticRegression, RidgeClassifierCV, SVC, confusion.Network, few_shot.Trainer)
        for learner in (*learners, multitask.Network, reptile.Reptile):
            before = learner.fit

            def fit(self, x, y, *words, before=before, **more):
                result = before(self, x, y, *words, **more)
                is_network = isinstance(self, keras.Model)
                steps = int(self.optimizer.iterations) if is_network else 0
                learnt = self.get_weights() if is_network else [np.asarray(v) for v in getattr(self, "state", ())]
                lessons.append((type(self).__name__, len(x), steps, hashed(x, y), hashed(*learnt)))
                return result

            patch.setattr(learner, "fit", fit)
        yield lessons
