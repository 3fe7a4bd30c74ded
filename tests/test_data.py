"""Every loader: shapes, labels, honest splits, and refusals in one sentence."""

import subprocess
import sys
import unicodedata

import numpy as np
import pandas as pd
import pytest

from tlcourse.material import assets, data
from tlcourse.material.data import digit_sets, ratings
from tlcourse.material.data.split import Split, by_group, stratified


def counts(labels, n):
    return np.bincount(labels, minlength=n)


# --- import and splits -------------------------------------------------------------------------------------------


def test_importing_the_loaders_brings_no_heavy_library():
    heavy = "tensorflow keras pandas sklearn skimage scipy matplotlib rich torch"
    code = f"import sys, tlcourse.material.data; print([m for m in {heavy!r}.split() if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_split_unpacks_in_order_and_shows_itself_briefly():
    split = Split(
        np.zeros((3, 2, 2), np.uint8), np.arange(3), np.ones((1, 2, 2), np.uint8), np.zeros(1, int), ("a", "b", "c")
    )
    x_train, y_train, x_test, y_test, classes = split
    assert x_train is split.x_train and y_test is split.y_test and classes == ("a", "b", "c")
    assert repr(split) == "Split(3 to train on, 1 to test on, x (n, 2, 2) uint8, 3 classes: a, b, c)"


def test_stratified_takes_the_share_of_every_class_and_leaves_one():
    y = np.repeat([0, 1, 2], [100, 8, 2])
    test = stratified(y, 0.25, np.random.default_rng(0))
    assert counts(y[test], 3).tolist() == [25, 2, 1]
    assert counts(y[stratified(y, 0.99, np.random.default_rng(0))], 3).tolist() == [99, 7, 1]
    assert not stratified(y, 0, np.random.default_rng(0)).any()


@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.5])
def test_groups_are_never_torn(fraction):
    groups = np.repeat(np.arange(60), np.random.default_rng(1).integers(1, 20, 60))
    test = by_group(groups, fraction, np.random.default_rng(0))
    assert not set(groups[test]) & set(groups[~test])
    assert abs(test.mean() - fraction) <= 20 / len(groups)


# --- digits ------------------------------------------------------------------------------------------------------


fetched = pytest.mark.skipif(not assets.is_whole(assets.ASSETS["usps"]), reason="run `python -m tlcourse fetch` first")


@pytest.mark.parametrize("name", [pytest.param(n, marks=fetched) if n == "usps" else n for n in data.DIGIT_SETS])
def test_digits_look_like_mnist(name):
    split = data.digits(name)
    colour = (3,) if name == "mnist_m" else ()
    for x, y in ((split.x_train, split.y_train), (split.x_test, split.y_test)):
        assert x.shape == (len(y), 28, 28, *colour) and x.dtype == np.uint8 and y.dtype == np.int64
        assert (counts(y, 10) > 0).all() and y.max() == 9
    if not colour:  # white on black, in the middle
        ink = split.x_train.astype(float)
        assert ink[:, 0].mean() < 5 and ink.max() == 255 and split.x_train.mean() < 90
        middle = (ink.sum(1) @ np.arange(28)) / ink.sum((1, 2))
        assert abs(middle.mean() - 13.5) < 0.7


def test_mnist_has_the_same_number_of_each_digit():
    split = data.digits("mnist")
    assert (counts(split.y_train, 10) == 400).all() and (counts(split.y_test, 10) == 100).all()


def test_more_digits_come_behind_the_others_and_none_of_them_is_in_mnist_m():
    few, many, blended = data.digits("mnist"), data.digits("mnist", more=True), data.digits("mnist_m")
    assert np.array_equal(many.x_train[:4000], few.x_train) and np.array_equal(many.y_train[:4000], few.y_train)
    assert np.array_equal(many.x_test, few.x_test) and len(many.y_train) == 9000
    near = np.linalg.norm(many.x_train[4000:].reshape(-1, 784).mean(0) - few.x_train.reshape(-1, 784).mean(0)) / 28
    assert near < 5  # they are MNIST's, upright and bright
    flat = many.x_train.reshape(-1, 784).astype(np.float32)
    nearest = np.argmin((flat[:4000] ** 2).sum(1) - 2 * flat[4000:] @ flat[:4000].T, axis=1)
    assert (many.y_train[nearest] == many.y_train[4000:]).mean() > 0.9  # and rightly labelled
    assert np.abs(flat[4000:] - flat[nearest]).max(axis=1).min() > 64  # no double, nor near double
    assert len(blended.y_train) == 4000
    with pytest.raises(ValueError, match="Expected more=True with 'mnist', got it with 'glyph': leave it out"):
        data.digits("glyph", more=True)


@fetched
def test_usps_is_upright_and_rightly_labelled():
    """Other people's digits look like MNIST's: a nearest neighbour there reads most of them."""
    mnist, usps = data.digits("mnist"), data.digits("usps")
    assert len(usps.y_train) == len(usps.y_test) == 4649
    x, z = (s.x_train[:3000].reshape(-1, 784).astype(np.float32) for s in (mnist, usps))
    nearest = np.argmax(z @ (x / np.linalg.norm(x, axis=1, keepdims=True)).T, axis=1)
    right = mnist.y_train[nearest] == usps.y_train[:3000]
    assert right.mean() > 0.5 and min(right[usps.y_train[:3000] == digit].mean() for digit in range(10)) > 0.15


def test_the_usps_table_keeps_halves_labels_and_greys(tmp_path):
    import io

    from scipy.io import savemat

    patterns = np.linspace(-1, 1, 256 * 3).reshape(256, 3)
    labels = np.where(np.arange(10)[:, None] == [7, 0, 9], 1, -1)
    content = {"train_patterns": patterns, "train_labels": labels, "test_patterns": -patterns, "test_labels": labels}
    savemat(tmp_path / "usps.mat", content)
    table = np.load(io.BytesIO(digit_sets.usps_table(tmp_path / "usps.mat")))
    assert table.dtype == np.uint8 and table[:, 0].tolist() == [7, 0, 9] * 2
    assert table[0, 1] == 0 and table[2, -1] == 255 and table[3, 1] == 255
    assert (np.abs(table[:3, 1:].astype(int) + table[3:, 1:] - 255) <= 1).all()


# --- fashion -----------------------------------------------------------------------------------------------------


def test_fashion_has_as_many_of_each_class():
    split = data.fashion()
    assert split.x_train.shape == (12_000, 28, 28) and split.x_test.shape == (4000, 28, 28)
    assert split.x_train.dtype == np.uint8 and split.y_train.dtype == np.int64 and len(split.classes) == 10
    assert (counts(split.y_train, 10) == 1200).all() and (counts(split.y_test, 10) == 400).all()


def test_fashion_classes_are_what_their_names_say():
    """Shapes that a person would expect: trousers are narrow, shoes lie low, and a bag has no sleeves."""
    split = data.fashion()
    mean = {name: split.x_train[split.y_train == k].mean(axis=0) for k, name in enumerate(split.classes)}
    width = {name: (picture[20] > 40).sum() for name, picture in mean.items()}
    assert width["trouser"] < width["T-shirt"] and width["dress"] < width["coat"]
    for shoe in ("sandal", "sneaker", "ankle boot"):
        assert mean[shoe][18:].sum() > mean[shoe][:10].sum() and mean["dress"][:10].sum() > mean[shoe][:10].sum()
    boot, sneaker = mean["ankle boot"], mean["sneaker"]
    assert boot[4:10].sum() > 2 * sneaker[4:10].sum()  # it has a shaft
    assert boot[4:10, 14:].sum() > boot[4:10, :14].sum()  # at the right: the toe is at the left
    assert mean["pullover"][18, :8].sum() > mean["T-shirt"][18, :8].sum()  # sleeves reach down
    assert mean["bag"][18:].sum() > mean["sneaker"][:14].sum()


def test_mnist_m_is_the_absolute_difference_with_patches_of_photographs():
    """The paper's formula, taken pixel by pixel in plain integers, on the digits of `mnist` in their order."""
    mnist, blended, (train, test) = data.digits("mnist"), data.digits("mnist_m"), digit_sets.patches()
    assert np.array_equal(mnist.y_train, blended.y_train) and np.array_equal(mnist.y_test, blended.y_test)
    for x, digits, patches in ((blended.x_train, mnist.x_train, train), (blended.x_test, mnist.x_test, test)):
        for i in range(0, len(x), 97):
            for row, column in ((0, 0), (14, 14), (9, 18), (27, 27)):
                for colour in range(3):
                    expected = abs(int(patches[i, row, column, colour]) - int(digits[i, row, column]))
                    assert x[i, row, column, colour] == expected
    outside = mnist.x_test == 0
    assert np.array_equal(blended.x_test[outside], test[outside])  # where there is no ink, the photograph stays
    assert len({p.tobytes() for p in train}) > 3900  # random patches, not one


def test_blending_twice_with_black_changes_nothing():
    digits = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)
    black = np.zeros((5, 28, 28, 3), np.uint8)
    assert np.array_equal(digit_sets.blend(digits, black), np.repeat(digits[..., None], 3, axis=-1))
    assert np.array_equal(digit_sets.blend(digits, black + 255), 255 - np.repeat(digits[..., None], 3, axis=-1))


def test_optdigits_are_scikit_learns():
    from sklearn.datasets import load_digits

    split, original = data.digits("optdigits"), load_digits()
    assert (counts(split.y_train, 10) + counts(split.y_test, 10)).tolist() == counts(original.target, 10).tolist()
    ours = np.sort(np.concatenate([split.x_train, split.x_test]).mean((1, 2)))
    theirs = np.sort(original.images.mean((1, 2)) * (255 / 16) * (400 / 784))  # the same ink on a larger page
    assert np.abs(ours - theirs).max() < 4


# --- glyphs ------------------------------------------------------------------------------------------------------


def test_there_are_62_characters_in_400_licensed_faces():
    glyphs = data.glyphs()
    assert glyphs.images.shape == (400, 62, 28, 28) and glyphs.images.dtype == np.uint8
    assert "".join(glyphs.characters) == "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    assert len(glyphs.fonts) == len(glyphs.packages) == len(glyphs.licences) == 400 and all(glyphs.licences)
    assert max(pd.Series(glyphs.packages).value_counts()) <= 90 and len(set(glyphs.packages)) >= 100


def test_glyphs_are_16_greys_of_different_faces():
    images = data.glyphs().images
    assert set(np.unique(images)) == set(range(0, 256, 17))
    assert len({face.tobytes() for face in images}) == 400
    assert (images.max((2, 3)) >= 119).all()  # no blank, no hairline lost between the pixels
    for face in images[::7]:
        assert len({glyph.tobytes() for glyph in face}) == 62


def test_glyphs_are_what_they_are_said_to_be():
    """A nearest neighbour among other packages' faces reads most characters: labels are right, no tofu."""
    glyphs = data.glyphs()
    x = glyphs.images.reshape(400, 62, -1).astype(np.float32)
    x /= np.linalg.norm(x, axis=2, keepdims=True)
    packages = np.array(glyphs.packages)
    test = np.isin(packages, np.unique(packages)[::5])
    near = np.argmax(x[test].reshape(-1, 784) @ x[~test].reshape(-1, 784).T, axis=1) % 62
    assert (near == np.tile(np.arange(62), test.sum())).mean() > 0.75


def test_some_characters_and_fonts_can_be_chosen():
    every, some = data.glyphs(), data.glyphs("zA0", fonts=[7, 3])
    assert some.characters == ("z", "A", "0") and some.fonts == (every.fonts[7], every.fonts[3])
    assert np.array_equal(some.images[1, 2], every.images[3, 0])
    assert data.glyphs(fonts=slice(0, 50)).images.shape[0] == 50


@pytest.mark.parametrize("bad", [{"characters": "aé"}, {"characters": ""}, {"fonts": [400]}, {"fonts": ["Arial"]}])
def test_unknown_characters_and_fonts_are_refused(bad):
    with pytest.raises(ValueError, match="must be"):
        data.glyphs(**bad)


# --- scripts -----------------------------------------------------------------------------------------------------


def test_there_are_20_drawings_of_20_letters_of_50_writing_systems():
    scripts = data.scripts()
    assert scripts.images.shape == (1000, 20, 28, 28) and scripts.images.dtype == np.uint8
    assert set(pd.Series(scripts.systems).value_counts()) == {20} and len(set(scripts.characters)) == 1000
    assert set(np.unique(scripts.images)) == set(range(0, 256, 17))
    assert len({drawing.tobytes() for drawing in scripts.images.reshape(-1, 784)}) == 20_000
    assert (scripts.images.max((2, 3)) >= 119).all()  # no blank, no hairline lost between the pixels


def test_scripts_are_letters_of_the_writing_system_that_they_are_said_to_be_of_and_none_is_latin():
    """Unicode's own names say so: U+0E01 is called THAI CHARACTER KO KAI."""
    scripts = data.scripts()
    for character, system in zip(scripts.characters, scripts.systems, strict=True):
        assert unicodedata.category(character)[0] == "L"
        assert unicodedata.name(character).split()[0] == system.upper().split()[0]
    assert not {"Latin", "Greek", "Cyrillic", "Coptic"} & set(scripts.systems)


def test_drawings_of_a_letter_look_like_each_other():
    """Of 20 letters of its system a nearest neighbour among ten drawings of each names most: labels are right."""
    images = data.scripts().images.astype(np.float32).reshape(50, 20, 20, 784)
    images /= np.linalg.norm(images, axis=-1, keepdims=True)
    right = []
    for system in images:
        near = np.argmax(system[:, 10:].reshape(-1, 784) @ system[:, :10].reshape(-1, 784).T, axis=1) // 10
        right.append((near == np.repeat(np.arange(20), 10)).mean())
    assert min(right) > 0.3 and np.mean(right) > 0.5  # by chance 0.05


def test_writing_systems_can_be_chosen():
    every, some = data.scripts(), data.scripts(["Thai", "Hebrew"])
    assert set(some.systems) == {"Thai", "Hebrew"} and some.systems[:20] == ("Thai",) * 20 and "א" in some.characters
    assert np.array_equal(some.images[20:], every.images[np.array(every.systems) == "Hebrew"])
    assert data.scripts("Thai").characters == some.characters[:20]


@pytest.mark.parametrize(("bad", "hint"), [(["Hebreu"], "mean Hebrew"), ([], "must be"), ("Latin", "got 'Latin'")])
def test_unknown_writing_systems_are_refused(bad, hint):
    with pytest.raises(ValueError, match=hint):
        data.scripts(bad)


# --- stickers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("domain", data.STICKER_DOMAINS)
def test_stickers_are_eight_classes_split_alike(domain):
    split = data.stickers(domain, size=32)
    assert split.classes == data.STICKER_CLASSES and split.x_train.shape[1:] == (32, 32, 3)
    train, test = counts(split.y_train, 8), counts(split.y_test, 8)
    assert (train + test >= 10).all() and (np.abs(test / (train + test) - 0.25) < 0.15).all()
    again = data.stickers(domain, size=32)
    assert np.array_equal(split.x_train, again.x_train) and np.array_equal(split.y_test, again.y_test)
    other = data.stickers(domain, size=32, seed=1)
    assert not np.array_equal(np.sort(split.x_test.mean((1, 2, 3))), np.sort(other.x_test.mean((1, 2, 3))))


def test_the_background_is_the_one_asked_for():
    white = data.stickers("photo")
    for background in (0, (10, 200, 30)):
        coloured = data.stickers("photo", background=background)
        corner = np.median(coloured.x_train[:, 0, 0], axis=0)
        assert (corner == background).all() and (np.median(white.x_train[:, 0, 0], axis=0) == 255).all()
        opaque = (white.x_train == coloured.x_train).all(-1).mean()
        assert opaque > 0.1  # and the picture itself is left alone


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"domain": "fotos"}, "domain must be one of 'photo', 'clipart', 'noto', 'twemoji', 'openmoji'; got 'fotos'"),
        ({"size": 0}, "size must be"),
        ({"size": 12.5}, "size must be"),
        ({"background": 300}, "background must be"),
        ({"background": (1, 2)}, "background must be"),
        ({"test_fraction": 1.0}, "test_fraction must be"),
    ],
)
def test_stickers_refuse_bad_arguments(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        data.stickers(**arguments)


# --- reviews -----------------------------------------------------------------------------------------------------

rated = pytest.mark.skipif(not assets.is_whole(assets.ASSETS["reviews"]), reason="run `python -m tlcourse fetch` first")


def table():
    return pd.read_csv(assets.path("reviews"), keep_default_na=False)


@rated
def test_the_table_holds_what_its_authors_counted():
    sizes = table()["domain"].value_counts().to_dict()
    assert sizes == {"film": 10_605, "editorial": 5_190, "tweet": 4_200, "product": 3_708}  # their README's numbers
    assert table()["rating"].between(-4, 4).all()
    assert not table()["text"].str.contains(r"&amp;|&lt;|&gt;|\s\s|^\s|\s$|\ufffd", regex=True).any()


@rated
@pytest.mark.parametrize("domain", data.REVIEW_DOMAINS)
def test_labels_follow_the_ratings_and_no_text_is_on_both_sides(domain):
    split = data.reviews(domain)
    rating = table().query("domain == @domain").drop_duplicates("text").set_index("text")["rating"]
    for x, y in ((split.x_train, split.y_train), (split.x_test, split.y_test)):
        assert x.dtype == object and all(type(text) is str and text for text in x)
        assert np.array_equal(rating[x].to_numpy() > 0.75, y == 1) and np.array_equal(
            rating[x].to_numpy() < -0.75, y == 0
        )
    assert not set(split.x_train) & set(split.x_test)
    assert len(split.y_test) / (len(split.y_test) + len(split.y_train)) == pytest.approx(0.25, abs=0.02)


@rated
def test_a_higher_threshold_leaves_fewer_and_bad_ones_are_refused():
    sizes = [sum(map(len, (s.y_train, s.y_test))) for s in (data.reviews("tweet", threshold=t) for t in (0, 0.75, 2))]
    assert sizes[0] > sizes[1] > sizes[2] > 0
    for threshold in (-1, 4, 9):
        with pytest.raises(ValueError, match="threshold must be"):
            data.reviews("tweet", threshold=threshold)
    with pytest.raises(ValueError, match="one class only"):
        data.reviews("film", threshold=3.9)
    with pytest.raises(ValueError, match="domain must be one of 'film', 'product', 'editorial', 'tweet'; got 'books'"):
        data.reviews("books")


def test_tidying_unescapes_and_joins_white_space(tmp_path):
    import io
    import tarfile

    line = b'7_2\t-1.23456789\tSalt &amp;  pepper &lt;3 \xc3\xa9t\xc3\xa9, "so"\t\r\n'.replace(b"\t\r", b"\r")
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        for name in ratings.FILES.values():
            member = tarfile.TarInfo(f"hutto_ICWSM_2014/{name}")
            member.size = len(line)
            tar.addfile(member, io.BytesIO(line))
    rows = pd.read_csv(io.BytesIO(ratings.tidy(tmp_path / "a.tar.gz")))
    assert rows["domain"].tolist() == list(data.REVIEW_DOMAINS)
    assert rows.loc[0, ["document", "rating", "text"]].tolist() == [7, -1.2346, 'Salt & pepper <3 été, "so"']


def test_unknown_digits_are_refused():
    with pytest.raises(
        ValueError, match="name must be one of 'mnist', 'optdigits', 'usps', 'mnist_m', 'glyph'; got 'svhn'"
    ):
        data.digits("svhn")
