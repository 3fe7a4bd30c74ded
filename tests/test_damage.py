"""Whatever happened to a file that the course reads, its reader says so in one sentence; and nothing in it runs."""

import ast
import os
import pathlib
import pickle
import re
import shutil

import keras
import nbformat
import numpy as np
import pytest

from tlcourse.material import assets, backbones, data
from tlcourse.material.assets import AssetError
from tlcourse.material.backbones import efficientnet, sentence_bert
from tlcourse.material.data import digit_sets, ratings
from tlcourse.material.features import cache
from tlcourse.workshop import NOTEBOOKS, ROOT

# --- damaged, gone, unreadable -----------------------------------------------------------------------------------

READERS = {
    "minilm": lambda: sentence_bert.load_original(None),
    "minilm_tokenizer": lambda: backbones.tokenize(["a"]),
    "reviews": data.reviews,
    "usps": lambda: data.digits("usps"),
    "mathjax": lambda: assets.path("mathjax"),  # the site copies it
    "efficientnet_lite0": backbones.efficientnet_lite0,
    **{f"stickers/{domain}": lambda domain=domain: data.stickers(domain, size=8) for domain in data.STICKER_DOMAINS},
    "glyphs": data.glyphs,
    "scripts": data.scripts,
    "fashion": data.fashion,
    "mnist": data.digits,
    "mnist_more": lambda: data.digits(more=True),
    "mnist_m": lambda: data.digits("mnist_m"),
    "photographs": lambda: data.digits("mnist_m"),
    "concepts": data.concepts,
    "model_zoo": data.model_zoo,
}


def flipped(whole):
    middle = len(whole) // 2
    return whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]


DAMAGE = {
    "emptied": lambda file, whole: file.write_bytes(b""),
    "cut": lambda file, whole: file.write_bytes(whole[:-1]),
    "a flipped bit": lambda file, whole: file.write_bytes(flipped(whole)),
    "deleted": lambda file, whole: None,
    "a link to nowhere": lambda file, whole: file.symlink_to("nowhere"),
    "a folder in its place": lambda file, whole: file.mkdir(),
    "a pipe in its place": lambda file, whole: os.mkfifo(file) if hasattr(os, "mkfifo") else None,
    "unreadable": lambda file, whole: file.write_bytes(whole),  # and then `refusing` below
}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A data folder of links to the real files, so that one can be put in the place of another's."""
    home, real = tmp_path_factory.mktemp("data"), assets.DATA
    for relative in [assets.CHECKSUMS, *(relative for name in assets.ASSETS for relative in assets.listed(name))]:
        (home / relative).parent.mkdir(parents=True, exist_ok=True)
        (home / relative).symlink_to(real / relative)
    return home


def spoilt():
    """One file of each asset, and each table that is read beside one."""
    assert set(READERS) == set(assets.ASSETS)
    for name, asset in assets.ASSETS.items():
        files = [relative for relative in assets.listed(name) if relative not in asset.beside]
        for relative in (files[len(files) // 2], *asset.beside):
            yield pytest.param(name, relative, id=relative)


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize(("name", "relative"), list(spoilt()))
def test_no_reader_takes_a_spoilt_file(home, monkeypatch, name, relative, damage):
    file, real, hashed = home / relative, assets.DATA / relative, assets.sha256_of
    if not real.exists():
        pytest.skip("run `python -m tlcourse fetch` first")

    def refusing(path):
        if path == file and damage == "unreadable":  # root, who runs tests in containers, may read anything
            raise PermissionError(13, "Permission denied")
        return hashed(path)

    monkeypatch.setattr(assets, "DATA", home)
    monkeypatch.setattr(assets, "sha256_of", refusing)
    monkeypatch.setattr(efficientnet, "build", lambda *_, **__: None)  # it is built before the weights are looked at
    file.unlink()
    try:
        DAMAGE[damage](file, real.read_bytes())
        with pytest.raises(AssetError) as error:
            READERS[name]()
    finally:
        shutil.rmtree(file) if file.is_dir() else file.unlink(missing_ok=True)
        file.symlink_to(real)
    message = str(error.value)
    assert f"data/{relative} " in message and message.count("`") == 2 and "\n" not in message


def test_no_bit_of_the_list_of_checksums_may_differ(tmp_path, monkeypatch):
    """Neither is a picture left out in silence, nor a sound one blamed: it is the list that is named."""
    whole = (assets.DATA / assets.CHECKSUMS).read_bytes()
    monkeypatch.setattr(assets, "DATA", tmp_path)
    lines = whole.splitlines(keepends=True)
    starts = np.cumsum([0, *map(len, lines)])
    for line in (0, len(lines) // 2, len(lines) - 1):
        for place in range(starts[line], starts[line + 1]):
            for bit in range(8):
                spoilt = bytearray(whole)
                spoilt[place] ^= 1 << bit
                (tmp_path / assets.CHECKSUMS).write_bytes(spoilt)
                with pytest.raises(AssetError) as error:
                    assets.listed("stickers/photo")
                assert str(error.value).endswith(" is damaged; run `git restore data/CHECKSUMS.sha256`."), (place, bit)
    (tmp_path / assets.CHECKSUMS).write_bytes(whole)
    assert assets.listed("stickers/photo")


def test_no_table_is_read_that_nobody_verifies():
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "tlcourse" / "material").rglob("*.py")]
    named = {name for source in sources for name in re.findall(r'"(?:[\w/]+/)?(\w+\.csv)"', source)}
    assert "faces.csv" in named
    assert named <= {relative.split("/")[-1] for name in assets.ASSETS for relative in assets.listed(name)}


def test_a_table_with_the_line_ends_of_windows_is_the_same_table(home, monkeypatch):
    file, real = home / "concepts.csv", assets.DATA / "concepts.csv"
    expected = data.concepts()
    monkeypatch.setattr(assets, "DATA", home)
    file.unlink()
    file.write_bytes(real.read_bytes().replace(b"\n", b"\r\n"))
    assert data.concepts().equals(expected)
    file.unlink()
    file.symlink_to(real)


# --- nothing in a file runs --------------------------------------------------------------------------------------


class Bomb:
    """What leaves a mark if anybody unpickles it."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return pathlib.Path.touch, (self.mark,)


@pytest.fixture
def bombs(tmp_path):
    """Makes a file of objects in the format that a reader wants; says afterwards whether one of them came alive."""
    objects = np.array([Bomb(tmp_path / "alive")], dtype=object)

    def make(kind):
        file = tmp_path / f"bomb{kind}"
        if kind == ".npz":
            names = ("x", "y", "x_train", "y_train", "train", "test", "images", "characters", "systems")
            np.savez(file, **dict.fromkeys(names, objects), allow_pickle=True)
        elif kind == ".npy":
            np.save(file, objects, allow_pickle=True)
        else:
            file.write_bytes(pickle.dumps(objects[0]))
        return file

    yield make
    assert not (tmp_path / "alive").exists(), "the file ran"


def test_such_a_file_is_dangerous(bombs, tmp_path):
    np.load(bombs(".npy"), allow_pickle=True)
    assert (tmp_path / "alive").exists()
    (tmp_path / "alive").unlink()


@pytest.mark.parametrize(
    ("kind", "read", "why"),
    [
        *((".npz", READERS[name], "allow_pickle=False") for name in ("mnist", "mnist_more", "mnist_m", "glyphs",
                                                                      "scripts", "fashion")),
        (".npy", READERS["usps"], "allow_pickle=False"),
        (".safetensors", READERS["minilm"], "header"),
        (".json", READERS["minilm_tokenizer"], "valid UTF-8"),
        (".csv", READERS["reviews"], "decode byte"),
        (".weights.h5", READERS["efficientnet_lite0"], "signature not found"),
        (".mat", lambda: digit_sets.usps_table(assets.path("usps")), "Unknown mat file"),
        (".tar.gz", lambda: ratings.tidy(assets.path("reviews")), "could not be opened"),
    ],
)  # fmt: skip
def test_no_loader_unpickles(bombs, monkeypatch, kind, read, why):
    file, small = bombs(kind), keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    monkeypatch.setattr(assets, "path", lambda name: file)  # as if its hash had been right
    monkeypatch.setattr(efficientnet, "build", lambda *_, **__: small)
    with pytest.raises(Exception, match=why):
        read()


def test_kept_features_are_not_unpickled(bombs, monkeypatch, tmp_path):
    monkeypatch.setattr(assets, "CACHE", tmp_path)
    (tmp_path / "features").mkdir()
    (tmp_path / "features" / "k.npy").write_bytes(bombs(".npy").read_bytes())
    assert cache.kept("k", (1,), lambda: [np.ones(1, "float32")]).tolist() == [1.0]


UNPICKLERS = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal"}
CALLS = {  # a call of this name unpickles, or may; with this argument it does not
    "read_pickle": None, "to_pickle": None, "unsafe_load": None, "enable_unsafe_deserialization": None,
    "joblib.load": None, "yaml.load": None, "torch.load": ("weights_only", True),
}  # fmt: skip
SAFE = {"allow_pickle": False, "safe_mode": True, "weights_only": True}  # arguments that nobody may give otherwise


def unpickling(source):
    """The lines of a program that would unpickle, or might."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            if UNPICKLERS & {name.split(".")[0] for name in names}:
                yield ast.unparse(node)
        if isinstance(node, ast.Call):
            given = {word.arg: getattr(word.value, "value", "unknown") for word in node.keywords}
            name = ast.unparse(node.func)
            called = CALLS.get(name, CALLS.get(name.split(".")[-1], ()))
            if called is None or (called and given.get(called[0]) != called[1]):
                yield ast.unparse(node)
            elif any(given.get(word, value) != value for word, value in SAFE.items()):
                yield ast.unparse(node)


def programs():
    for folder in ("tlcourse", "data/build", "notebooks", "site"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path, path.read_text(encoding="utf-8")
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code":
                yield path, "\n".join(line for line in cell.source.splitlines() if line.lstrip()[:1] not in ("%", "!"))


def test_nothing_of_the_course_unpickles():
    found = {f"{path.relative_to(ROOT)}: {line}" for path, source in programs() for line in unpickling(source)}
    assert found == set()


@pytest.mark.parametrize("source", [
    "import pickle", "from dill import loads", "np.load(f, allow_pickle=True)", "np.load(f, allow_pickle=trust)",
    "keras.models.load_model(f, safe_mode=False)", "torch.load(f)", "torch.load(f, weights_only=False)",
    "joblib.load(f)", "pd.read_pickle(f)", "keras.config.enable_unsafe_deserialization()", "import os, shelve",
])  # fmt: skip
def test_what_unpickles_would_be_found(source):
    assert list(unpickling(source)) and not list(unpickling("np.load(f); torch.load(f, weights_only=True)"))
