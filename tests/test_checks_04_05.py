"""The checks of chapters 04 and 05 take every right answer, not only the one that the solution happens to give."""

from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from tlcourse.classroom import checks, scoreboard
from tlcourse.classroom.checks import NotYet
from tlcourse.classroom.claims import claims
from tlcourse.methods.statistics import Interval

Dense, Loss = keras.layers.Dense, keras.losses.SparseCategoricalCrossentropy


@pytest.mark.parametrize(
    ("head", "loss"),
    [
        (Dense(8), Loss(from_logits=True)),
        (Dense(8, activation="linear"), Loss(from_logits=True)),
        (Dense(8, activation="softmax"), Loss()),
        (Dense(8), Loss(from_logits=True, reduction="sum")),
        (Dense(8), lambda y, z: keras.losses.sparse_categorical_crossentropy(y, z, from_logits=True)),
    ],
)
def test_one_softmax_is_right_wherever_it_is_taken(head, loss, capsys):
    checks.head_and_loss((head, loss))
    checks.head_and_loss([head, loss])
    assert capsys.readouterr().out.count("One softmax") == 2


@pytest.mark.parametrize(
    ("mended", "hint"),
    [
        ((Dense(8, activation="softmax"), Loss(from_logits=True)), "another"),
        ((Dense(8), Loss()), "nobody takes the softmax"),
        ((Dense(8, activation="sigmoid"), Loss()), "exclude each other"),
        ((Dense(3), Loss(from_logits=True)), "eight units"),
        ((Dense(8), keras.losses.CategoricalCrossentropy(from_logits=True)), "integer labels"),
        ((Dense(8), Loss(from_logits=True, ignore_class=0)), r"not for the classes \[0\]"),
        ((Dense(8), Loss), "got its class"),
        ((Dense, Loss(from_logits=True)), "got the class Dense itself"),
        ((Dense(8), lambda y, z: keras.ops.zeros(1)), "nobody takes|does not compute"),
        ((Dense(8),), "got 1 things"),
        (Dense(8), "a tuple"),
    ],
)
def test_another_pair_is_refused_for_its_own_reason(mended, hint):
    with pytest.raises(NotYet, match=hint):
        checks.head_and_loss(mended)


@pytest.fixture
def dataset():
    """Sixteen files, a decoder that notes what it reads, and a jitter."""
    reads, pictures = [], np.full((16, 8, 8, 3), 255, "float32")
    pictures[:, 2:5, 1:3] = np.arange(16)[:, None, None, None]
    jitter = keras.layers.RandomBrightness(0.2, seed=1)

    def decode(i):
        def slow(i):
            reads.append(int(i))
            return pictures[int(i)]

        return tf.ensure_shape(tf.numpy_function(slow, [i], tf.float32), (8, 8, 3))

    return tf.data.Dataset.range(16), decode, lambda picture: jitter(picture, training=True), reads


@pytest.mark.parametrize(
    "order",
    [
        lambda files, decode, augment: files.map(decode).cache().map(augment),
        lambda files, decode, augment: files.map(decode).cache().shuffle(16).map(augment).batch(4).prefetch(1),
        lambda files, decode, augment: files.map(decode).cache().batch(16).map(augment),
        lambda files, decode, augment: files.shuffle(16).map(decode, num_parallel_calls=2).cache().map(augment),
    ],
)
def test_whatever_keeps_the_pictures_and_renews_the_jitter_is_right_however_often_it_is_asked(order, dataset, capsys):
    *parts, reads = dataset
    pipeline = order(*parts)
    checks.cached_pipeline(pipeline, reads)
    list(pipeline)
    before = list(reads)
    checks.cached_pipeline(pipeline, reads)
    assert capsys.readouterr().out.count("Order is all") == 2 and reads == before


@pytest.mark.parametrize(
    ("order", "hint"),
    [
        (lambda files, decode, augment: files.map(decode).map(augment).cache(), "kept with the pictures"),
        (lambda files, decode, augment: files.map(decode).map(augment).cache().shuffle(16), "kept with the pictures"),
        (lambda files, decode, augment: files.map(decode).map(augment), "32 more pictures were decoded"),
        (lambda files, decode, augment: files.cache().map(decode).map(augment), "can be kept"),
        (lambda files, decode, augment: files.map(decode), "nothing new is drawn"),
        (lambda files, decode, augment: files.map(decode).cache(), "where is `augment`"),
        (lambda files, decode, augment: files.map(decode).cache().shuffle(16), "where is `augment`"),
        (lambda files, decode, augment: files.map(decode).cache().map(augment).repeat(2), "17: leave out repeat"),
        (lambda files, decode, augment: files.map(decode).cache().map(augment).repeat(), "leave out repeat"),
        (lambda files, decode, augment: files.repeat().map(decode).filter(lambda _: True), "leave out repeat"),
        (lambda files, decode, augment: files.take(8).map(decode).cache().map(augment), "got 8: do not leave any out"),
        (lambda files, decode, augment: list(files.map(decode)), "a tf.data.Dataset, got a list"),
    ],
)
def test_a_pipeline_that_wastes_or_freezes_is_refused(order, hint, dataset):
    *parts, reads = dataset
    pipeline = order(*parts)
    for _ in range(2):
        with pytest.raises(NotYet, match=hint):
            checks.cached_pipeline(pipeline, reads)


TIMES = pd.DataFrame(
    {"training photographs": {"stem": 100.8, "block7": 79.6}, "unseen photographs": {"stem": 2.4, "block7": 5.7}}
)


@pytest.mark.parametrize("answer", [{"SGD": 79.6, "Adam": 1}, {"SGD": 80, "Adam": 1.0, "RMSprop": 3}])
def test_the_first_step_is_longer_for_sgd_alone(answer, capsys):
    checks.first_step(answer, TIMES)
    assert "✓" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ({"SGD": 79.6, "Adam": 79.6}, "its own size"),
        ({"SGD": 79.6, "Adam": 79.6**0.5}, "squares"),
        ({"SGD": 79.6, "Adam": 2}, "Adam: divide"),
        ({"SGD": 5.7, "Adam": 1}, "neither head"),
        ({"SGD": 1 / 79.6, "Adam": 1}, "upside down"),
        ({"SGD": 79.6}, "missing: Adam"),
        ([79.6, 1], "a dict"),
    ],
)
def test_another_first_step_is_refused_for_its_own_reason(answer, hint):
    with pytest.raises(NotYet, match=hint):
        checks.first_step(answer, TIMES)


def test_the_corners_are_judged_as_the_scoreboard_judges():
    """The truth of the check and the scoreboard's rule are one."""
    intervals = {
        "small, similar": ((-4, -6, -2), "contradicted"),  # turned round: the advice is the head
        "small, different": ((3, -5, 11), "cannot tell"),
        "large, different": ((5, 4, 6), "held"),
        "large, similar": ((1, 0, 2), "no matter"),
    }
    words = {"held": "reproduced", "no matter": "bounded"}
    claim = replace(
        next(iter(claims().values())), null=0.0, interest=3.0, direction="above", published=None, withdrawn=""
    )
    for said, verdict in intervals.values():
        assert scoreboard.verdict(claim, Interval(*said, 9)) == words.get(verdict, verdict)
    checks.corners({name: verdict.upper() for name, (_, verdict) in intervals.items()})


def test_a_corner_without_a_verdict_is_named():
    with pytest.raises(NotYet, match="missing: large, similar"):
        checks.corners(dict.fromkeys(["small, similar", "small, different", "large, different"], "held"))
    with pytest.raises(NotYet, match="expected one of"):
        checks.corners(dict.fromkeys(["small, similar", "small, different", "large, different", "large, similar"], "?"))


@pytest.fixture
def compared():
    """Four draws with two and with six pictures a class; only two letters a class are told, for six have an outlier."""
    rows = [("letters", 2, [9, 10, 11, 10]), ("letters", 6, [20, 21, 20, -9]), ("things", 2, [1, -1, 0, 1])]
    rows.append(("things", 6, [5, 6, 5, 6]))
    return pd.DataFrame(
        [
            (target, k, method, seed, 50 + gain * (method == "FT, known rate"))
            for target, k, gains in rows
            for seed, gain in enumerate(gains)
            for method in ("FT, known rate", "FE, last block")
        ],
        columns=["target", "k", "method", "seed", "accuracy"],
    )


POOL = {"things": 0.1, "letters": 0.1}


@pytest.mark.parametrize(
    "apart",
    [
        {"letters": [2], "things": [6]},
        {"letters": 2, "things": (6,)},
        {"letters": {2}, "things": np.array([6])},
    ],
)
def test_where_the_interval_is_off_zero_in_any_kind_of_list(apart, compared, capsys):
    checks.told_apart(apart, compared, POOL)
    assert "✓" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("apart", "hint"),
    [
        ({"letters": [2, 6], "things": [6]}, "6 a class: the interval holds zero although"),
        ({"letters": [2], "things": [2, 6]}, "2 a class: the interval holds zero.$"),
        ({"letters": [2], "things": []}, "one more"),
        ({"letters": [2, 7], "things": [6]}, "got 7"),
        ({"letters": [2]}, "missing: things"),
        ([2, 6], "a dict"),
    ],
)
def test_another_set_of_numbers_is_refused_for_its_own_reason(apart, hint, compared):
    with pytest.raises(NotYet, match=hint):
        checks.told_apart(apart, compared, POOL)
