"""Chapter 06's checks accept every right answer and name the misconception behind the wrong ones."""

import keras
import pytest

from tlcourse.classroom import checks
from tlcourse.classroom.checks import NotYet
from tlcourse.methods import layer_transfer


def by_clone(source, n, classes):
    model = keras.models.clone_model(source)
    for i in range(1, n + 1):
        model.get_layer(f"layer{i}").set_weights(source.get_layer(f"layer{i}").get_weights())
    return keras.Model(model.input, keras.layers.Dense(classes, name="layer8")(model.layers[-2].output))


def as_a_sequence(source, n, classes):
    """A `Sequential`, whose weights' paths begin with the model's name."""
    layers = [type(layer).from_config(layer.get_config()) for layer in source.layers[1:-1]]
    model = keras.Sequential([keras.Input(source.input_shape[1:]), *layers, keras.layers.Dense(classes)])
    for mine, hers in list(zip(with_weights(model), with_weights(source), strict=True))[:n]:
        mine.set_weights(hers.get_weights())
    return model


def with_weights(model):
    return [layer for layer in model.layers if layer.weights]


def copied(source, n, classes):
    return layer_transfer.transfer(source, n, classes, frozen=False, seed=7)


@pytest.mark.parametrize("mended", [by_clone, as_a_sequence, copied])
def test_every_real_copy_is_accepted(mended, capsys):
    checks.copied_layers(mended)
    assert "✓" in capsys.readouterr().out


def frozen(source, n, classes):
    return layer_transfer.transfer(source, n, classes, frozen=True, seed=1)


def graft(source, n, classes):
    x = source.get_layer(f"layer{n}").output
    for layer in source.layers[source.layers.index(source.get_layer(f"layer{n}")) + 1 : -1]:
        x = layer.__class__.from_config(layer.get_config())(x)
    return keras.Model(source.input, keras.layers.Dense(classes, name="layer8")(x))


def without_biases(source, n, classes):
    model = layer_transfer.network(classes, size=8, seed=2)
    for mine, hers in list(zip(with_weights(model), with_weights(source), strict=True))[:n]:
        mine.kernel.assign(hers.kernel)
    return model


def freezes_the_source(source, n, classes):
    model = copied(source, n, classes)
    source.trainable = False
    return model


def other_activation(source, n, classes):
    model = copied(source, n, classes)
    model.get_layer("layer2").activation = keras.activations.tanh
    return model


@pytest.mark.parametrize(
    ("mended", "hint"),
    [
        (frozen, "free to move, as in AnB\\+; of these 1, 2, 3 did not"),
        (graft, "hold the same weights"),
        (without_biases, "the bias is not"),
        (lambda source, n, classes: copied(source, 3, classes), "With n = 6, layer 4"),
        (lambda source, n, classes: copied(source, n + 1, classes), "n was 3"),
        (freezes_the_source, "leave the source as it was"),
        (other_activation, "something else is computed"),
        (lambda source, n, classes: source, "logits for 4 classes"),
        (lambda source, n, classes: layer_transfer.network(classes, size=8, seed=2), "weights differ"),
        (lambda source, n, classes: keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(),
                                                      keras.layers.Dense(4)]), "layer1 to layer8"),
        (7, "a function of source, n and classes, got a int"),
        (layer_transfer.network(4, size=8, seed=1), "a function of source, n and classes, got a Functional"),
    ],
)  # fmt: skip
def test_other_copies_are_refused(mended, hint):
    with pytest.raises(NotYet, match=hint):
        checks.copied_layers(mended)
