"""Build data/glyphs: the 62 letters and digits in 400 faces, drawn from Debian's font packages.

    python data/build/glyphs.py --work DIR

needs `apt-get` and `dpkg` (Debian or Ubuntu, after `apt-get update`), fontTools, and the course's own environment. DIR
keeps the packages (about 280 MB) between two runs. The same packages, Pillow and zlib give the same bytes; `fonts.csv`
records each package's version and each font file's SHA-256.

A face is taken when it passes all of these, in this order; `--report` writes contact sheets of what was taken and left:

1. its character map holds all 62 characters, and by name it is no variable, symbol or small-capitals font;
2. every character leaves ink that is not faint, and no two of the 62 look the same in 28×28 pixels (this refuses
   hairlines, blank and replacement glyphs, capitals-only faces, and those in which O is 0 or l is I);
3. a nearest neighbour among other packages' faces reads at least 40 % of its 62 characters (this refuses dingbats and
   faces that nobody can read), and 40 % of those small letters that are not drawn like their capitals (this refuses
   faces with two sizes of capitals);
4. at most `QUOTA` faces of one package remain (the face nearest to another goes first), so that no foundry rules;
5. of what is left, the nearest pair loses one member again and again, until 400 remain.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
from debian_packages import arguments, unpack, write_table
from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw, ImageFont

OUT = Path(__file__).resolve().parents[1] / "glyphs"
CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
FACES = 400
QUOTA = 12
QUOTAS = {"fonts-aenigma": 90}
SIZE, LEVELS, OVER = 28, 16, 8
UNLIKE_CAPITALS = "abdefghnqrt"

# Package names without "fonts-", by the licence that their debian/copyright gives the fonts.
PACKAGES = {
    "OFL-1.1": """3270 allerta amiga anonymous-pro arapey averia-gwf averia-sans-gwf averia-serif-gwf bajaderka
        blankenburg bwht cabin cabinsketch campania cantarell cardo cherrybomb cmu comfortaa comic-neue compagnon
        courier-prime crosextra-caladea crosextra-carlito dancingscript dosis dotgothic16 ebgaramond ecolier-court
        ecolier-lignes-court elstob eurofurence fantasque-sans ferrite-core firacode gfs-artemisia gfs-baskerville
        gfs-bodoni-classic gfs-complutum gfs-didot gfs-neohellenic gfs-theokritos gnutypewriter gotico-antiqua havana
        hermit humor-sans joscelyn junction junicode karla karmilla kaushanscript klaudia-berenika klee kristi lato
        le-murmure league-mono league-spartan leckerli-one lobster lobstertwo manrope millimetre monofur
        mononoki nanum-extra national-park okolaks opendin play quattrocento quicksand radisnoir rampart reggae
        rocknroll routed-gothic sil-andika sil-charis sil-gentium-basic sixtyfour smiley-sans solide-mirage sora stick
        train vollkorn yanone-kaffeesatz yrsa-rasa yusei-magic""",
    "OFL-1.0": "breip century-catalogue inconsolata levien-museum levien-typoscript oldstandard",
    "OFL-1.1 OR GPL-3.0-or-later": "jura oxygen",
    "OFL-1.1 AND EPL-2.0": "b612",
    "OFL-1.1 AND Apache-2.0": "inter",
    "OFL-1.1 OR LGPL-2.1-only": "essays1743",
    "OFL-1.1 OR BSD-3-Clause": "georgewilliams",
    "OFL-1.1 OR MIT": "monoid",
    "GPL-2.0-or-later WITH Font-exception-2.0": """adf-accanthis adf-baskervald adf-berenis adf-gillius adf-ikarius
        adf-irianis adf-libris adf-mekanus adf-oldania adf-romande adf-solothurn adf-switzera adf-tribun
        adf-universalis adf-verana sjfonts tlwg-kinnari-ttf tlwg-loma-ttf tlwg-purisa-ttf tlwg-sawasdee-ttf
        tlwg-typewriter-ttf tlwg-umpush-ttf linuxlibertine ubuntu-title""",
    "GPL-2.0-only WITH Font-exception-2.0": "liberation",
    "GPL-2.0-or-later": "dustin johnsmith-induni summersby uralic",
    "GPL-3.0-or-later WITH Font-exception-2.0": "freefont-ttf rufscript tiresias osifont",
    "GPL-3.0-only": "beteckna",
    "GPL-3.0-or-later": "dkg-handwriting",
    "AGPL-3.0-only WITH Font-exception-2.0": "urw-base35",
    "LGPL-2.0-or-later": "engadget isabella staypuft",
    "LGPL-3.0-only": "libfinal",
    "Apache-2.0": "clear-sans jetbrains-mono open-sans roboto-slab",
    "MIT": "agave fanwood lindenhill roadgeek",
    "MIT AND Bitstream-Vera": "hack-ttf",
    "Bitstream-Vera": "dejavu-core",
    "BSD-3-Clause": "go",
    "CC-BY-3.0 AND Bitstream-Vera": "opendyslexic",
    "CC-BY-SA-3.0": "femkeklaver",
    "Artistic-1.0": "f500",
    "GUST-Font-License": "lmodern texgyre",
    "public domain": "aoyagi-kouzan-t goudybookletter kouzan-mouhitsu ocr-b prociono tuffy",
    "free to use, change and redistribute, with attribution to Brian Kent": "aenigma",
}
LICENCE = {f"fonts-{name}": licence for licence, names in PACKAGES.items() for name in names.split()}
NOT_LETTERS = ("symbol", "dingbat", "math", "emoji", "icons", "d050000l", "standardsymbols", "syms")
SMALL_CAPITALS = ("caps", "csc", "titling", "style")


def draw(file: Path) -> np.ndarray | None:
    """Draw the 62 characters of a font on a common baseline and scale.

    The scale is the largest at which all 62 fit in 26×26 pixels, so that o and O, or 1 and l, keep their proportions.

    Returns:
        (62, 28, 28) uint8, white on black, 16 grey levels; or None if the font will not do.
    """
    try:
        cmap = TTFont(file, lazy=True).getBestCmap() or {}
        if any(ord(c) not in cmap for c in CHARACTERS):
            return None
        probe = ImageFont.truetype(str(file), 200, layout_engine=ImageFont.Layout.BASIC)
        boxes = np.array([probe.getbbox(c, anchor="ls") for c in CHARACTERS], float)
    except Exception:  # a broken font is one font less, whatever it broke
        return None
    width, height = (boxes[:, 2] - boxes[:, 0]).max(), boxes[:, 3].max() - boxes[:, 1].min()
    if min(width, height) < 20 or (boxes[:, 2] <= boxes[:, 0]).any() or (boxes[:, 3] <= boxes[:, 1]).any():
        return None
    inner = (SIZE - 2) * OVER
    size = int(200 * min(inner / width, inner / height))
    font = ImageFont.truetype(str(file), size, layout_engine=ImageFont.Layout.BASIC)
    boxes = np.array([font.getbbox(c, anchor="ls") for c in CHARACTERS], float)
    baseline = SIZE * OVER / 2 - (boxes[:, 1].min() + boxes[:, 3].max()) / 2
    glyphs = []
    for character, (left, _, right, _) in zip(CHARACTERS, boxes, strict=True):
        canvas = Image.new("L", (SIZE * OVER, SIZE * OVER))
        at = (SIZE * OVER / 2 - (left + right) / 2, baseline)
        ImageDraw.Draw(canvas).text(at, character, fill=255, font=font, anchor="ls")
        glyphs.append(np.asarray(canvas.resize((SIZE, SIZE), Image.Resampling.BOX)))
    step = 255 // (LEVELS - 1)
    return (np.round(np.array(glyphs) / step) * step).astype(np.uint8)


def distinct(glyphs: np.ndarray) -> bool:
    """Whether each of the 62 has ink, and no two are the same to the eye (mean difference of the ink ≥ 6 %)."""
    x = glyphs.reshape(len(glyphs), -1).astype(np.float32)
    ink = x.sum(1)
    if ink.min() < 255 * 4 or x.max(1).min() < 128:  # hairlines drown in the pixels
        return False
    difference = np.abs(x[:, None] - x[None]).sum(2) / np.maximum(ink[:, None], ink[None])
    return bool((difference + np.eye(len(x)) >= 0.06).all())


def read(faces: np.ndarray, packages: np.ndarray) -> np.ndarray:
    """Which characters of which face a nearest neighbour among other packages' faces reads, (n, 62) bool."""
    from scipy.ndimage import gaussian_filter

    n = len(faces)
    x = gaussian_filter(faces.astype(np.float32), (0, 0, 1, 1)).reshape(n, len(CHARACTERS), -1)
    x /= np.linalg.norm(x, axis=2, keepdims=True) + 1e-6
    labels = np.tile(np.arange(len(CHARACTERS)), n)
    flat = x.reshape(n * len(CHARACTERS), -1)
    owner = np.repeat(np.arange(n), len(CHARACTERS))
    right = np.zeros(len(flat), bool)
    for package in np.unique(packages):
        mine = packages[owner] == package
        near = np.argmax(flat[mine] @ flat[~mine].T, axis=1)
        right[mine] = labels[~mine][near] == labels[mine]
    return right.reshape(n, -1)


def thin(distance: np.ndarray, keep: int, rank: np.ndarray) -> np.ndarray:
    """Indices of `keep` faces: of the nearest pair the less legible goes, again and again."""
    d = distance.copy()
    np.fill_diagonal(d, np.inf)
    alive = np.ones(len(d), bool)
    while alive.sum() > keep:
        i, j = np.unravel_index(np.argmin(d), d.shape)
        out = max((i, j), key=lambda k: (-rank[k], k))
        alive[out] = False
        d[out] = d[:, out] = np.inf
    return np.flatnonzero(alive)


def distances(faces: np.ndarray) -> np.ndarray:
    """Mean cosine distance between two faces, character by character, after blurring."""
    from scipy.ndimage import gaussian_filter

    x = gaussian_filter(faces.astype(np.float32), (0, 0, 0.7, 0.7)).reshape(*faces.shape[:2], -1)
    x /= np.linalg.norm(x, axis=2, keepdims=True) + 1e-6
    flat = x.reshape(len(faces), -1)
    return 1 - flat @ flat.T / len(CHARACTERS)


def sheet(faces: np.ndarray, names: list[str], file: Path) -> None:
    """A contact sheet: one face a row, its 62 characters and its name."""
    wide = SIZE * len(CHARACTERS)
    page = Image.new("L", (wide + 260, SIZE * len(faces)))
    for row, (face, name) in enumerate(zip(faces, names, strict=True)):
        page.paste(Image.fromarray(np.concatenate(list(face), axis=1)), (0, row * SIZE))
        ImageDraw.Draw(page).text((wide + 6, row * SIZE + 8), name[:42], fill=255)
    page.save(file)


def main() -> None:
    """Build the two files."""
    work, report = arguments(__doc__)
    versions = unpack(LICENCE, work)
    rows, faces, seen, refused = [], [], set(), Counter()
    fonts = (p for p in sorted((work / "x").rglob("*")) if p.suffix.lower() in (".ttf", ".otf") and not p.is_symlink())
    for file in fonts:
        package = file.relative_to(work / "x").parts[0]
        name = file.stem.lower()
        if package not in LICENCE or "[" in name or any(word in name for word in NOT_LETTERS + SMALL_CAPITALS):
            refused["by name"] += 1
            continue
        glyphs = draw(file)
        if glyphs is None:
            refused["not all 62 characters"] += 1
        elif glyphs.tobytes() in seen:
            refused["the same pixels as another"] += 1
        elif not distinct(glyphs):
            refused["two characters look the same, or blank"] += 1
        else:
            seen.add(glyphs.tobytes())
            faces.append(glyphs)
            rows.append((package, file))
    faces, packages = np.array(faces), np.array([package for package, _ in rows])
    right = read(faces, packages)
    score, small = right.mean(1), right[:, [CHARACTERS.index(c) for c in UNLIKE_CAPITALS]].mean(1)
    legible = np.flatnonzero((score >= 0.4) & (small >= 0.4))
    if report:
        left = np.setdiff1d(np.arange(len(faces)), legible)
        sheet(faces[left], [f"{score[i]:.2f} {small[i]:.1f} {rows[i][1].stem}" for i in left], work / "left.png")
    refused["not legible"] = len(faces) - len(legible)
    apart = distances(faces)
    chosen: list[int] = []
    for package in np.unique(packages[legible]):
        mine = legible[packages[legible] == package]
        chosen += list(mine[thin(apart[np.ix_(mine, mine)], QUOTAS.get(package, QUOTA), score[mine])])
    refused["over the quota of its package"] = len(legible) - len(chosen)
    mine = np.array(sorted(chosen))
    kept = mine[thin(apart[np.ix_(mine, mine)], FACES, score[mine])]
    refused["nearest to another face"] = len(mine) - len(kept)
    print(f"{len(kept)} faces of {len(set(packages[kept]))} packages; left out: {dict(refused)}")
    if len(kept) != FACES:
        raise SystemExit(f"expected {FACES} faces, got {len(kept)}: are all packages there?")
    table = []
    for i in kept:
        package, file = rows[i]
        family, style = ImageFont.truetype(str(file), 20).getname()
        table.append(
            {
                "name": f"{family} {style}".strip(),
                "licence": LICENCE[package],
                "package": package,
                "version": versions[package],
                "file": file.name,
                "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
                "legible": f"{score[i]:.2f}",
            }
        )
    write_table(table, OUT / "fonts.csv")
    np.savez_compressed(
        OUT / "glyphs.npz",
        images=faces[kept],
        characters=np.array(list(CHARACTERS)),
        fonts=np.array([row["name"] for row in table]),
        packages=np.array([row["package"] for row in table]),
        licences=np.array([row["licence"] for row in table]),
    )
    if report:
        names = [f"{row['legible']} {row['name']}" for row in table]
        for start in range(0, FACES, 80):
            sheet(faces[kept][start : start + 80], names[start : start + 80], work / f"taken_{start:03}.png")


if __name__ == "__main__":
    main()
