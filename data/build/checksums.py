"""Rewrite data/CHECKSUMS.sha256, the list of every committed file of data, after a builder has run.

    python data/build/checksums.py

The format is that of `sha256sum`; `(cd data && sha256sum -c CHECKSUMS.sha256)` checks it without the course.
"""

import hashlib
from pathlib import Path

DATA = Path(__file__).resolve().parents[1]
KEPT = ("stickers", "digits", "fashion", "glyphs", "scripts", "weights", "concepts.csv", "model_zoo.csv")


def main() -> None:
    """Write the file."""
    found = [f for kept in KEPT for f in (DATA / kept, *(DATA / kept).rglob("*"))]
    files = [f for f in found if f.is_file() and f.name[0] != "."]
    lines = [f"{hashlib.sha256(f.read_bytes()).hexdigest()}  {f.relative_to(DATA).as_posix()}\n" for f in files]
    rows = "".join(sorted(lines, key=lambda s: s[66:]))
    # The last line is a comment to `sha256sum`: it lets the course see a list that was cut short or damaged.
    seal = f"# {len(lines)} files, sealed {hashlib.sha256(rows.encode()).hexdigest()[:16]}\n"
    (DATA / "CHECKSUMS.sha256").write_text(rows + seal, encoding="utf-8", newline="\n")
    print(f"{len(lines)} files, {sum(f.stat().st_size for f in files) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
