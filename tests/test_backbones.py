"""The backbones are the published networks: held to the outputs of the original PyTorch code (see fixtures/)."""

from pathlib import Path

import keras
import numpy as np
import pytest

from tlcourse.material import assets, backbones
from tlcourse.material.backbones import efficientnet, sentence_bert

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(scope="module")
def pictures():
    return np.load(FIXTURES / "efficientnet_lite0.npz")


@pytest.fixture(scope="module")
def sentences():
    return np.load(FIXTURES / "minilm.npz")


def test_efficientnet_gives_the_original_logits(pictures):
    logits = backbones.efficientnet_lite0(classes=1000).predict(pictures["pictures"].astype("float32"), verbose=0)
    np.testing.assert_allclose(logits, pictures["logits"], atol=1e-3)
    np.testing.assert_array_equal(logits.argmax(axis=1), pictures["logits"].argmax(axis=1))


def test_features_are_what_the_classifier_reads(pictures):
    x = pictures["pictures"][:2].astype("float32")
    features = backbones.efficientnet_lite0().predict(x, verbose=0)
    kernel, bias = backbones.efficientnet_lite0(classes=1000).get_layer("logits").get_weights()
    np.testing.assert_allclose(features @ kernel + bias, pictures["logits"][:2], atol=1e-3)


@pytest.mark.parametrize(("variant", "parameters"), [("lite0", 4.7e6), ("lite1", 5.4e6), ("lite2", 6.1e6)])
def test_sizes_are_the_published_ones(variant, parameters):
    assert efficientnet.build(variant, input_size=64).count_params() == pytest.approx(parameters, rel=0.02)


def test_a_new_classifier_keeps_the_pretrained_backbone():
    new = backbones.efficientnet_lite0(classes=8, input_size=64)
    old = backbones.efficientnet_lite0(classes=1000, input_size=64)
    for name in ("stem_conv", "block4b_depthwise_bn", "top_conv"):
        for ours, theirs in zip(new.get_layer(name).get_weights(), old.get_layer(name).get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert new.output_shape == (None, 8)


def test_random_weights_are_not_the_pretrained_ones():
    scratch, trained = (
        backbones.efficientnet_lite0(weights=weights, input_size=64).get_layer("stem_conv").get_weights()[0]
        for weights in (None, "imagenet")
    )
    assert not np.allclose(scratch, trained)


def test_minilm_splits_texts_as_the_original_does(sentences):
    np.testing.assert_array_equal(sentence_bert.tokenize(sentences["texts"].tolist()), sentences["tokens"])


def test_minilm_gives_the_original_embeddings(sentences):
    embeddings = backbones.minilm(length=64).predict(sentences["tokens"], verbose=0)
    np.testing.assert_allclose(embeddings, sentences["embeddings"], atol=1e-3)


def test_padding_does_not_change_an_embedding(sentences):
    model = backbones.minilm()
    tokens = sentences["tokens"][:1]
    used = int((tokens != 0).sum())
    np.testing.assert_allclose(model(tokens[:, :used]), model(tokens), atol=1e-5)


def test_no_texts_give_no_tokens():
    assert sentence_bert.tokenize([], length=7).shape == (0, 7)


@pytest.mark.parametrize(
    ("texts", "options", "error", "says"),
    [
        ("one text", {}, TypeError, "in a list"),
        (["fine", 3], {}, TypeError, "position 1"),
        (["fine", None], {}, TypeError, "position 1"),
        (["fine"], {"length": 1}, ValueError, "from 2 to 512"),
        (["fine"], {"length": 600}, ValueError, "from 2 to 512"),
    ],
)
def test_tokenize_refuses(texts, options, error, says):
    with pytest.raises(error, match=says):
        sentence_bert.tokenize(texts, **options)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [({"weights": "imagnet"}, "imagnet"), ({"input_size": 16}, "at least 32"), ({"classes": 0}, "at least 1")],
)
def test_efficientnet_refuses(arguments, says):
    with pytest.raises(ValueError, match=says):
        backbones.efficientnet_lite0(**arguments)


def test_any_keras_application_gives_pooled_features_from_pixels():
    model = backbones.keras_application("MobileNetV2", input_size=96, weights=None)
    assert model.output_shape == (None, 1280)
    base = keras.applications.MobileNetV2(include_top=False, pooling="avg", weights=None, input_shape=(96, 96, 3))
    inner = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    base.set_weights(inner.get_weights())
    pixels = np.random.default_rng(0).integers(0, 256, (2, 96, 96, 3)).astype("float32")
    expected = base(keras.applications.mobilenet_v2.preprocess_input(pixels.copy()))
    np.testing.assert_allclose(model(pixels), expected, atol=1e-5)


def test_an_unknown_application_is_refused_with_the_list():
    with pytest.raises(ValueError, match="MobileNetV2.*got 'mobilenet'"):
        backbones.keras_application("mobilenet", weights=None)


def test_without_network_the_offline_choice_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))

    def refuse(*_args, **_kwargs):
        raise Exception("URL fetch failure on https: None -- unreachable")

    monkeypatch.setattr("keras.src.applications.mobilenet_v2.file_utils.get_file", refuse)
    with pytest.raises(assets.AssetError, match="efficientnet_lite0"):
        backbones.keras_application("MobileNetV2")


def test_the_small_cnn_is_small_and_ends_in_logits():
    model = backbones.small_cnn(classes=5, input_size=28, channels=1)
    assert model.output_shape == (None, 5) and model.count_params() < 200_000
