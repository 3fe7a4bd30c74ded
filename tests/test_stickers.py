"""The stickers are what their README says: of one shape, licensed, without copies, the emoji sets in step."""

import csv
import importlib.util
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

DATA = Path(__file__).resolve().parents[1] / "data"
STICKERS = DATA / "stickers"
CLASSES = {"bird", "mammal", "fruit", "vegetable", "flower", "instrument", "tool", "vehicle"}
EMOJI = ("noto", "twemoji", "openmoji")
LICENCES = {
    "photo": {"GPL-2.0-or-later", "CC0-1.0", "public domain"},
    "clipart": {"public domain"},
    "noto": {"Apache-2.0"},
    "twemoji": {"CC-BY-4.0"},
    "openmoji": {"CC-BY-SA-4.0"},
}
DOMAINS = tuple(LICENCES)


@cache
def pictures(domain):
    """Return {path: opened picture} of one domain, in the order of the paths."""
    found = {}
    for path in sorted((STICKERS / domain).glob("*/*.png")):
        with Image.open(path) as picture:
            picture.load()
            found[path] = picture
    return found


@cache
def listed():
    """Return the rows of `pictures.csv`."""
    with open(STICKERS / "pictures.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@cache
def builder():
    """Load the builder's image module (it needs only Pillow and NumPy for what is used here)."""
    spec = importlib.util.spec_from_file_location("stickers_art", DATA / "build" / "stickers_art.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def concepts(domain):
    """Return {(class, name)} of a domain."""
    return {(path.parent.name, path.stem) for path in pictures(domain)}


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_class_has_enough_pictures(domain):
    per_class = Counter(path.parent.name for path in pictures(domain))
    assert set(per_class) == CLASSES
    assert min(per_class.values()) >= (12 if domain == "photo" else 10)


def test_emoji_sets_hold_the_same_concepts():
    assert concepts("noto") == concepts("twemoji") == concepts("openmoji")


@pytest.mark.parametrize("domain", DOMAINS)
def test_pictures_have_one_shape_and_show_something(domain):
    for path, picture in pictures(domain).items():
        assert (picture.format, picture.mode, picture.size) == ("PNG", "RGBA", (128, 128)), path
        assert not picture.info.keys() & {"exif", "icc_profile", "date", "Software"}, path
        pixels = np.asarray(picture)
        alpha = pixels[..., 3]
        assert 0.02 < (alpha > 127).mean() < 0.90, path  # a bassoon covers little, a toolbox nearly all that it may
        assert (pixels[alpha == 0] == 0).all(), path
        left, top, right, bottom = picture.getchannel("A").getbbox()
        assert 118 <= max(right - left, bottom - top) <= 120, path
        assert abs(left + right - 128) <= 4 and abs(top + bottom - 128) <= 4, path


@pytest.mark.parametrize("domain", DOMAINS)
def test_objects_can_be_seen_on_white(domain):
    for path, picture in pictures(domain).items():
        on_white = Image.new("RGBA", picture.size, "white")
        on_white.alpha_composite(picture)
        dark = np.asarray(on_white.convert("L")) < 225
        assert dark.mean() > 0.01, path


@pytest.mark.parametrize("domain", DOMAINS)
def test_no_picture_is_a_copy_of_another(domain):
    art = builder()
    paths = list(pictures(domain))
    near = art.alike(list(pictures(domain).values()))
    assert [(bits, paths[i], paths[j]) for bits, i, j in near if bits <= art.NEAR_BITS] == []


def test_copies_would_be_found():
    """Mirrored, dimmed, shrunk and recoloured copies are copies; another bird is not."""
    art = builder()
    owl, duck = (pictures("photo")[STICKERS / "photo" / "bird" / f"{name}.png"] for name in ("owl", "duck"))
    red, green, blue, alpha = owl.split()
    copies = [
        owl.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        owl.resize((90, 90), Image.Resampling.LANCZOS),
        Image.merge("RGBA", [band.point(lambda v: v * 3 // 4) for band in (red, green, blue)] + [alpha]),
        Image.merge("RGBA", (blue, red, green, alpha)),
    ]
    for copy in copies:
        assert art.alike([owl, copy])[0][0] <= art.NEAR_BITS
    assert all(bits > art.NEAR_BITS for bits, *_ in art.alike([owl, duck], overlap=0.0))


def test_every_picture_is_listed_with_its_licence():
    rows = {(row["domain"], row["class"], row["name"]): row for row in listed()}
    assert len(rows) == len(listed())
    assert set(rows) == {(domain, *concept) for domain in DOMAINS for concept in concepts(domain)}
    for (domain, _, name), row in rows.items():
        assert row["licence"] in LICENCES[domain] and row["author"] and row["package"] and row["source"], row
        assert name == name.lower() and name.isascii() and name.replace("-", "").isalnum(), row


@pytest.mark.parametrize("domain", DOMAINS)
def test_licence_stands_in_each_domain(domain):
    text = (STICKERS / domain / "LICENSE.md").read_text(encoding="utf-8")
    for package in {row["package"] for row in listed() if row["domain"] == domain}:
        assert package in text


def test_nothing_is_both_kept_and_removed():
    with open(DATA / "build" / "stickers_removed.csv", newline="", encoding="utf-8") as file:
        removed = list(csv.DictReader(file))
    assert all(row["reason"] and row["class"] in CLASSES for row in removed)
    emoji = {name for domain in EMOJI for _, name in concepts(domain)}
    kept = {(row["domain"], row["source"]) for row in listed()}
    for row in removed:
        if row["domain"] == "emoji":
            assert row["source"].replace("_", "-") not in emoji, row
        else:
            assert (row["domain"], row["source"]) not in kept, row


def test_readme_counts_what_is_there():
    lines = (STICKERS / "README.md").read_text(encoding="utf-8").splitlines()
    table = {cells[1]: cells[2:-1] for line in lines if len(cells := [c.strip() for c in line.split("|")]) == 8}
    assert table["class"] == list(DOMAINS)
    for name in CLASSES:
        assert table[name] == [str(sum(c == name for c, _ in concepts(domain))) for domain in DOMAINS]


def test_folder_stays_small():
    assert sum(path.stat().st_size for path in STICKERS.rglob("*") if path.is_file()) < 12e6
