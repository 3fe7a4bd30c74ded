"""Features extracted once: equal to what the network predicts, kept under everything they depend on, never half."""

import subprocess
import sys
import textwrap
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from tlcourse.material import assets, backbones, features
from tlcourse.material.backbones import sentence_bert
from tlcourse.material.features import cache as feature_cache
from tlcourse.material.features import extraction

SIZE = 16


def little(*, cut="pool", activation="relu", scale=1 / 255, strides=2, seed=0):
    """A convolutional network whose batch normalisation has statistics that matter."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((SIZE, SIZE, 3))
    x = layers.Rescaling(scale)(inputs)
    x = layers.Conv2D(6, 3, strides=strides, activation=activation)(x)
    x = layers.BatchNormalization(name="norm", moving_mean_initializer="random_normal")(x)
    x = layers.ReLU(name="relu")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    model = keras.Model(inputs, layers.Dense(6, name="dense")(x))
    return keras.Model(inputs, model.get_layer(cut).output)


@pytest.fixture(scope="module")
def model():
    return little()


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).integers(0, 256, (21, SIZE, SIZE, 3), dtype="uint8")


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setattr(assets, "CACHE", tmp_path / "cache")
    return tmp_path / "cache" / "features"


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*")) if folder.exists() else []


class Lazy:
    """Pictures that are made when asked for, as from a disk, and that note how far the reader is ahead."""

    def __init__(self, n):
        self.shape, self.read, self.done, self.ahead = (n, SIZE, SIZE, 3), 0, 0, 0

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, where):
        if isinstance(where, slice):
            places = range(*where.indices(len(self)))
            self.read = max(self.read, places.stop)
            self.ahead = max(self.ahead, self.read - self.done)
            return np.stack([self[i] for i in places])
        return np.random.default_rng(where).integers(0, 256, self.shape[1:], dtype="uint8")


# --- what comes out ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", ["pool", "norm", "dense"])
def test_features_are_what_the_network_predicts(pictures, cut):
    model = little(cut=cut)
    expected = model.predict(pictures.astype("float32"), verbose=0)
    result = features.extract(model, pictures, batch_size=4)
    assert result.dtype == np.float32 and result.shape == expected.shape
    np.testing.assert_allclose(result, expected, atol=1e-4)
    np.testing.assert_allclose(features.extract(model, pictures, cache=False), expected, atol=1e-4)


def test_features_of_the_real_backbone_are_what_it_predicts():
    model = backbones.efficientnet_lite0(input_size=64)
    pixels = np.random.default_rng(1).integers(0, 256, (5, 64, 64, 3), dtype="uint8")
    expected = model.predict(pixels.astype("float32"), verbose=0)
    np.testing.assert_allclose(features.extract(model, pixels, batch_size=2), expected, atol=1e-4)


@pytest.mark.parametrize("batch_size", [1, 5, 21, 100])
def test_the_batch_size_does_not_matter(model, pictures, batch_size):
    expected = model.predict(pictures.astype("float32"), verbose=0)
    result = features.extract(model, pictures, batch_size=batch_size, cache=False)
    np.testing.assert_allclose(result, expected, atol=1e-5)


def test_pictures_of_another_size_are_scaled(model):
    grey = np.full((2, 40, 30, 3), 90, "uint8")
    expected = model.predict(np.full((2, SIZE, SIZE, 3), 90, "float32"), verbose=0)
    np.testing.assert_allclose(features.extract(model, grey), expected, atol=1e-4)


def test_files_give_the_same_as_their_pixels(model, pictures, tmp_path):
    paths = [tmp_path / f"{i}.png" for i in range(5)]
    for path, pixels in zip(paths, pictures, strict=False):
        Image.fromarray(pixels).save(path)
    expected = features.extract(model, pictures[:5])
    np.testing.assert_allclose(features.extract(model, paths), expected, atol=1e-5)
    np.testing.assert_allclose(features.extract(model, [str(path) for path in paths]), expected, atol=1e-5)


@pytest.mark.parametrize("empty", [np.empty((0, SIZE, SIZE, 3), "uint8"), []])
def test_no_pictures_give_no_rows(model, empty, cache):
    assert features.extract(model, empty).shape == (0, 6)
    assert files(cache) == []


# --- the cache ---------------------------------------------------------------------------------------------------


def test_the_second_time_is_bit_equal_and_runs_nothing(model, pictures, monkeypatch):
    fresh = features.extract(model, pictures)
    monkeypatch.setattr(extraction, "_frozen", lambda *_: pytest.fail("the network ran again"))
    np.testing.assert_array_equal(features.extract(model, pictures.copy()), fresh)


def test_a_result_can_be_written_to_without_touching_the_file(model, pictures):
    first = features.extract(model, pictures)
    untouched = first.copy()
    first[:] = -1
    np.testing.assert_array_equal(features.extract(model, pictures), untouched)


def test_one_weight_makes_another_key(pictures, cache):
    model = little()
    before = np.array(features.extract(model, pictures))
    for weight in model.weights:
        values = weight.numpy()
        values.flat[0] += 1
        weight.assign(values)
        np.testing.assert_allclose(
            features.extract(model, pictures), model.predict(pictures.astype("float32"), verbose=0), atol=1e-4
        )
    assert len(files(cache)) == 1 + len(model.weights)
    assert not np.allclose(features.extract(model, pictures), before, atol=1e-4)


def test_one_pixel_makes_another_key(model, pictures, cache):
    features.extract(model, pictures)
    other = pictures.copy()
    other[-1, -1, -1, -1] ^= 1
    features.extract(model, other)
    assert len(files(cache)) == 2


def test_the_same_bytes_as_another_kind_of_number_make_another_key(model, cache):
    pixels = np.arange(SIZE * SIZE * 3, dtype="uint8").reshape(1, SIZE, SIZE, 3)
    features.extract(model, pixels)
    np.testing.assert_allclose(
        features.extract(model, pixels.view("int8")), model.predict(pixels.view("int8").astype("float32"), verbose=0),
        atol=1e-4,
    )  # fmt: skip
    assert len(files(cache)) == 2


@pytest.mark.parametrize(
    "other", [{"cut": "dense"}, {"cut": "norm"}, {"activation": "tanh"}, {"scale": 1 / 127.5}, {"strides": 1}]
)
def test_the_same_weights_in_another_network_make_another_key(pictures, cache, other):
    """Preprocessing, activation, strides and the layer where it is cut hold no weights, and change every feature."""
    ours, theirs = little(), little(**other)
    theirs.set_weights(ours.get_weights()) if other.keys() != {"cut"} else None
    features.extract(ours, pictures)
    expected = theirs.predict(pictures.astype("float32"), verbose=0)
    np.testing.assert_allclose(features.extract(theirs, pictures), expected, atol=1e-4)
    assert len(files(cache)) == 2


def test_connections_count_although_layers_and_weights_agree():
    def network(swapped):
        inputs = keras.Input((4,))
        a, b = layers.ReLU(name="a")(inputs), layers.Activation("tanh", name="b")(inputs)
        return keras.Model(inputs, layers.Subtract(name="c")([b, a] if swapped else [a, b]))

    assert feature_cache.key_of_model(network(False)) == feature_cache.key_of_model(network(False))
    assert feature_cache.key_of_model(network(False)) != feature_cache.key_of_model(network(True))


def test_names_and_flags_do_not_count(pictures, cache):
    """Keras numbers a session's layers, so the same network built again has other names."""
    first, again = little(), little()
    assert [layer.name for layer in first.layers] != [layer.name for layer in again.layers]
    again.trainable = False
    features.extract(first, pictures)
    features.extract(again, pictures)
    assert len(files(cache)) == 1


def test_a_network_trained_since_gives_its_new_features(pictures):
    model = little()
    features.extract(model, pictures)
    model.compile("sgd", "mse")
    model.fit(pictures.astype("float32"), np.ones((len(pictures), 6)), verbose=0)
    expected = model.predict(pictures.astype("float32"), verbose=0)
    np.testing.assert_allclose(features.extract(model, pictures), expected, atol=1e-4)


def test_a_changed_file_is_read_again(model, pictures, tmp_path, cache):
    path = tmp_path / "a.png"
    Image.fromarray(pictures[0]).save(path)
    features.extract(model, [path])
    Image.fromarray(pictures[1]).save(path)
    expected = model.predict(pictures[1:2].astype("float32"), verbose=0)
    np.testing.assert_allclose(features.extract(model, [path]), expected, atol=1e-4)


# --- streaming ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [40, 400])
def test_the_reader_stays_a_few_batches_ahead_of_the_writer(model, monkeypatch, n):
    """However many pictures there are, so memory does not grow with their number."""
    lazy, write = Lazy(n), feature_cache._write

    def counting(path, shape, rows):
        def counted():
            for part in rows:
                lazy.done += len(part)
                yield part

        write(path, shape, counted())

    monkeypatch.setattr(feature_cache, "_write", counting)
    result = features.extract(model, lazy, batch_size=4)
    assert lazy.done == n and lazy.ahead <= 4 * (extraction.CORES + 1)
    np.testing.assert_allclose(result[-1:], model.predict(lazy[n - 1 : n].astype("float32"), verbose=0), atol=1e-4)


# --- what goes wrong ---------------------------------------------------------------------------------------------


def broken(*_, **__):
    yield np.zeros((8, 6), "float32")
    raise KeyboardInterrupt


def test_an_interrupted_run_leaves_nothing(model, pictures, cache, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(extraction, "_pipelined", broken)
        with pytest.raises(KeyboardInterrupt):
            features.extract(model, pictures)
    assert files(cache) == []
    assert features.extract(model, pictures).shape == (21, 6)


def test_a_killed_process_leaves_nothing_that_is_read(cache):
    code = """
        import os, pathlib, sys
        import numpy as np
        from tlcourse.material import assets
        from tlcourse.material.features import cache as feature_cache
        assets.CACHE = pathlib.Path(sys.argv[1])
        def rows():
            yield np.full((1 << 20, 1), 7, "float32")
            os._exit(9)
        feature_cache.kept("k", (1 << 21, 1), rows)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code), str(cache.parent)], check=False)
    assert done.returncode == 9 and [name for name in files(cache) if name.endswith(".npy")] == []
    whole = feature_cache.kept("k", (2, 1), lambda: [np.ones((2, 1), "float32")])
    np.testing.assert_array_equal(whole, np.ones((2, 1)))


DAMAGE = {
    "emptied": lambda whole: b"",
    "cut after the magic": lambda whole: whole[:6],
    "cut": lambda whole: whole[:-40],
    "a flipped bit": lambda whole: whole[:200] + bytes([whole[200] ^ 1]) + whole[201:],
    "a zeroed tail": lambda whole: whole[:-100] + bytes(100),
    "another kind of number": lambda whole: whole.replace(b"<f4", b"<i4"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_made_anew(model, pictures, cache, damage):
    expected = features.extract(model, pictures).copy()
    path = cache / files(cache)[0]
    whole = path.read_bytes()
    path.write_bytes(DAMAGE[damage](whole))
    np.testing.assert_array_equal(features.extract(model, pictures), expected)
    assert path.read_bytes() == whole


def test_a_file_under_another_ones_name_is_not_believed(model, pictures, cache):
    expected = np.array([features.extract(model, part) for part in (pictures, pictures[::-1])])
    one, other = (cache / name for name in files(cache))
    one.write_bytes(other.read_bytes())
    again = np.array([features.extract(model, part) for part in (pictures, pictures[::-1])])
    np.testing.assert_array_equal(again, expected)


class Times(keras.layers.Layer):
    """A layer of somebody's own, whose configuration does not tell all."""

    factor = 2.0

    def call(self, x):
        return self.factor * x


def test_a_layer_of_somebodys_own_counts_by_what_it_does(monkeypatch):
    def network():
        inputs = keras.Input((4,))
        return keras.Model(inputs, Times()(inputs))

    before = feature_cache.key_of_model(network())
    assert feature_cache.key_of_model(network()) == before
    attribute = network()
    attribute.layers[-1].factor = 3.0
    assert feature_cache.key_of_model(attribute) != before
    monkeypatch.setattr(Times, "call", lambda self, x: x - self.factor)
    assert feature_cache.key_of_model(network()) != before


@pytest.mark.parametrize("place", ["a Lambda layer", "an activation", "a lambda's global"])
def test_a_function_of_somebodys_own_counts_by_what_it_does(place):
    """Keras writes down what it is called, or its code, and neither tells when it, or what it reads, was changed."""

    def network(factor):
        space = {}
        exec(f"factor = {factor}\ndef prepare(x): return x * {factor}\nscaled = lambda x: x * factor", space)
        layer = {
            "a Lambda layer": lambda: keras.layers.Lambda(space["prepare"], output_shape=(4,)),
            "an activation": lambda: keras.layers.Activation(space["prepare"]),
            "a lambda's global": lambda: keras.layers.Lambda(space["scaled"], output_shape=(4,)),
        }[place]()
        inputs = keras.Input((4,))
        return keras.Model(inputs, layer(inputs))

    assert feature_cache.key_of_model(network(2)) == feature_cache.key_of_model(network(2))
    assert feature_cache.key_of_model(network(3)) != feature_cache.key_of_model(network(2))


def test_a_full_disk_is_one_sentence_and_leaves_nothing(model, pictures, cache, monkeypatch):
    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array_header_1_0", full)
    with pytest.raises(assets.AssetError, match=r"No space left on device\): free some space there, or pass cache=F"):
        features.extract(model, pictures)
    assert files(cache) == []
    assert features.extract(model, pictures, cache=False).shape == (21, 6)


@pytest.mark.parametrize("room", [0, 100, 4096, 100_000])
def test_a_file_system_that_really_refuses_leaves_nothing(cache, room):
    """The limit also meets what was buffered, and is only written when the file is closed."""
    resource = pytest.importorskip("resource")
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    parts = [np.ones((1000, 10), "float32")] * 3 + [np.ones((2, 10), "float32")]
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
        with pytest.raises(assets.AssetError, match="cannot be kept"):
            feature_cache.kept("k", (3002, 10), lambda: parts)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert files(cache) == []


def test_a_place_that_cannot_be_a_folder_is_one_sentence(model, pictures, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setattr(assets, "CACHE", tmp_path / "file")
    with pytest.raises(assets.AssetError, match="cache=False"):
        features.extract(model, pictures)


def test_eight_processes_at_once_all_read_whole_results(cache):
    code = """
        import pathlib, sys
        import numpy as np
        from tlcourse.material import assets
        from tlcourse.material.features import cache as feature_cache
        assets.CACHE = pathlib.Path(sys.argv[1])
        for i in range(40):
            rows = lambda: (np.full((1000, 8), i, "float32") for _ in range(5))
            assert (feature_cache.kept(f"{i}", (5000, 8), rows) == i).all()
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(cache.parent)]
    running = [subprocess.Popen(command) for _ in range(8)]
    assert [process.wait() for process in running] == [0] * 8
    assert files(cache) == sorted(f"{i}.npy" for i in range(40))


def test_where_an_open_file_cannot_be_replaced_the_first_one_counts(cache, monkeypatch):
    """As on Windows, when another process was faster and has the file open."""
    feature_cache.kept("k", (2, 1), lambda: [np.ones((2, 1), "float32")])

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tlcourse.material.assets.atomic.os.replace", refuse)
    feature_cache._write(cache / "k.npy", (2, 1), [np.zeros((2, 1), "float32")])
    assert files(cache) == ["k.npy"]
    with pytest.raises(assets.AssetError, match="Permission denied"):
        feature_cache.kept("other", (2, 1), lambda: [np.zeros((2, 1), "float32")])
    assert files(cache) == ["k.npy"]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (np.random.default_rng(0).random((3, SIZE, SIZE, 3)), "multiply the pictures by 255"),
        (np.zeros((3, SIZE, SIZE), "uint8"), "got .3, 16, 16."),
        (np.zeros((SIZE, SIZE, 3), "uint8"), "got .16, 16, 3."),
        (np.zeros((3, SIZE, SIZE, 4), "uint8"), "got .3, 16, 16, 4."),
        ([np.zeros((SIZE, SIZE, 3), "uint8")], "got list"),
        (["nowhere.png"], "'nowhere.png' cannot be opened"),
    ],
)
@pytest.mark.parametrize("cache_it", [True, False])
def test_extract_refuses(model, wrong, says, cache_it):
    with pytest.raises(ValueError, match=says):
        features.extract(model, wrong, cache=cache_it)


def test_black_pictures_are_pictures(model):
    assert features.extract(model, np.zeros((2, SIZE, SIZE, 3), "float32")).shape == (2, 6)


def test_a_model_of_open_size_is_refused_where_the_size_is_needed(tmp_path):
    inputs = keras.Input((None, None, 3))
    maps = layers.Conv2D(2, 3)(inputs)
    with pytest.raises(ValueError, match="build it with an input size"):
        features.extract(keras.Model(inputs, maps), np.zeros((1, 8, 8, 3), "uint8"))
    pooled = keras.Model(inputs, layers.GlobalAveragePooling2D()(maps))
    assert features.extract(pooled, np.zeros((1, 8, 8, 3), "uint8")).shape == (1, 2)
    with pytest.raises(ValueError, match="build it with an input size"):
        features.extract(pooled, [tmp_path / "a.png"])


# --- texts -------------------------------------------------------------------------------------------------------

TEXTS = ["one two three four five six seven", "", "good", "a film that forgets its own ending", "bad bad bad"] * 2


@pytest.fixture(scope="module")
def text_model():
    """Like MiniLM it means over the real tokens, in a network that takes any number of them."""
    keras.utils.set_random_seed(0)
    ids = keras.Input((None,), dtype="int32")
    words = layers.Embedding(sentence_bert.VOCABULARY, 4, embeddings_initializer="random_normal")(ids)
    return keras.Model(ids, layers.GlobalAveragePooling1D()(words, mask=keras.ops.not_equal(ids, 0)))


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_embeddings_come_in_the_order_of_the_texts(text_model, batch_size):
    result = features.embed(TEXTS, model=text_model, batch_size=batch_size, cache=False)
    expected = text_model.predict(sentence_bert.tokenize(TEXTS), verbose=0)
    np.testing.assert_allclose(result, expected, atol=1e-6)


def test_embeddings_are_those_of_full_padding(monkeypatch):
    """In a transformer like MiniLM, here with one of its layers, a token looks at every other, but at no padding."""
    monkeypatch.setattr(sentence_bert, "LAYERS", 1)
    keras.utils.set_random_seed(0)
    model = sentence_bert.build()
    expected = model.predict(sentence_bert.tokenize(TEXTS[:5]), verbose=0)
    np.testing.assert_allclose(features.embed(TEXTS[:5], model=model, batch_size=2), expected, atol=1e-5)


def test_embeddings_are_kept_by_text_and_by_length(text_model, cache, monkeypatch):
    fresh = features.embed(iter(TEXTS), model=text_model)
    with monkeypatch.context() as patch:
        patch.setattr(extraction, "_frozen", lambda *_: pytest.fail("the network ran again"))
        np.testing.assert_array_equal(features.embed(TEXTS, model=text_model), fresh)
    features.embed([*TEXTS[:-1], "other"], model=text_model)
    features.embed(TEXTS, model=text_model, length=4)
    assert len(files(cache)) == 3


def test_a_model_of_one_length_gets_texts_of_that_length(text_model):
    ids = keras.Input((16,), dtype="int32")
    fixed = keras.Model(ids, text_model(ids))
    result = features.embed(TEXTS, model=fixed, length=16, batch_size=2, cache=False)
    np.testing.assert_allclose(result, features.embed(TEXTS, model=text_model, length=16, cache=False), atol=1e-6)
    with pytest.raises(ValueError, match="length 16, got length=64"):
        features.embed(TEXTS, model=fixed)


def test_no_texts_give_no_embeddings(text_model):
    assert features.embed([], model=text_model).shape == (0, 4)


def test_what_is_no_text_is_refused(text_model):
    with pytest.raises(TypeError, match="position 1"):
        features.embed(["fine", None], model=text_model)


@pytest.mark.parametrize("pooling", ["MaxPooling2D", "AveragePooling2D"])
def test_pooling_windows_mix_no_batches_up(pooling):
    """TensorFlow's pooling crashes, or takes another thread's numbers, when two batches go through it at once."""
    network = backbones.efficientnet_lite0(input_size=64, weights=None)
    grids = [
        layers.Flatten()(getattr(layers, pooling)(layer.output.shape[1] // 2)(layer.output))
        for layer in network.layers
        if layer.name.endswith("project_bn")
    ]
    model = keras.Model(network.input, layers.Concatenate()(grids))
    pictures = np.random.default_rng(0).integers(0, 256, (48, 64, 64, 3), dtype="uint8")
    alone = model.predict(pictures.astype("float32"), batch_size=4, verbose=0)
    for _ in range(3):
        assert np.allclose(features.extract(model, pictures, cache=False), alone, atol=1e-3 * np.abs(alone).max())
