"""The checks of chapter 08 accept every right answer that we could think of, and name what the others believe."""

import keras
import numpy as np
import pytest

from tlcourse.classroom import checks
from tlcourse.classroom.checks import NotYet
from tlcourse.methods import lora

LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


# --- merging by hand ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def layer():
    keras.utils.set_random_seed(0)
    layer = keras.layers.Dense(6)
    layer.build((None, 5))
    layer.enable_lora(2, lora_alpha=8)
    layer.lora_kernel_b.assign(np.random.default_rng(0).normal(size=(2, 6)))
    return layer


def test_a_merged_kernel_is_recognised_however_it_is_made(layer, capsys):
    a, b, w = layer.lora_kernel_a, layer.lora_kernel_b, layer._kernel
    checks.merged_kernel(w + 8 / 2 * (a @ b), layer)
    checks.merged_kernel(w.numpy() + 4 * np.einsum("ir,rj->ij", a.numpy(), b.numpy()), layer)
    checks.merged_kernel((w + 4 * (a @ b)).numpy().tolist(), layer)
    checks.merged_kernel(layer.kernel, layer)
    assert capsys.readouterr().out.count("✓") == 4


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda w, ab: w, "without its update"),
        (lambda w, ab: 4 * ab, "added"),
        (lambda w, ab: w + ab, "scale is missing"),
        (lambda w, ab: w + 8 * ab, "divided by the rank"),
        (lambda w, ab: w - 4 * ab, "taken away"),
        (lambda w, ab: w + 2 * ab, "order and scale"),
        (lambda w, ab: (w + 4 * ab).T, "shape"),
        (lambda w, ab: (w, 4 * ab), "got a tuple: put it together"),
        (lambda w, ab: 1.0, "got the shape"),
    ],
)
def test_other_kernels_are_refused(layer, answer, hint):
    w, ab = layer._kernel.numpy(), layer.lora_kernel_a.numpy() @ layer.lora_kernel_b.numpy()
    with pytest.raises(NotYet, match=hint):
        checks.merged_kernel(answer(w, ab), layer)


def test_an_untrained_adapter_cannot_tell_answers_apart_and_says_so():
    fresh = keras.layers.Dense(6)
    fresh.build((None, 5))
    fresh.enable_lora(2)
    with pytest.raises(NotYet, match="nothing to merge"):
        checks.merged_kernel(fresh.kernel, fresh)


# --- the adapter that comes too late -----------------------------------------------------------------------------


def body(model):
    return model.get_layer("body")


def by_the_order_of_flags(model):
    body(model).trainable = True
    body(model).enable_lora(3, lora_alpha=6)
    body(model).bias.trainable = False
    model.compile("adam", LOSS)


def by_the_weight(model):
    body(model).enable_lora(1)
    body(model).trainable = True
    for weight in model.weights:
        weight.trainable = "lora" in weight.path or "logits" in weight.path
    model.compile(keras.optimizers.SGD(0.1), LOSS)


def by_the_package(model):
    lora.adapt(model, 2, parts=["body"], head="logits", seed=0)
    model.compile("rmsprop", LOSS, metrics=["accuracy"])


def with_the_other_one_zero(model):
    body(model).trainable = True
    body(model).enable_lora(2, a_initializer="zeros", b_initializer="he_normal")
    body(model).bias.trainable = False
    model.compile("adam", LOSS)


@pytest.mark.parametrize("mend", [by_the_order_of_flags, by_the_weight, by_the_package, with_the_other_one_zero])
def test_every_real_mend_is_accepted(mend, capsys):
    checks.adapted_in_time(mend)
    assert "✓" in capsys.readouterr().out


def nothing(model):
    pass


def stale_and_frozen(model):
    body(model).enable_lora(2)


def compiled_and_frozen(model):
    body(model).enable_lora(2)
    model.compile("adam", LOSS)


def thawed_afterwards(model):
    body(model).enable_lora(2)
    body(model).trainable = True
    model.compile("adam", LOSS)


def bias_left_free(model):
    body(model).trainable = True
    body(model).enable_lora(2)
    model.compile("adam", LOSS)


def never_compiled(model):
    body(model).trainable = True
    body(model).enable_lora(2)
    body(model).bias.trainable = False


def both_zero(model):
    body(model).trainable = True
    body(model).enable_lora(2, a_initializer="zeros")
    body(model).bias.trainable = False
    model.compile("adam", LOSS)


def both_random(model):
    body(model).trainable = True
    body(model).enable_lora(2, b_initializer="he_normal")
    body(model).bias.trainable = False
    model.compile("adam", LOSS)


def head_frozen(model):
    by_the_order_of_flags(model)
    model.get_layer("logits").trainable = False
    model.compile("adam", LOSS)


def one_of_two(model):
    by_the_order_of_flags(model)
    body(model).lora_kernel_a.trainable = False
    model.compile("adam", LOSS)


def loss_of_probabilities(model):
    by_the_order_of_flags(model)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy())


def loss_without_labels(model):
    by_the_order_of_flags(model)
    model.compile("adam", lambda y, z: keras.ops.mean(keras.ops.square(z)))


@pytest.mark.parametrize(
    ("mend", "hint"),
    [
        (loss_of_probabilities, "ends in logits"),
        (loss_without_labels, "ends in logits"),
        (keras.layers.Dense, "got the class Dense"),
        (nothing, "no adapter"),
        (stale_and_frozen, "frozen layer overrules"),
        (compiled_and_frozen, "frozen layer overrules"),
        (thawed_afterwards, "big kernel moved"),
        (bias_left_free, "layer's bias"),
        (never_compiled, "program that it traced"),
        (both_zero, "both zero"),
        (both_random, "something else than before"),
        (head_frozen, "head no longer"),
        (one_of_two, "Only one of A and B"),
        ("adapt", "a function of the model, got a str"),
    ],
)
def test_every_half_mend_is_refused_with_its_misconception(mend, hint):
    with pytest.raises(NotYet, match=hint):
        checks.adapted_in_time(mend)
