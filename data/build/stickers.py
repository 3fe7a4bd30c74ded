"""Build `data/stickers` from Debian and npm packages: `python data/build/stickers.py --work DIR`.

What goes in was decided by eye and stands in the CSV files beside this script; the script only carries it out.
Needs Debian's `apt-get` and `dpkg-deb`, `npm`, and `pip install pillow==12.3.0 numpy scipy resvg-py==0.5.0`.
It writes the same bytes each time (another Pillow may compress differently, and so write other bytes for the
same pixels), prints the closest pairs of each domain, and removes pictures that are no longer listed.
"""

from __future__ import annotations

import argparse
import csv
import io
from pathlib import Path

import stickers_art as art
import stickers_sources as sources
from PIL import Image

HERE = Path(__file__).resolve().parent
OUT = HERE.parent / "stickers"
CLASSES = ("bird", "mammal", "fruit", "vegetable", "flower", "instrument", "tool", "vehicle")
EMOJI = {  # domain: (package, licence, author)
    "noto": ("@iconify-json/noto", "Apache-2.0", "Google Inc. and Noto Emoji contributors"),
    "twemoji": ("@twemoji/svg", "CC-BY-4.0", "Twitter, Inc. and other contributors"),
    "openmoji": ("openmoji", "CC-BY-SA-4.0", "OpenMoji contributors, HfG Schwäbisch Gmünd"),
}
DOMAINS = ("photo", "clipart", *EMOJI)
FIELDS = ("domain", "class", "name", "licence", "author", "package", "source")


def listed(name: str) -> list[dict[str, str]]:
    """Return the rows of the curation list `name` (photo, clipart or emoji)."""
    with open(HERE / f"stickers_{name}.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def from_debian(work: Path, row: dict[str, str]) -> Image.Image:
    """Open the picture of `row`, cropped and cut out of its backdrop where the row says so."""
    picture = Image.open(io.BytesIO(sources.read_picture(work, row["package"], row["source"])))
    if row.get("crop"):
        picture = picture.crop(tuple(map(int, row["crop"].split())))
    return art.cut_out(picture, float(row["cut"])) if row.get("cut") else picture


def drawn(work: Path, domain: str, code: str) -> Image.Image:
    """Rasterise the emoji `code` in the style of `domain`."""
    svg = sources.read_svg(work, domain, code)
    if svg is None:
        raise ValueError(f"Expected {domain} to have the emoji {code}, it has none; take it out of stickers_emoji.csv.")
    return art.rasterise(svg)


def pictures(work: Path):
    """Yield (row of `pictures.csv`, source picture) for all that is listed."""
    for domain in ("photo", "clipart"):
        for row in listed(domain):
            yield {"domain": domain} | {key: row[key] for key in FIELDS[1:]}, from_debian(work, row)
    for domain, (package, licence, author) in EMOJI.items():
        for row in listed("emoji"):
            about = {"licence": licence, "author": author, "package": package, "source": row["code"]}
            yield (
                {"domain": domain, "class": row["class"], "name": row["name"]} | about,
                drawn(work, domain, row["code"]),
            )


def build(work: Path, out: Path = OUT) -> list[dict[str, str]]:
    """Write every listed picture under `out`, remove the others, and return the rows of `pictures.csv`."""
    sources.fetch(work)
    rows, wanted = [], set()
    for row, picture in pictures(work):
        path = out / row["domain"] / row["class"] / f"{row['name']}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(art.encode(art.fit(picture)))
        wanted.add(path)
        rows.append(row)
    for path in set(out.glob("*/*/*.png")) - wanted:
        path.unlink()
    with open(out / "pictures.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return rows


def counts(rows: list[dict[str, str]]) -> str:
    """Return the table class × domain in Markdown."""
    lines = ["| class | " + " | ".join(DOMAINS) + " |", "|---|" + "---:|" * len(DOMAINS)]
    for wanted in (*CLASSES, "all"):
        cells = [sum(r["domain"] == d and wanted in (r["class"], "all") for r in rows) for d in DOMAINS]
        lines.append(f"| {wanted} | " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def closest(rows: list[dict[str, str]], domain: str, number: int, out: Path = OUT) -> list[str]:
    """Describe the `number` pairs of `domain` that look most alike, mirrored copies included."""
    paths = [out / domain / r["class"] / f"{r['name']}.png" for r in rows if r["domain"] == domain]
    pairs = art.alike([Image.open(path) for path in paths])[:number]
    return [f"{bits:3d} bits apart: {paths[i].stem}, {paths[j].stem}" for bits, i, j in pairs]


def main() -> None:
    """Build, put the counts into the README, and print what a curator should look at."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder for the downloaded packages (about 900 MB)")
    parser.add_argument("--out", type=Path, default=OUT, help="where to write; data/stickers by default")
    chosen = parser.parse_args()
    rows = build(chosen.work.resolve(), chosen.out)
    table = counts(rows)
    readme = chosen.out / "README.md"
    if readme.exists():
        head, begin, rest = readme.read_text(encoding="utf-8").partition("<!-- counts -->\n")
        _, end, tail = rest.partition("<!-- /counts -->")
        readme.write_text(f"{head}{begin}{table}\n{end}{tail}", encoding="utf-8")
    print(table)
    for domain in DOMAINS:
        print(domain, *closest(rows, domain, 12, chosen.out), sep="\n  ")


if __name__ == "__main__":
    main()
