"""Build data/scripts: 1,000 characters of 50 writing systems, 20 drawings of each, from Debian's Noto fonts.

    python data/build/scripts.py --work DIR

needs `apt-get` and `dpkg` (Debian or Ubuntu, after `apt-get update`), fontTools, and the course's own environment. DIR
keeps the packages (85 MB) between two runs. The same packages, NumPy, SciPy, Pillow and zlib give the same bytes;
`faces.csv` records each font file and its SHA-256. `--report` writes contact sheets into DIR.

1. Of each font the letters are taken (Unicode's categories Lo and Ll, in their plain forms), by writing system.
2. Latin is left out, and so are its relatives, whose A is our A: who learns here has not seen Latin letters.
3. In code order a letter is refused that looks like an earlier one of its system; 20, evenly spaced, are kept.
4. The 50 systems with the most faces stay; of equals those with more letters.
5. A drawing is a face (made bolder at random if its system has few), turned, slanted, stretched, and then distorted
   elastically (Simard, Steinkraus & Platt 2003): smooth random displacements, as a hand would make them.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
import zlib
from collections import defaultdict
from pathlib import Path

import numpy as np
from debian_packages import arguments, unpack, write_table
from fontTools import unicodedata as scripts
from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter, map_coordinates

OUT = Path(__file__).resolve().parents[1] / "scripts"
PACKAGES = ("fonts-noto-core", "fonts-noto-extra")
SYSTEMS, CHARACTERS, DRAWINGS, CANDIDATES = 50, 20, 20, 400
SIZE, INNER, LEVELS, OVER = 28, 20, 16, 4
STYLES = ("Regular", "Bold", "Light", "Black", "ExtraCondensed")
RELATIVES = {"Latn", "Grek", "Cyrl", "Copt", "Goth", "Lisu", "Cher", "Ital", "Cari", "Lyci", "Lydi", "Dsrt", "Osge"}
OTHERS = {"Zyyy", "Zinh", "Dupl", "Sgnw", "Tang"}  # of no system; shorthand; hands; signs of very many strokes
MISTAKABLE = {"\N{PAHAWH HMONG SIGN CIM CUAM TSHOOJ}", "\N{OLD TURKIC LETTER ORKHON AEY}"}  # for a swastika


def is_letter(character: str) -> bool:
    """Whether it is a letter on its own: no capital that has a small one, no ligature, no presentation form."""
    plain = unicodedata.normalize("NFKC", character) == character == character.lower()
    return plain and unicodedata.category(character) in ("Lo", "Ll") and character not in MISTAKABLE


def letters_by_system(file: Path) -> dict[str, set[str]]:
    """The letters that a font file has, by ISO 15924 code of their writing system."""
    found = defaultdict(set)
    for code in TTFont(file, lazy=True).getBestCmap() or {}:
        if is_letter(chr(code)):
            found[scripts.script(chr(code))].add(chr(code))
    return found


def inked(file: Path, character: str, stroke: int = 0) -> np.ndarray | None:
    """A letter, its longer side `INNER` pixels at `OVER`-fold size, in the middle, (112, 112) in [0, 1]."""
    probe = ImageFont.truetype(str(file), 200, layout_engine=ImageFont.Layout.BASIC)
    left, top, right, bottom = probe.getbbox(character, anchor="ls")
    if max(right - left, bottom - top) < 20:
        return None
    font = ImageFont.truetype(str(file), int(200 * INNER * OVER / max(right - left, bottom - top)),
                              layout_engine=ImageFont.Layout.BASIC)  # fmt: skip
    left, top, right, bottom = font.getbbox(character, anchor="ls")
    canvas = Image.new("L", (SIZE * OVER, SIZE * OVER))
    at = ((SIZE * OVER - left - right) / 2, (SIZE * OVER - top - bottom) / 2)
    ImageDraw.Draw(canvas).text(at, character, fill=255, font=font, anchor="ls", stroke_width=stroke)
    return np.asarray(canvas) / 255


def small(picture: np.ndarray) -> np.ndarray:
    """(112, 112) in [0, 1] as (28, 28) uint8 of 16 greys."""
    pixels = picture.reshape(SIZE, OVER, SIZE, OVER).mean(axis=(1, 3))
    return (np.round(pixels * (LEVELS - 1)) * (255 // (LEVELS - 1))).astype(np.uint8)


def different(file: Path, letters: list[str]) -> list[str]:
    """Those letters, in order, that leave ink and look like none before (cosine, blurred, below 0.9)."""
    kept, seen = [], np.empty((0, SIZE * SIZE))
    for letter in letters:
        picture = inked(file, letter)
        if picture is None or small(picture).max() < 128:
            continue
        row = gaussian_filter(small(picture).astype(float), 1).ravel()
        row /= np.linalg.norm(row)
        if not len(seen) or (seen @ row).max() < 0.9:
            kept.append(letter)
            seen = np.vstack([seen, row])
    return kept


def drawn(file: Path, letter: str, rng: np.random.Generator, *, bolder: int) -> np.ndarray:
    """One drawing, (28, 28) uint8, of a letter up to that many quarters of a pixel bolder, transformed, distorted."""
    stroke = int(rng.integers(0, bolder + 1))
    picture = inked(file, letter, stroke)
    while small(picture).max() < 192:  # hairlines drown in the pixels
        stroke += 1
        picture = inked(file, letter, stroke)
    side = SIZE * OVER
    turn, slant = np.deg2rad(rng.normal(0, 6)), rng.normal(0, 0.12)
    stretch = np.exp(rng.normal(0, 0.08, size=2))
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    matrix = matrix @ np.array([[1, 0], [slant, 1]]) @ np.diag(stretch)
    grid = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij")).reshape(2, -1) - (side - 1) / 2
    noise = rng.uniform(-1, 1, size=(2, side, side))
    waves = np.stack([gaussian_filter(field, 4 * OVER, mode="constant") for field in noise])
    waves *= 1.0 * OVER / waves.std()  # one pixel, typically
    at = matrix @ grid + (side - 1) / 2 + waves.reshape(2, -1) + rng.normal(0, OVER / 2, size=(2, 1))
    return small(map_coordinates(picture, at, order=1).reshape(side, side))


def main() -> None:
    """Build the files."""
    work, report = arguments(__doc__)
    versions = unpack(PACKAGES, work)
    faces = defaultdict(list)  # of each system: (file, letters), the plain styles first
    for style in STYLES:
        for file in sorted((work / "x").rglob(f"Noto*-{style}.ttf")):
            if not re.match(r"Noto(Sans|Serif)(Mono|Display|Math|Symbols2?)?-", file.name):
                for system, letters in letters_by_system(file).items():
                    faces[system].append((file, letters))
    chosen = {}
    for system, files in faces.items():
        if system in RELATIVES | OTHERS:
            continue
        first = max(files, key=lambda pair: len(pair[1]))  # the first of those with the most letters
        letters = different(first[0], sorted(first[1])[:CANDIDATES])
        if len(letters) >= CHARACTERS:
            twenty = [letters[i] for i in np.linspace(0, len(letters) - 1, CHARACTERS).round().astype(int)]
            mine = [file for file, had in files if set(twenty) <= had][:DRAWINGS]
            chosen[system] = (twenty, mine, len(letters))
    order = sorted(chosen, key=lambda system: (-len(chosen[system][1]), -chosen[system][2], system))[:SYSTEMS]
    order.sort(key=scripts.script_name)
    images = np.zeros((SYSTEMS * CHARACTERS, DRAWINGS, SIZE, SIZE), np.uint8)
    table = []
    for s, system in enumerate(order):
        letters, files, _ = chosen[system]
        rng = np.random.default_rng(zlib.crc32(system.encode()))
        for c, letter in enumerate(letters):
            for d in range(DRAWINGS):
                bolder = 3 if len(files) < len(STYLES) else 0  # more faces have several weights already
                images[s * CHARACTERS + c, d] = drawn(files[d % len(files)], letter, rng, bolder=bolder)
        for file in files:
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            package = file.relative_to(work / "x").parts[0]
            table.append({"system": scripts.script_name(system), "file": file.name, "licence": "OFL-1.1",
                          "package": package, "version": versions[package], "sha256": digest})  # fmt: skip
    write_table(table, OUT / "faces.csv")
    np.savez_compressed(
        OUT / "scripts.npz",
        images=images,
        characters=np.array([letter for system in order for letter in chosen[system][0]]),
        systems=np.array([scripts.script_name(system) for system in order]),
    )
    print(f"{len(chosen)} systems will do; {len(order)} taken, from {len({row['file'] for row in table})} faces")
    if report:
        for s, system in enumerate(order):
            page = images[s * CHARACTERS : (s + 1) * CHARACTERS].transpose(0, 2, 1, 3)
            Image.fromarray(page.reshape(CHARACTERS * SIZE, DRAWINGS * SIZE)).save(work / f"{system}.png")


if __name__ == "__main__":
    main()
