"""Two faults of Keras that chapters show: once it is mended these tests fail first, and say what must become "was"."""

import keras
import nbformat
import numpy as np
import pytest

from tlcourse.methods import freezing
from tlcourse.workshop import NOTEBOOKS

V = 3 * np.random.default_rng(0).normal(size=(40, 5)).astype("float32")
# For each chapter the cells that speak of its fault.
CELLS = {
    "01": ["eaa52596", "1519ad7d", "58c7c6ec", "dc088354", "a05e3bb5", "a358ae2b", "33b4f490"],
    "07": ["b8293914", "d8b9202f", "1397fdfb", "a4961024"],
}
BATCH_NORM = (
    "`fit` heeds the training=False of a nested call. The recorded tables batch_norm and moving_statistics hold what "
    "3.15 did: to record them anew, let their trials call base(inputs) without it"
)
DISTILLATION = (
    "the default loss of LogitsDistillation takes the softmax. Make another bug of chapter 07's bug hunt, take the "
    "first wrong answer for softened_loss away, and keep the rows `logits` of the recorded table"
)


def mended(chapter, what):
    cells = ", ".join(CELLS[chapter])
    return f"Keras {keras.__version__} is mended: {what}. In chapter {chapter} let the cells {cells} say 'was'."


def test_fit_overrides_the_training_false_of_a_nested_call():
    inputs, outer = keras.Input((4,)), keras.Input((4,))
    norm = keras.layers.BatchNormalization()
    base = keras.Model(inputs, norm(inputs))
    model = keras.Model(outer, keras.layers.Dense(1)(base(outer, training=False)))
    before = freezing.snapshot(norm)
    model.compile("sgd", "mse")
    model.fit(V[:, :4] + 5, V[:, 4], verbose=0)
    moved = any("moving" in path for path in freezing.changed(norm, before))
    assert moved, mended("01", BATCH_NORM)


def test_the_default_distillation_loss_never_takes_the_softmax():
    default = keras.distillation.LogitsDistillation(temperature=2.0)
    shifted = float(default.compute_loss(V, V + 7))  # the same answers, and a loss
    assert shifted != pytest.approx(0, abs=1e-3), mended("07", DISTILLATION)


@pytest.mark.parametrize("chapter", CELLS)
def test_the_cells_that_speak_of_a_fault_are_there(chapter):
    (path,) = NOTEBOOKS.glob(f"{chapter}_*.ipynb")
    assert set(CELLS[chapter]) <= {cell.id for cell in nbformat.read(path, as_version=4).cells}
