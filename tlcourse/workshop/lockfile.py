"""The lock (`requirements.txt`) as data, and `environment.yml`, made by `python -m tlcourse.workshop.lockfile`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tlcourse.workshop import ROOT

if TYPE_CHECKING:
    from packaging.requirements import Requirement

LOCK = ROOT / "requirements.txt"
ENVIRONMENT = ROOT / "environment.yml"
PYTHON = "3.11"
HEAD = """\
# Made from requirements.txt by `make lock`; a test holds the two equal. For conda, mamba and Binder:
#   conda env create -f environment.yml && conda activate tlcourse && python -m tlcourse fetch
# TensorFlow comes from pip, for conda-forge's is old and not on every system. No hashes here: pip refuses
# an editable install in the same command, and conda passes this whole list in one.
name: tlcourse
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python={python}
  - pip
  - setuptools
  - pip:
"""


def pins(lock: Path = LOCK) -> list[Requirement]:
    """Return the lock's requirements, each `name==version` with the marker that says where it is needed."""
    from packaging.requirements import Requirement

    lines = lock.read_text(encoding="utf-8").splitlines()
    return [Requirement(line.rstrip("\\ ")) for line in lines if line[:1].isalnum()]


def environment(lock: Path = LOCK) -> str:
    """Return the text of `environment.yml` for a lock: the same pins, then the course itself."""
    rows = [f"      - '{pin}'\n" for pin in pins(lock) if pin.name not in ("pip", "setuptools")]
    return HEAD.format(python=PYTHON) + "".join(rows) + "      - -e .\n"


if __name__ == "__main__":
    ENVIRONMENT.write_text(environment(), encoding="utf-8")
