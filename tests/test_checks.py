"""Checks: silent about what is not answered, a hint for what is wrong, and never a traceback of their own."""

import keras
import numpy as np
import pytest
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
    check(*[...] * check.__wrapped__.__code__.co_argcount)
    assert "✓" not in capsys.readouterr().out


@pytest.mark.parametrize("check", [getattr(checks, name) for name in checks.__all__ if name != "NotYet"])
@pytest.mark.parametrize("nonsense", [None, "nonsense", 3.5, [], {}, np.zeros(3), object(), keras, lambda x: x])
def test_nonsense_is_a_hint_for_every_check(check, nonsense, capsys):
    with pytest.raises(NotYet) as caught:
        check(*[nonsense] * check.__wrapped__.__code__.co_argcount)
    assert len(str(caught.value)) > 10 and "✓" not in capsys.readouterr().out


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


@pytest.mark.parametrize("answer", [0, 7, 2.5, np.float32(1.5), np.int64(3), np.array(4.0)])
def test_any_kind_of_number_is_a_number(answer):
    result = core.a_number(answer, low=0, high=7)
    assert type(result) is float and result == float(answer)


@pytest.mark.parametrize("answer", ["3", None, True, -0.1, 7.1, float("nan"), float("inf"), [3], 1j])
def test_what_is_no_number_of_the_range_is_refused(answer):
    with pytest.raises(NotYet, match="from 0 to 7, got"):
        core.a_number(answer, low=0, high=7)


# --- chapter 01 --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [(7,), [7], (np.int64(7),)])
def test_the_bias_has_one_number_an_output(answer, capsys):
    assert layers.Dense(7)(np.zeros((1, 5))).shape == (1, 7)
    checks.bias_shape(answer)
    assert "✓" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "hint"),
    [((7, 7), "slides"), ((5, 7), "kernel"), ((5,), "input"), ((7, 1), "vector"), ((), "vector"), (7, "a shape")],
)
def test_other_shapes_of_the_bias_are_refused(answer, hint):
    with pytest.raises(NotYet, match=hint):
        checks.bias_shape(answer)


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
    return backbones.efficientnet_lite0(classes=8, input_size=SIZE, weights=None)


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


def everything(base):
    base.trainable = True


def nothing(base):
    pass


def back_again(base):
    base.trainable = True
    base.trainable = False


def without_momentum(base):
    """Keeps the moving statistics, but training still normalises with the batch's."""
    base.trainable = True
    for layer in base.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = 1.0


def one_forgotten(base):
    base.trainable = True
    base.get_layer("block1_bn").trainable = False


def all_but_norms(base):
    for layer in base.layers:
        layer.trainable = not isinstance(layer, layers.BatchNormalization)


def thawed_then_norms(base):
    base.trainable = True
    for layer in base.layers:
        if "bn" in layer.name:
            layer.trainable = False


@pytest.mark.parametrize("mend", [all_but_norms, thawed_then_norms, lambda base: freezing.thaw(base, 2)])
def test_a_mend_that_keeps_the_statistics_is_right(mend, capsys):
    checks.kept_statistics(mend)
    assert "✓" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("mend", "hint"),
    [
        (everything, "still changed"),
        (one_forgotten, "still changed"),
        (nothing, "nothing is fine-tuned"),
        (back_again, "nothing is fine-tuned"),
        (without_momentum, "still normalises with those of the batch"),
        (lambda: None, "could not be tried"),
        (backbones, "Expected a function"),
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


def test_the_misprint_is_that_everything_frozen_initialises_nothing(capsys):
    checks.misprint("Large")
    assert "✓" in capsys.readouterr().out
    for answer in ("small", "medium", "all"):
        with pytest.raises(NotYet):
            checks.misprint(answer)


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
    assert capsys.readouterr().out.count("✓") == 2


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


def one_kernel_only(base):
    base.trainable = False
    base.get_layer("block2_conv").trainable = True


def other_weights(base):
    for layer in base.layers:
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    base.get_layer("block1_conv").set_weights([0.1 + 0 * w for w in base.get_layer("block1_conv").get_weights()])


@pytest.mark.parametrize(("mend", "hint"), [(one_kernel_only, "Some kernels"), (other_weights, "overwrites weights")])
def test_half_a_mend_is_refused(mend, hint):
    with pytest.raises(NotYet, match=hint):
        checks.kept_statistics(mend)


def test_folds_that_hardly_train_are_refused():
    photo_of = np.tile(np.arange(10), 2)
    folds = [(np.flatnonzero(photo_of == (i + 1) % 10), np.flatnonzero(photo_of == i)) for i in range(10)]
    with pytest.raises(NotYet, match="less than half"):
        checks.honest_folds(folds, photo_of)
