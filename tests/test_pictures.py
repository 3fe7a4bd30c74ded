"""A student's own pictures: each odd file works or is named in one sentence, and never costs the others."""

import io
import os
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tlcourse.material.data import PictureError, from_folder, read_picture

RED, BLUE = (200, 30, 30), (30, 30, 200)


def encoded(image, kind="PNG", **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def plain(colour=RED, size=(40, 40), mode="RGB"):
    return Image.new(mode, size, colour)


def class_folder(root, name, n=4, colour=RED):
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(n):
        (folder / f"{i}.png").write_bytes(encoded(plain(colour)))
    return folder


@pytest.fixture
def two(tmp_path):
    """A folder with two good classes of four pictures."""
    class_folder(tmp_path, "red")
    class_folder(tmp_path, "blue", colour=BLUE)
    return tmp_path


def is_one_sentence(message):
    return "\n" not in message and message.rstrip().endswith((".", "?")) and len(message) < 400


# --- one picture -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "JPEG2000", "PPM"])
def test_usual_formats_give_the_colour_back(kind):
    picture = read_picture(encoded(plain(), kind), 16)
    assert picture.shape == (16, 16, 3) and picture.dtype == np.uint8
    assert np.abs(picture.astype(int) - RED).max() <= 12  # JPEG and the GIF palette are not exact


def test_a_path_and_its_bytes_read_the_same(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (33, 57, 3), dtype=np.uint8)
    file = tmp_path / "naïve 图.png"
    file.write_bytes(encoded(Image.fromarray(noise)))
    assert np.array_equal(read_picture(file, 20), read_picture(file.read_bytes(), 20))
    assert np.array_equal(read_picture(str(file), 20), read_picture(memoryview(file.read_bytes()), 20))


def test_transparency_falls_on_white():
    half = Image.new("RGBA", (10, 10), (*RED, 0))
    assert (read_picture(encoded(half), 8) == 255).all()
    palette = Image.new("P", (10, 10), 1)
    palette.putpalette([0, 0, 0, *RED])
    assert (read_picture(encoded(palette), 8) == RED).all()
    assert (read_picture(encoded(palette, transparency=1), 8) == 255).all()
    grey = Image.new("LA", (10, 10), (0, 128))
    assert np.abs(read_picture(encoded(grey), 8).astype(int) - 127).max() <= 1
    keyed = encoded(plain(), transparency=RED)  # an RGB file in which one colour means "nothing"
    assert (read_picture(keyed, 8) == 255).all()


def test_grey_bilevel_and_cmyk_become_rgb():
    assert (read_picture(encoded(plain(77, mode="L")), 8) == 77).all()
    assert (read_picture(encoded(plain(1, mode="1")), 8) == 255).all()
    cmyk = read_picture(encoded(plain((0, 255, 255, 0), mode="CMYK"), "JPEG"), 8).astype(int)
    assert (cmyk[..., 0] > 200).all() and (cmyk[..., 1:] < 60).all()


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_sixteen_bits_keep_their_brightness(kind):
    ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (64, 1))
    picture = read_picture(encoded(Image.fromarray(ramp), kind), 64)
    assert np.abs(picture[..., 0].astype(int) - np.round(ramp / 257)).max() <= 1
    dark = read_picture(encoded(Image.fromarray(np.full((8, 8), 2570, np.uint16)), kind), 8)
    assert (dark == 10).all()  # a dark picture is not stretched to a bright one


def test_floating_point_grey_keeps_its_range():
    ramp = np.tile(np.linspace(0, 1, 32, dtype=np.float32), (32, 1))
    ramp[0, 0] = np.nan
    picture = read_picture(encoded(Image.fromarray(ramp), "TIFF"), 32)
    assert np.abs(picture[5:, :, 0].astype(int) - np.round(ramp[5:] * 255)).max() <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_exif_orientation_is_undone(orientation, kind):
    corner = np.full((60, 60, 3), 255, np.uint8)
    corner[:20, :40] = RED  # upright: a red block in the top left, wider than high
    upright = Image.fromarray(corner)
    undone_by = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # what a camera did = the inverse of what mends it
    stored = upright.transpose(Image.Transpose(undone_by[orientation])) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = read_picture(encoded(stored, kind, exif=exif), 60).astype(int)
    assert np.abs(picture[5:15, 5:35] - RED).max() < 40 and picture[25:, 45:].min() > 215


def test_extreme_shapes_work():
    assert (read_picture(encoded(plain(size=(1, 1))), 128) == RED).all()
    wide = plain(BLUE, (20_000, 30))
    wide.paste(RED, (9_900, 0, 10_100, 30))
    assert (read_picture(encoded(wide), 16) == RED).all()  # the central square
    assert read_picture(encoded(plain(size=(20_000, 1))), 16).shape == (16, 16, 3)
    assert read_picture(encoded(plain(size=(20_000, 2_000)), "JPEG"), 16).shape == (16, 16, 3)


def test_an_animation_gives_its_first_frame():
    frames = [plain(RED), plain(BLUE)]
    assert (read_picture(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]), 8) == RED).all()
    assert (read_picture(encoded(frames[0], save_all=True, append_images=frames[1:]), 8) == RED).all()


def png_header(width, height):
    """A PNG that claims a size and holds almost nothing: the decompression bomb."""

    def chunk(tag, body):
        import zlib

        return struct.pack(">I", len(body)) + tag + body + struct.pack(">I", zlib.crc32(tag + body))

    import zlib

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


BAD = {
    "text": b"Dear diary, today I drew a cat.\n" * 5,
    "empty": b"",
    "noise": bytes(np.random.default_rng(0).integers(0, 256, 4000, dtype=np.uint8)),
    "heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 500,
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
    "cut JPEG": encoded(Image.effect_noise((200, 200), 90), "JPEG")[:4000],
    "cut PNG": encoded(Image.effect_noise((200, 200), 90))[:9000],
    "bomb": png_header(60_000, 60_000),
    "large": png_header(10_000, 10_000),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_picture_gives_one_sentence(name, tmp_path):
    with pytest.raises(PictureError) as from_bytes:
        read_picture(BAD[name], 16)
    assert is_one_sentence(str(from_bytes.value))
    file = tmp_path / "holiday.jpg"
    file.write_bytes(BAD[name])
    with pytest.raises(PictureError, match="holiday.jpg") as from_path:
        read_picture(file, 16)
    assert is_one_sentence(str(from_path.value))


def test_a_missing_file_and_a_folder_give_one_sentence(tmp_path):
    with pytest.raises(PictureError, match="cannot be opened"):
        read_picture(tmp_path / "none.png")
    with pytest.raises(PictureError, match="cannot be opened"):
        read_picture(tmp_path)


@pytest.mark.parametrize("size", [0, -1, 2000, 1.5, "128", True, None])
def test_sizes_out_of_range_are_refused(size):
    with pytest.raises(ValueError, match="size must be"):
        read_picture(encoded(plain()), size)


# --- a folder ----------------------------------------------------------------------------------------------------


def test_folders_become_classes(two):
    split = from_folder(two, size=16)
    assert split.classes == ("blue", "red") and split.skipped == ()
    assert split.x_train.shape == (6, 16, 16, 3) and split.x_test.shape == (2, 16, 16, 3)
    for x, y in ((split.x_train, split.y_train), (split.x_test, split.y_test)):
        assert (x[y == 0] == BLUE).all() and (x[y == 1] == RED).all() and set(y) == {0, 1}


def test_the_split_is_a_partition_and_repeats(two):
    for i in range(12):
        (two / "red" / f"shade{i}.png").write_bytes(encoded(plain((10 * i, 0, 0))))
    first, again, other = (from_folder(two, size=4, seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(first.x_train, again.x_train) and np.array_equal(first.y_test, again.y_test)
    assert not np.array_equal(first.x_train, other.x_train)
    shades = np.concatenate([first.x_train, first.x_test])[:, 0, 0, 0]
    assert sorted(s for s in shades if s not in (30, 200)) == sorted({10 * i for i in range(12)} - {30})
    everything = from_folder(two, size=4, test_fraction=0)
    assert len(everything.y_test) == 0 and len(everything.y_train) == 20


def test_one_bad_file_never_loses_the_others(two, capsys):
    for name, content in BAD.items():
        (two / "red" / f"bad {name}.jpg").write_bytes(content)
    (two / "blue" / "notes.txt").write_text("not a picture", encoding="utf-8")
    split = from_folder(two, size=16)
    assert len(split.y_train) + len(split.y_test) == 8
    assert len(split.skipped) == len(BAD) + 1 and any(line.startswith("blue/notes.txt") for line in split.skipped)
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and said.startswith(f"{len(BAD) + 1} of {len(BAD) + 9} files or folders were left out")


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_are_followed_once_and_a_dangling_one_is_named(two, tmp_path_factory):
    place = tmp_path_factory.mktemp("outside")
    class_folder(place, "elsewhere")
    (two / "red" / "more").symlink_to(place / "elsewhere")
    (two / "red" / "again").symlink_to(two / "red")
    (two / "red" / "gone.png").symlink_to(place / "nothing.png")
    split = from_folder(two, size=8)
    assert len(split.y_train) + len(split.y_test) == 12
    assert [line.split(":")[0] for line in split.skipped] == ["red/gone.png"]


def test_a_folder_that_cannot_be_read_is_named(two, monkeypatch, capsys):
    locked, scandir = two / "red" / "locked", os.scandir
    class_folder(two / "red", "locked")

    def refusing(path):
        if os.fspath(path) == os.fspath(locked):
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    split = from_folder(two, size=8)
    assert split.skipped == ("red/locked: a folder that cannot be read.",)
    assert "red/locked" in capsys.readouterr().out


@pytest.mark.parametrize("which", ["", "red"])
def test_a_place_that_cannot_be_looked_into_is_one_sentence(two, monkeypatch, which):
    refused, scandir, iterdir = two / which, os.scandir, Path.iterdir

    def refusing(found):  # root, who runs tests in containers, may look into anything
        def look(path):
            if os.fspath(path) == os.fspath(refused):
                raise PermissionError(13, "Permission denied", os.fspath(path))
            return found(path)

        return look

    monkeypatch.setattr(os, "scandir", refusing(scandir))
    monkeypatch.setattr(Path, "iterdir", refusing(iterdir))
    with pytest.raises(ValueError, match=r"cannot be read") as error:
        from_folder(two)
    assert is_one_sentence(str(error.value)) and refused.name in str(error.value)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_are_shown_as_one_line_of_text(two, capsys):
    names = [
        b"'a' \"b\" & <img src=x onerror=alert(1)> $c$ ",
        "птица 鳥 طائر".encode(),
        b"line\nend",
        b"\x1b[31mred",
        b"caf\xe9",
    ]
    for name in names:
        Path(two / "red" / os.fsdecode(name + b".png")).write_bytes(encoded(plain()))
        Path(two / "red" / os.fsdecode(name + b".txt")).write_bytes(b"no picture")
    split = from_folder(two, size=8)
    assert len(split.y_train) + len(split.y_test) == 8 + len(names) and len(split.skipped) == len(names)
    assert all(is_one_sentence(line) and "\x1b" not in line and line.encode() for line in split.skipped)
    assert capsys.readouterr().out.count("\n") == 1 and sum("птица 鳥 طائر" in line for line in split.skipped) == 1


@pytest.mark.parametrize("kind", ["png", "tiff", "jpeg2000"])
def test_a_small_file_that_unpacks_to_too_much_is_refused(kind, monkeypatch):
    monkeypatch.setattr("tlcourse.material.data.picture.MOST_WHOLE_PIXELS", 5000)
    file = io.BytesIO()
    Image.new("RGB", (100, 60), RED).save(file, kind)
    with pytest.raises(PictureError, match="100×60 pixels, more than"):
        read_picture(file.getvalue())
    Image.new("RGB", (100, 60), RED).save(file := io.BytesIO(), "jpeg")
    assert read_picture(file.getvalue(), 8).shape == (8, 8, 3)


def test_junk_of_systems_does_not_count(two, capsys):
    for junk in (".DS_Store", "Thumbs.db", "desktop.ini", "._0.png"):
        (two / "red" / junk).write_bytes(b"junk")
        (two / junk).write_bytes(b"junk")
    for folder in (".ipynb_checkpoints", "__MACOSX"):
        class_folder(two, folder)
        class_folder(two / "red", folder)
    split = from_folder(two, size=8)
    assert split.classes == ("blue", "red") and len(split.y_train) + len(split.y_test) == 8
    assert split.skipped == () and capsys.readouterr().out == ""


def test_nested_folders_and_unicode_names_work(two):
    class_folder(two / "red" / "2024", "mai")
    class_folder(two, "żółć 黄")
    split = from_folder(two, size=8)
    assert split.classes == ("blue", "red", "żółć 黄")
    assert np.bincount(np.concatenate([split.y_train, split.y_test])).tolist() == [4, 8, 4]


def test_windows_separators_are_understood_elsewhere(two, monkeypatch):
    monkeypatch.chdir(two.parent)
    assert from_folder(f".\\{two.name}", size=8).classes == ("blue", "red")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_in_the_folder_does_not_hang(two):
    os.mkfifo(two / "red" / "pipe.png")
    assert len(from_folder(two, size=8).y_train) == 6


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="needs rights")
def test_a_file_without_rights_is_skipped(two):
    (two / "red" / "0.png").chmod(0)
    assert "cannot be opened" in from_folder(two, size=8).skipped[0]


def refusals():
    def empty_class(root):
        (root / "green").mkdir()

    def class_of_text(root):
        (root / "green").mkdir()
        (root / "green" / "a.txt").write_text("hello", encoding="utf-8")

    def class_of_one(root):
        class_folder(root, "green", n=1)

    def already_split(root):
        for side in ("train", "test"):
            (root / "red").rename(root / side) if side == "train" else (root / "blue").rename(root / side)

    yield empty_class, "'green' has 0 readable of 0 files"
    yield class_of_text, r"'green' has 0 readable of 1 files.*a\.txt"
    yield class_of_one, "'green' has 1 readable of 1 files and needs at least 2"
    yield already_split, "already divided into 'test', 'train'"


@pytest.mark.parametrize(("make", "sentence"), list(refusals()))
def test_unusable_folders_are_refused_in_one_sentence(make, sentence, two):
    make(two)
    with pytest.raises(ValueError, match=sentence) as error:
        from_folder(two)
    assert is_one_sentence(str(error.value))


def test_a_single_class_points_to_the_inner_folder(two):
    with pytest.raises(ValueError, match=r"did you mean .*\?"):
        from_folder(two.parent if len(list(two.parent.iterdir())) == 1 else _alone(two))


def _alone(two):
    outer = two.parent / "outer"
    outer.mkdir()
    two.rename(outer / "pets")
    return outer


def test_single_class_no_class_and_no_folder_are_refused(tmp_path):
    with pytest.raises(ValueError, match="There is no folder"):
        from_folder(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="There is no folder"):
        from_folder("C:\\Users\\me\\pictures")
    with pytest.raises(ValueError, match="has no folders in it"):
        from_folder(tmp_path)
    class_folder(tmp_path, "red")
    with pytest.raises(ValueError, match="one class only, 'red'"):
        from_folder(tmp_path)
    with pytest.raises(ValueError, match="is a file"):
        from_folder(tmp_path / "red" / "0.png")
    (tmp_path / "pets.zip").write_bytes(b"PK")
    with pytest.raises(ValueError, match="archive; unpack it"):
        from_folder(tmp_path / "pets.zip")


@pytest.mark.parametrize("path", [None, "", "  ", 5, ["red", "blue"], b"pets"])
def test_what_is_no_path_is_refused_and_the_current_folder_is_not_meant(path, two, monkeypatch):
    monkeypatch.chdir(two)
    with pytest.raises(ValueError, match="Expected the path of a folder, got") as error:
        from_folder(path)
    assert is_one_sentence(str(error.value)) and repr(path) in str(error.value)
    assert from_folder(".", size=8).classes == from_folder(two, size=8).classes == ("blue", "red")


def test_who_has_only_archives_is_told_to_unpack_them(tmp_path):
    for name in ("red.zip", "blue.ZIP", "Thumbs.db"):
        (tmp_path / name).write_bytes(b"PK\x03\x04")
    with pytest.raises(ValueError, match="holds archives only; unpack them there") as error:
        from_folder(tmp_path)
    assert is_one_sentence(str(error.value))
    for name in ("red", "blue"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.tar").write_bytes(b"no picture")
    with pytest.raises(
        ValueError, match=r"'blue' has 0 readable .*\(blue/blue.tar: an archive; unpack it there\)"
    ) as error:
        from_folder(tmp_path)
    assert is_one_sentence(str(error.value))


def test_one_name_in_two_spellings_is_refused(two):
    class_folder(two, "Red")
    if len(list(two.iterdir())) == 2:
        pytest.skip("this file system does not tell the two apart")
    with pytest.raises(ValueError, match="'Red' and 'red' have one name in two spellings"):
        from_folder(two)


def test_more_than_the_memory_is_refused_before_reading(two, monkeypatch):
    monkeypatch.setattr("tlcourse.material.data.folder.MOST_BYTES", 1000)
    with pytest.raises(ValueError, match="8 files at 128×128 pixels need"):
        from_folder(two)


@pytest.mark.parametrize("fraction", [-0.1, 1, 1.5])
def test_fractions_out_of_range_are_refused(fraction, two):
    with pytest.raises(ValueError, match="test_fraction must be"):
        from_folder(two, test_fraction=fraction)
