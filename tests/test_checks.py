"""Checks: silent about what is not answered, a hint for what is wrong, and never a traceback of their own."""

import inspect
import random

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tlcourse.classroom import checks
from tlcourse.classroom.checks import NotYet, core
from tlcourse.material import backbones, data
from tlcourse.methods import freezing

SIZE = 32

# --- what all checks share ---------------------------------------------------------------------------------------


@core.exercise
def forty_two(answer) -> str:
    """The check of the tests."""
    core.require(answer != 41, "One more.")
    core.require(answer / 2 == 21, "Another number.")
    return "Six times seven."


def test_what_is_not_answered_yet_is_no_mistake(capsys):
    assert forty_two(...) is None
    assert capsys.readouterr().out.startswith("Nothing to check yet")


@pytest.mark.parametrize("check", [getattr(checks, name) for name in checks.__all__ if name != "NotYet"])
def test_every_check_is_silent_about_the_dots(check, capsys):
    check(*[...] * len(inspect.signature(check).parameters))
    assert "✓" not in capsys.readouterr().out


@pytest.mark.parametrize("check", [getattr(checks, name) for name in checks.__all__ if name != "NotYet"])
@pytest.mark.parametrize("nonsense", [None, "nonsense", 3.5, [], {}, np.zeros(3), object(), keras, lambda x: x])
def test_nonsense_is_a_hint_for_every_check(check, nonsense, capsys):
    with pytest.raises(NotYet) as caught:
        check(*[nonsense] * len(inspect.signature(check).parameters))
    assert 10 < len(str(caught.value)) < 400 and "\n" not in str(caught.value) and "✓" not in capsys.readouterr().out


def test_one_of_two_answers_missing_is_waited_for(capsys):
    both = core.exercise(lambda a, b: pytest.fail("it looked"))
    both(1, ...)
    both(..., 1)
    assert capsys.readouterr().out.count("Nothing to check yet") == 2


def test_a_right_answer_is_praised_with_the_reason(capsys):
    forty_two(42)
    assert capsys.readouterr().out == "✓ Six times seven.\n"


def test_a_wrong_answer_raises_the_hint(capsys):
    with pytest.raises(NotYet, match="One more"):
        forty_two(41)
    assert issubclass(NotYet, AssertionError) and capsys.readouterr().out == ""


def test_whatever_else_goes_wrong_becomes_a_hint():
    with pytest.raises(NotYet, match="could not be tried: TypeError: .*str") as caught:
        forty_two("42")
    assert isinstance(caught.value.__cause__, TypeError)


def test_a_notebook_shows_the_hint_without_a_traceback():
    assert NotYet("One more.")._render_traceback_() == ["Not yet. One more."]


def test_the_interrupt_key_still_interrupts():
    def stop(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        core.exercise(stop)(1)


def test_pages_of_a_library_become_one_sentence():
    def fails(_):
        raise ValueError("\n\x1b[1mThe structure\x1b[0m\n" + "does not match.\n" * 1000)

    with pytest.raises(
        NotYet, match=r"^Your answer could not be tried: ValueError: The structure does not match\."
    ) as caught:
        core.exercise(fails)(1)
    assert len(str(caught.value)) < 400


def test_no_check_moves_the_students_random_numbers(lite, stickers):
    def draw():
        return random.random(), np.random.rand(), float(keras.random.uniform(())), float(tf.random.uniform(()))  # noqa: NPY002

    def own_mend(base):
        keras.utils.set_random_seed(3)
        all_but_norms(base)

    freezing.thaw(lite, 2)
    noto, twemoji = stickers["noto"], stickers["twemoji"]
    for check, answers in (
        (checks.kept_statistics, [own_mend]),
        (checks.thawed_top, [lite]),
        (checks.no_shared_concepts, [noto.train, twemoji.test]),
        (checks.kept_statistics, [everything]),
        (checks.copied_layers, [lambda source, n, classes: source]),  # builds networks of its own
    ):
        draws = []
        for looked_at in (False, True):
            keras.utils.set_random_seed(7)
            first = draw()
            if looked_at:
                try:
                    check(*answers)
                except NotYet:
                    pass
            draws.append((first, draw()))
        assert draws[0] == draws[1], check


# --- chapter 01 --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [(7,), [7], (np.int64(7),), np.array([7]), tf.TensorShape([7])])
def test_the_bias_has_one_number_an_output(answer, capsys):
    assert layers.Dense(7)(np.zeros((1, 5))).shape == (1, 7)
    checks.bias_shape(answer)
    assert "✓" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ((7, 7), "slides"),
        ((5, 7), "kernel"),
        ((5,), "input"),
        ((7, 1), "dimensions"),
        ((), "dimensions"),
        (7, "a shape"),
    ],
)
def test_other_shapes_of_the_bias_are_refused(answer, hint):
    with pytest.raises(NotYet, match=hint):
        checks.bias_shape(answer)


def test_what_moves_round_a_layer_of_zeros_is_told_as_keras_does_it(capsys):
    sizes = {"lower": 7, "middle": 7, "upper": 2}
    sandwich = keras.Sequential([keras.Input((5,)), *(layers.Dense(n, name=name) for name, n in sizes.items())])
    sandwich.get_layer("middle").kernel.assign(np.zeros((7, 7)))
    sandwich.get_layer("middle").trainable = False
    sandwich.compile("sgd", "mse")
    before = freezing.snapshot(sandwich)
    sandwich.fit(np.eye(5), np.ones((5, 2)), verbose=0)
    moved = freezing.changed(sandwich, before)
    for answer in (moved, set(moved), moved[0], ["upper/bias"], [sandwich.get_layer("upper").bias]):
        checks.moved_weights(answer)
    assert capsys.readouterr().out.count("✓") == 5
    for wrong in (*(set(before) - set(moved)), "upper", "bias", [3]):
        with pytest.raises(NotYet):
            checks.moved_weights(wrong)


@pytest.mark.parametrize(
    "steps",
    [
        ["freeze", "compile", "fit", "thaw", "compile", "fit"],
        ("compile", "freeze", "fit", "thaw", "compile", "fit"),
        "freeze, compile, fit, fit, thaw, compile, fit",
    ],
)
def test_two_stages_in_any_order_that_works(steps, capsys):
    checks.two_stages(steps)
    assert "✓" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("steps", "hint"),
    [
        (["freeze", "compile", "fit", "fit"], "still says frozen"),
        (["compile", "fit"], "two calls"),
        (["fit", "compile", "fit"], "compiled before"),
        (["compile", "fit", "freeze", "fit", "thaw", "fit"], "first `fit` moves the lower"),
        (["start", "fit"], "out of compile, fit, freeze, thaw"),
        (["compile", *["fit"] * 30], "six are enough"),
    ],
)
def test_other_orders_are_refused(steps, hint):
    with pytest.raises(NotYet, match=hint):
        checks.two_stages(steps)


def test_the_backbone_is_recognised_by_its_numbers(capsys):
    whole = backbones.efficientnet_lite0(classes=8, input_size=SIZE)
    checks.features_of_the_backbone(keras.Model(whole.input, whole.get_layer("pool").output))
    assert "✓" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("cut", "weights", "hint"),
    [
        ("logits", "imagenet", "still ends in the 1,000"),
        ("top_relu", "imagenet", "maps of shape"),
        ("pool", None, "were the weights loaded"),
    ],
)
def test_what_is_no_backbone_is_refused(cut, weights, hint):
    whole = backbones.efficientnet_lite0(classes=1000, input_size=SIZE, weights=weights)
    with pytest.raises(NotYet, match=hint):
        checks.features_of_the_backbone(keras.Model(whole.input, whole.get_layer(cut).output))


@pytest.fixture(scope="module")
def lite():
    return backbones.efficientnet_lite0(classes=8, input_size=SIZE)


def test_the_top_is_thawed_as_the_methods_do(lite, capsys):
    freezing.thaw(lite, 2)
    checks.thawed_top(lite)
    for layer in lite.layers:
        layer.trainable = layer.name in ("top_conv", "logits")
    checks.thawed_top(lite)
    assert capsys.readouterr().out.count("✓") == 2


@pytest.mark.parametrize(
    ("top", "batch_norm", "hint"),
    [
        (0, False, "Nothing is trainable"),
        (1, False, "a probe"),
        (2, True, "batch normalisations"),
        (3, False, "block7"),
    ],
)
def test_other_tops_are_refused(lite, top, batch_norm, hint):
    freezing.thaw(lite, top, batch_norm=batch_norm)
    with pytest.raises(NotYet, match=hint):
        checks.thawed_top(lite)


def test_a_thawed_backbone_under_a_frozen_classifier_is_refused(lite):
    freezing.thaw(lite, 2)
    lite.get_layer("logits").trainable = False
    with pytest.raises(NotYet, match="random numbers"):
        checks.thawed_top(lite)


def test_a_network_of_the_same_shape_is_not_the_pretrained_one(lite):
    new = backbones.efficientnet_lite0(classes=8, input_size=SIZE, weights=None)
    toy = keras.Sequential([keras.Input((2, 2, 3)), layers.Conv2D(4, 1, use_bias=False, name="top_conv"),
                            layers.Flatten(), layers.Dense(8, name="logits")])  # fmt: skip
    freezing.thaw(new, 2)
    for model in (new, toy):
        with pytest.raises(NotYet, match="not the pretrained network"):
            checks.thawed_top(model)


def everything(base):
    base.trainable = True


def nothing(base):
    pass


def back_again(base):
    base.trainable = True
    base.trainable = False


def everywhere(base, treat):
    """Treat each layer, inside of nested networks, too."""
    for layer in base.layers:
        if isinstance(layer, keras.Model):
            everywhere(layer, treat)
        else:
            treat(layer)


def without_momentum(base):
    """Keeps the moving statistics, but training still normalises with the batch's."""
    base.trainable = True
    for layer in base.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = 1.0


def one_forgotten(base):
    all_but_norms(base)
    base.get_layer("stem_bn").trainable = True


def all_but_norms(base):
    def treat(layer):
        layer.trainable = not isinstance(layer, layers.BatchNormalization)

    everywhere(base, treat)


def thawed_then_norms(base):
    def treat(layer):
        if isinstance(layer, layers.BatchNormalization):
            layer.trainable = False

    base.trainable = True
    everywhere(base, treat)


def flat_only(base):
    for layer in base.layers:
        layer.trainable = not isinstance(layer, layers.BatchNormalization)


def by_name(base):
    base.trainable = True
    for layer in base.layers:
        if "bn" in layer.name:
            layer.trainable = False


def plain_convolutions(base):
    for layer in base.layers:
        layer.trainable = isinstance(layer, layers.Conv2D)


def one_kernel_only(base):
    base.trainable = False
    base.get_layer("stem_conv").trainable = True


def other_weights(base):
    all_but_norms(base)
    base.get_layer("stem_conv").set_weights([0.1 + 0 * w for w in base.get_layer("stem_conv").get_weights()])


def statistics_reset(base):
    all_but_norms(base)
    norm = base.get_layer("stem_bn")
    norm.moving_mean.assign(0 * norm.moving_mean)
    norm.moving_variance.assign(0 * norm.moving_variance + 1)


@pytest.mark.parametrize(
    "mend", [all_but_norms, thawed_then_norms, lambda base: freezing.thaw(base, len(freezing.blocks(base)))]
)
def test_a_mend_that_keeps_the_statistics_is_right(mend, capsys):
    checks.kept_statistics(mend)
    assert "✓" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("mend", "hint"),
    [
        (everything, "does not outlive"),
        (one_forgotten, "some batch normalisations still changed"),
        (by_name, "some batch normalisations still changed"),
        (plain_convolutions, "Some kernels learn and some do not, here block1_depthwise, block2_dense"),
        (one_kernel_only, "Some kernels"),
        (other_weights, "overwrites weights"),
        (statistics_reset, "overwrites weights"),
        (flat_only, "a layer can be a network itself.*still changed"),
        (nothing, "nothing is fine-tuned"),
        (back_again, "nothing is fine-tuned"),
        (without_momentum, "still normalises with those of the batch"),
        (lambda: None, "could not be tried"),
        (backbones, "Expected a function"),
        (layers.Dense, "got the class Dense"),
        (keras.Sequential(), "got a Sequential"),
    ],
)
def test_a_mend_that_does_not_is_told_why(mend, hint):
    with pytest.raises(NotYet, match=hint):
        checks.kept_statistics(mend)


# --- chapter 00 --------------------------------------------------------------------------------------------------

RIGHT = {"a": "inductive", "b": "transductive", "c": "unsupervised", "d": "none"}


def test_the_settings_are_those_of_pan_and_yang(capsys):
    """Inductive: labels on the target; transductive: on the source only; unsupervised: on neither (2010, table 1)."""
    checks.settings(RIGHT)
    checks.settings({name: f" {word.upper()} " for name, word in RIGHT.items()})
    assert capsys.readouterr().out.count("✓") == 2


@pytest.mark.parametrize("name", RIGHT)
def test_each_wrong_setting_is_named(name):
    for other in set(RIGHT.values()) - {RIGHT[name]}:
        with pytest.raises(NotYet, match=f"^{name}: "):
            checks.settings({**RIGHT, name: other})
    with pytest.raises(NotYet, match=f"Still missing: {name}"):
        checks.settings({key: word for key, word in RIGHT.items() if key != name})


def test_gains_are_read_off_two_pairs_of_curves(capsys):
    truth = {"one": ["slope", "start"], "two": {"end", "start"}}
    checks.gains(truth)
    assert "✓" in capsys.readouterr().out
    for pair in truth:
        for word in ("start", "slope", "end"):
            with pytest.raises(NotYet, match=f"^{pair}: "):
                checks.gains({**truth, pair: set(truth[pair]) ^ {word}})
    for odd in ({"one": 3, "two": ()}, {"one": ()}, ["start"], {"one": "asymptote", "two": ()}):
        with pytest.raises(NotYet):
            checks.gains(odd)


@pytest.fixture(scope="module")
def stickers():
    return {domain: data.stickers(domain, size=96) for domain in ("noto", "twemoji")}


@pytest.fixture
def emoji(stickers, monkeypatch):
    """Both sets, read once for all answers."""
    whole = {domain: data.stickers(domain, size=96, test_fraction=0) for domain in stickers}
    monkeypatch.setattr(data, "stickers", lambda domain, size, test_fraction: whole[domain])
    return stickers["noto"], stickers["twemoji"]


def test_one_side_of_noto_and_the_other_of_twemoji_share_nothing(emoji, capsys):
    noto, twemoji = emoji
    checks.no_shared_concepts(noto.train, twemoji.test)
    checks.no_shared_concepts(noto.test, twemoji.train)  # the other way round nothing is shared either
    checks.no_shared_concepts(list(noto.train), list(twemoji.test))
    assert capsys.readouterr().out.count("✓") == 3


def test_another_split_is_as_honest(capsys):
    noto, twemoji = (data.stickers(domain, size=96, seed=1) for domain in ("noto", "twemoji"))
    checks.no_shared_concepts(noto.train, twemoji.test)
    assert "✓" in capsys.readouterr().out


def test_the_emoji_sets_have_one_order_of_things():
    noto, twemoji = (data.stickers(domain, size=16, test_fraction=0) for domain in ("noto", "twemoji"))
    np.testing.assert_array_equal(noto.y_train, twemoji.y_train)


def test_splits_that_share_things_or_domains_are_refused(emoji):
    noto, twemoji = emoji
    everything = tuple(np.concatenate(both) for both in zip(twemoji.train, twemoji.test, strict=True))
    for train, test, hint in (
        (noto.train, twemoji.train, "drawn in both"),
        (noto.train, everything, "drawn in both"),
        ((noto.x_train, 0 * noto.y_train), twemoji.test, "not its own"),
        ((noto.x_train[:1], noto.y_train[:1]), twemoji.test, "all eight classes"),
        (noto.train, noto.test, "no transfer"),
        (twemoji.train, twemoji.test, "other set"),
        (noto.x_train, twemoji.x_test, "as a pair"),
        ((noto.x_train, noto.y_test), twemoji.test, "equal length"),
        ((255 - noto.x_train, noto.y_train), twemoji.test, "not one of noto"),
    ):
        with pytest.raises(NotYet, match=hint):
            checks.no_shared_concepts(train, test)
