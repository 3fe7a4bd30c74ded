"""No group (a family of faces, a concept, a document, a writing system, a photograph) lies on both sides of a split."""

from __future__ import annotations

import csv
import difflib
import itertools
import shutil

import numpy as np
import pytest

from tlcourse.material import assets, data
from tlcourse.material.data import digit_sets

EMOJI = ("noto", "twemoji", "openmoji")


def fetched(name):
    """A parameter or test that needs what is fetched at set-up."""
    return pytest.mark.skipif(not assets.is_whole(assets.ASSETS[name]), reason=f"run `python -m tlcourse fetch {name}`")


# --- every loader ------------------------------------------------------------------------------------------------
# Each function finds the groups of what a loader returns in its own way: it looks the examples up in the source.


def looked_up(split, group_of):
    """Groups of the training and of the test examples, by their bytes."""
    return [[group_of[example.tobytes()] for example in x] for x in (split.x_train, split.x_test)]


def concepts(tmp_path):
    """The three emoji sets together: what one calls `ant` is the ant in all."""
    from PIL import Image

    sides = [], []
    for domain in EMOJI:
        name_of = {}
        for file in assets.files(f"stickers/{domain}"):
            page = Image.new("RGBA", (128, 128), "white")
            page.alpha_composite(Image.open(file).convert("RGBA"))
            name_of[page.convert("RGB").tobytes()] = file.parent.name, file.stem
        for side, found in zip(sides, looked_up(data.stickers(domain, seed=3), name_of), strict=True):
            side.extend(found)
    return sides


def documents(domain):
    def of_reviews(tmp_path):
        with open(assets.path("reviews"), encoding="utf-8", newline="") as table:
            rows = [row for row in csv.DictReader(table) if row["domain"] == domain]
        document = {row["text"]: row["document"] for row in reversed(rows)}  # of two alike the first counts
        split = data.reviews(domain, seed=5)
        return [[document[text] for text in x] for x in (split.x_train, split.x_test)]

    return of_reviews


def printed_families(tmp_path):
    glyphs = data.glyphs("0123456789")
    owner = {}
    for face, family in zip(glyphs.images, glyphs.families, strict=True):
        owner |= {digit_sets._centred(image).tobytes(): family for image in face}
    return looked_up(data.digits("glyph"), owner)


def writers(tmp_path):
    """Of optdigits: a new form begins where the first form's sequence of digits begins anew."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = digit_sets._enlarged(np.round(bunch.images * (255 / 16)).astype(np.uint8))
    form = np.repeat(np.arange(14), np.diff([*digit_sets.OPTDIGITS_FORMS, len(images)]))
    text = "".join(map(str, bunch.target))
    for k in range(14):
        mine = "".join(itertools.compress(text, form == k))
        assert difflib.SequenceMatcher(None, text[:130], mine, autojunk=False).ratio() > 0.96, k
    return looked_up(data.digits("optdigits"), dict(zip((i.tobytes() for i in images), form.tolist(), strict=True)))


def photographs(tmp_path):
    with np.load(assets.path("mnist_m")) as file:
        sides = [set(file[side][:, 0].tolist()) for side in ("train", "test")]
    with open(assets.DATA / "digits" / "photographs" / "sources.csv", encoding="utf-8") as table:
        said = [row["side"] for row in csv.DictReader(table)]  # in the order of their numbers
    assert sides == [{k for k, side in enumerate(said) if side == wanted} for wanted in ("train", "test")]
    return [list(side) for side in sides]


def writing_systems(tmp_path):
    systems = np.array(data.scripts().systems)
    return [systems[part].tolist() for part in data.parts_by_group(systems, (600, 200), seed=1)]


def families(tmp_path):
    families = np.array(data.glyphs().families)
    return [families[part].tolist() for part in data.parts_by_group(families, (200, 100), seed=1)]


LOADERS = {
    "emoji by concept": concepts,
    "printed digits by family": printed_families,
    "optdigits by writer": writers,
    "MNIST-M by photograph": photographs,
    "glyphs by family": families,
    "scripts by writing system": writing_systems,
}
REVIEWS = {f"{domain} sentences by document": documents(domain) for domain in ("product", "editorial")}


@pytest.mark.parametrize(
    "sides",
    [
        *(pytest.param(sides, id=name) for name, sides in LOADERS.items()),
        *(pytest.param(sides, id=name, marks=fetched("reviews")) for name, sides in REVIEWS.items()),
    ],
)
def test_no_group_lies_on_both_sides(sides, tmp_path):
    train, test = sides(tmp_path)
    assert len(set(train)) > 1 and len(set(test)) > 1
    assert not set(train) & set(test)


@pytest.mark.parametrize(
    "load",
    [
        data.fashion,
        lambda: data.digits("mnist", more=True),
        pytest.param(lambda: data.digits("usps"), marks=fetched("usps")),
        lambda: data.digits("optdigits"),
        lambda: data.digits("glyph"),
    ],
    ids=["fashion", "more mnist", "usps", "optdigits", "glyph"],
)
def test_no_picture_to_test_on_is_also_trained_on(load):
    """Where nobody knows the groups, a group is at least the picture itself."""
    split = load()
    assert not {image.tobytes() for image in split.x_train} & {image.tobytes() for image in split.x_test}


def test_packages_that_share_a_design_are_one_family():
    glyphs = data.glyphs()
    pairs = set(zip(glyphs.packages, glyphs.families, strict=True))
    family = dict(pairs)
    assert len(pairs) == len(family)  # a package is never torn
    assert family["fonts-lato"] == family["fonts-crosextra-carlito"] and family["fonts-cmu"] == family["fonts-lmodern"]
    assert family["fonts-lato"] != family["fonts-cmu"] and family["fonts-inter"] == "fonts-inter"


def test_drawings_of_one_face_resemble_each_other_most():
    """What `faces` says, seen in the pictures."""
    scripts = data.scripts()
    x = scripts.images.reshape(1000, 20, 784).astype(np.float32)
    x /= np.linalg.norm(x, axis=2, keepdims=True)
    alike, faces = x @ x.transpose(0, 2, 1), scripts.faces
    same = faces[:, :, None] == faces[:, None]
    several = faces.max(axis=1) > 1  # with one or two faces there is little to compare
    other = ~np.eye(20, dtype=bool)
    gaps = [
        a[s & other].mean() - a[~s].mean()
        for a, s in zip(alike[several], same[several], strict=True)
        if (s & other).any()
    ]
    assert len(gaps) > 400 and np.mean(np.array(gaps) > 0) > 0.75
    assert sum(faces.max(axis=1) == 0) == 10 * 20  # ten systems of one face


# --- drawing by group --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [(300, 100), (20, 100, 31), (20, 2, 100, 31, 31), (1, 1)])
def test_no_family_of_faces_lies_in_two_parts(sizes):
    families = np.array(data.glyphs().families)
    parts = data.parts_by_group(families, sizes, seed=3)
    assert [len(set(part.tolist())) for part in parts] == list(sizes)
    assert all(not set(families[a]) & set(families[b]) for a, b in itertools.combinations(parts, 2))
    for part, again, other in zip(
        parts, data.parts_by_group(families, sizes, seed=3), data.parts_by_group(families, sizes, seed=4), strict=True
    ):
        assert np.array_equal(part, again)
        assert not np.array_equal(part, other)


def test_a_part_is_of_as_many_groups_as_there_are_and_each_group_has_the_same_chance():
    groups = np.repeat(np.arange(30), np.arange(1, 31))  # the last has thirty examples, the first has one
    drawn = [data.parts_by_group(groups, (5, 10), seed=seed) for seed in range(400)]
    assert all(len(set(groups[part])) == len(part) for parts in drawn for part in parts)
    often = np.bincount(np.concatenate([groups[parts[0]] for parts in drawn]), minlength=30) / 400
    assert np.abs(often - 5 / 30).max() < 4 * np.sqrt(5 / 30 * 25 / 30 / 400)


@pytest.mark.parametrize("sizes", [(), (0, 5), (2.5,), (3, 3, 3)])
def test_sizes_that_whole_groups_cannot_fill_are_refused_in_a_sentence(sizes):
    with pytest.raises(ValueError, match=r"^Expected sizes .*, got .*: .*\.$"):
        data.parts_by_group(["a", "a", "a", "b", "b", "b"], sizes, seed=0)


def test_two_groups_cannot_be_split_in_halves_that_share_one():
    with pytest.raises(ValueError, match="2 whole groups of 6 examples can fill"):
        data.parts_by_group(["a"] * 4 + ["b"] * 2, (3, 3), seed=0)


# --- missing or damaged ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["missing", "damaged"])
@pytest.mark.parametrize(
    ("load", "relative", "command"),
    [
        (data.fashion, "fashion/fashion.npz", "git restore data/fashion/fashion.npz"),
        (lambda: data.digits("mnist", more=True), "digits/mnist_more.npz", "git restore data/digits/mnist_more.npz"),
        (lambda: data.digits("usps"), "fetched/usps/usps.npy", "python -m tlcourse fetch usps"),
    ],
    ids=["fashion", "more mnist", "usps"],
)
def test_a_missing_or_damaged_set_gives_one_sentence_with_the_command(
    load, relative, command, state, tmp_path, monkeypatch
):
    for name in (assets.CHECKSUMS, "digits/mnist.npz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(assets.DATA / name, tmp_path / name)
    monkeypatch.setattr(assets, "DATA", tmp_path)
    if state == "damaged":
        (tmp_path / relative).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / relative).write_bytes(b"half a file")
    with pytest.raises(assets.AssetError) as error:
        load()
    message = str(error.value)
    assert message.startswith(f"data/{relative} is {state}") and f"`{command}`" in message
    assert "\n" not in message and message.endswith(".") and message.count(". ") == 0
