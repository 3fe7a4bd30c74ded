"""Chapter 06's checks accept every right answer and name the misconception behind the wrong ones."""

import keras
import numpy as np
import pandas as pd
import pytest

from tlcourse.classroom import checks
from tlcourse.classroom.checks import NotYet
from tlcourse.methods import layer_transfer

GAINS = pd.DataFrame(
    np.array([[-9.0, 5, -2, 4], [-11.0, 7, -4, 2]]),
    columns=pd.MultiIndex.from_product([["AnB", "AnB+", "BnB", "BnB+"], [6]]),
)


def test_specificity_is_the_difference_in_the_source_alone(capsys):
    checks.specificity(7.0, GAINS)
    checks.specificity(np.float64(7.01), GAINS)
    assert capsys.readouterr().out.count("✓") == 2


@pytest.mark.parametrize(
    ("answer", "hint"),
    [(-7, "sign"), (16, "whole distance"), (10, "base B"), (6, "co-adaptation"), (13, "differ twice"), (1, "as many")],
)
def test_other_distances_are_refused(answer, hint):
    with pytest.raises(NotYet, match=hint):
        checks.specificity(answer, GAINS)


def test_what_a6b_trains_by_counting(capsys):
    checks.trained_parameters(sum(w.numpy().size for w in layer_transfer.network(31, seed=0).trainable_weights[-4:]))
    assert "✓" in capsys.readouterr().out


def test_other_counts_are_refused():
    with pytest.raises(NotYet, match="copied and frozen"):
        checks.trained_parameters(7)


def by_clone(source, n, classes):
    model = keras.models.clone_model(source)
    for i in range(1, n + 1):
        model.get_layer(f"layer{i}").set_weights(source.get_layer(f"layer{i}").get_weights())
    return keras.Model(model.input, keras.layers.Dense(classes, name="layer8")(model.layers[-2].output))


def test_every_real_copy_is_accepted(capsys):
    checks.copied_layers(by_clone)
    checks.copied_layers(lambda source, n, classes: layer_transfer.transfer(source, n, classes, frozen=False, seed=7))
    assert capsys.readouterr().out.count("✓") == 2


def frozen(source, n, classes):
    return layer_transfer.transfer(source, n, classes, frozen=True, seed=1)


@pytest.mark.parametrize(
    ("mended", "hint"),
    [
        (frozen, "free to move"),
        (lambda source, n, classes: source, "logits for 4 classes"),
        (lambda source, n, classes: layer_transfer.network(classes, size=8, seed=2), "weights differ"),
        (lambda source, n, classes: keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(),
                                                      keras.layers.Dense(4)]), "layer1 to layer8"),
        (7, "function of source"),
    ],
)  # fmt: skip
def test_other_copies_are_refused(mended, hint):
    with pytest.raises(NotYet, match=hint):
        checks.copied_layers(mended)
