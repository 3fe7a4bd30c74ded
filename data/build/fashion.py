"""Build data/fashion: 12,000 + 4,000 of Fashion-MNIST's pictures, a fixed share of each class.

    python data/build/fashion.py --work DIR

needs `apt-get` and `dpkg` (Debian or Ubuntu, after `apt-get update`). DIR keeps the package (31 MB) between two runs.
The same package, NumPy and zlib give the same bytes. `--report` writes contact sheets into DIR.

What trains is drawn from the authors' 60,000 and what tests from their 10,000 (Xiao, Rasul & Vollgraf 2017), in equal
numbers of each class. No picture occurs twice among the 70,000.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
from debian_packages import arguments, unpack
from PIL import Image

OUT = Path(__file__).resolve().parents[1] / "fashion"
PACKAGE = "dataset-fashion-mnist"
TRAIN, TEST = 1200, 400  # of each class


def idx(file: Path) -> np.ndarray:
    """The array in a gzipped IDX file of bytes: two zeros, a type (8), the number of sides, the sides, the bytes."""
    raw = gzip.decompress(file.read_bytes())
    if raw[:3] != b"\0\0\x08":
        raise SystemExit(f"{file.name} is no IDX file of bytes")
    sides = np.frombuffer(raw, ">u4", raw[3], 4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(sides.astype(int))


def main() -> None:
    """Build the file."""
    work, report = arguments(__doc__)
    unpack([PACKAGE], work)
    folder = work / "x" / PACKAGE / "usr/share/datasets/fashion-mnist"
    halves = {
        side: (idx(folder / f"{stem}-images-idx3-ubyte.gz"), idx(folder / f"{stem}-labels-idx1-ubyte.gz"))
        for side, stem in (("train", "train"), ("test", "t10k"))
    }
    rng, drawn = np.random.default_rng(0), {}
    for (side, (x, y)), each in zip(halves.items(), (TRAIN, TEST), strict=True):
        members = [rng.permutation(np.flatnonzero(y == label))[:each] for label in range(10)]
        rows = rng.permutation(np.concatenate(members))
        drawn |= {f"x_{side}": x[rows], f"y_{side}": y[rows]}
    OUT.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(OUT / "fashion.npz", **drawn)
    if report:
        for side in ("train", "test"):
            x, y = drawn[f"x_{side}"], drawn[f"y_{side}"]
            page = np.stack([x[y == label][:40] for label in range(10)]).transpose(0, 2, 1, 3)
            Image.fromarray(page.reshape(280, -1)).save(work / f"{side}.png")


if __name__ == "__main__":
    main()
