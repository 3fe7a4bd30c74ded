"""The checks of chapters 04 and 05 take every right answer, not only the one that the solution happens to give."""

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from tlcourse.classroom import checks
from tlcourse.classroom.checks import NotYet

Dense, Loss = keras.layers.Dense, keras.losses.SparseCategoricalCrossentropy


@pytest.mark.parametrize(
    ("head", "loss"),
    [
        (Dense(8), Loss(from_logits=True)),
        (Dense(8, activation="linear"), Loss(from_logits=True)),
        (Dense(8, activation="softmax"), Loss()),
        (Dense(8), lambda y, z: keras.losses.sparse_categorical_crossentropy(y, z, from_logits=True)),
    ],
)
def test_one_softmax_is_right_wherever_it_is_taken(head, loss, capsys):
    checks.head_and_loss((head, loss))
    assert "One softmax" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("mended", "hint"),
    [
        ((Dense(8, activation="softmax"), Loss(from_logits=True)), "another"),
        ((Dense(8), Loss()), "nobody takes the softmax"),
        ((Dense(8, activation="sigmoid"), Loss()), "exclude each other"),
        ((Dense(3), Loss(from_logits=True)), "eight units"),
        ((Dense(8), keras.losses.CategoricalCrossentropy(from_logits=True)), "integer labels"),
        (Dense(8), "a tuple"),
    ],
)
def test_another_pair_is_refused_for_its_own_reason(mended, hint):
    with pytest.raises(NotYet, match=hint):
        checks.head_and_loss(mended)


def runs():
    """Two settings, two splits. By split, validation chooses 72 and 90; by the means over both it chooses setting 1."""
    rows = [(1, 0, 84, 72), (2, 0, 60, 80), (1, 1, 86, 70), (2, 1, 90, 90)]
    table = pd.DataFrame(rows, columns=["top", "seed", "validation_accuracy", "test_accuracy"])
    return table.assign(start="probe", rate=1e-4, decay=1.0)


def test_a_choice_by_validation_within_each_split_is_taken(capsys):
    checks.honest_choice(81.0, runs())
    assert "81.0 %" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (85.0, "tuned on them"),  # each split's best, and the best setting, on the test photographs
        (87.0, "flatters"),
        (90.0, "luck"),
        (71.0, "has peeked"),
        (0.81, "share"),
        (75.0, "Not 75"),
    ],
)
def test_a_choice_by_anything_else_is_refused(answer, hint):
    with pytest.raises(NotYet, match=hint):
        checks.honest_choice(answer, runs())


@pytest.fixture
def dataset():
    """Sixteen files, a decoder that notes what it reads, and a jitter."""
    keras.utils.set_random_seed(0)
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
    ],
)
def test_whatever_keeps_the_pictures_and_renews_the_jitter_is_right(order, dataset, capsys):
    *parts, reads = dataset
    checks.cached_pipeline(order(*parts), reads)
    assert "Order is all" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("order", "hint"),
    [
        (lambda files, decode, augment: files.map(decode).map(augment).cache(), "kept with the pictures"),
        (lambda files, decode, augment: files.map(decode).map(augment), "48 pictures were decoded"),
        (lambda files, decode, augment: files.map(decode).cache(), "where is `augment`"),
        (lambda files, decode, augment: files.map(decode).cache().map(augment).repeat(2), "leave out repeat"),
    ],
)
def test_a_pipeline_that_wastes_or_freezes_is_refused(order, hint, dataset):
    *parts, reads = dataset
    with pytest.raises(NotYet, match=hint):
        checks.cached_pipeline(order(*parts), reads)
