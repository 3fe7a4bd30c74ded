"""Tables that come with the course: recorded runs of long experiments, and a lecture's table of networks."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from tlcourse.material import assets
from tlcourse.material.assets import AssetError

if TYPE_CHECKING:
    import pandas as pd

STAMPS = ("code", "digest")  # of a recorded row: the code that made it, and what its trial's rows say
CONFLICT = ("<<<<<<<", "=======", ">>>>>>>")


def recorded(name: str) -> pd.DataFrame:
    """Runs of an experiment that is too long for a notebook; `python -m tlcourse sweep NAME` makes them again.

    Returns:
        A pandas table, one row a result: the config, the seed, what was measured, the hash of the code that did, and
        the versions it ran with.

    Raises:
        AssetError: nothing was recorded under that name, and the message names what was; or the file is no table, was
            changed by hand or cut, or mixes the results of two versions of its experiment.
    """
    import pandas as pd

    path = assets.DATA / "recorded" / f"{name}.csv"
    if not path.exists():
        have = ", ".join(sorted(p.stem for p in path.parent.glob("*.csv"))) or "nothing"
        raise AssetError(
            f"There are no recorded runs {name!r}, only {have}; make them: python -m tlcourse sweep {name}."
        )
    rows = rows_of(path)
    if changed := damaged(rows):
        raise AssetError(
            f"{len(changed)} trials in {path} are not as they were recorded: `git restore` it, or run them again with "
            f"`python -m tlcourse sweep {name}`."
        )
    if len(codes := {row.get("code", "") for row in rows}) > 1:
        raise AssetError(
            f"Expected one version of the experiment in {path}, got rows of {len(codes)} ({named(codes)}): `git "
            f"restore` it, or hold it to the present one with `python -m tlcourse sweep {name} --verify 3`."
        )
    return pd.read_csv(path).drop(columns="digest", errors="ignore")


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a table as they are written.

    Raises:
        AssetError: the file is no table, or a merge left its marks in it.
    """
    advice = f"`git restore` it, or start over with `python -m tlcourse sweep {path.stem} --anew`."
    if path.exists() and not path.is_file():  # to open a named pipe would wait for ever
        raise AssetError(f"Expected a table in {path}, got no file: move it away, and {advice}")
    try:
        text = path.read_text(encoding="utf-8")
        reader = csv.DictReader(io.StringIO(text), strict=True)
        rows = list(reader)
    except (OSError, ValueError, csv.Error) as error:
        raise AssetError(f"Expected a table of comma-separated values in {path}, got {error}: {advice}") from error
    if any(line.startswith(CONFLICT) for line in text.splitlines()):
        raise AssetError(f"Expected one table in {path}, got a merge's conflict markers: {advice}")
    if not reader.fieldnames:
        raise AssetError(f"Expected a table in {path}, got an empty file: {advice}")
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise AssetError(f"Expected as many values in line {number} of {path} as names in line 1: {advice}")
    return rows


def digest(rows: Iterable[dict[str, str]]) -> str:
    """Hash what a trial's rows say, by value, so that 1.00E-05 is 1e-05; "d" and eleven hexadecimal digits."""
    values = [sorted((name, by_value(text)) for name, text in row.items() if name not in STAMPS and text != "")
              for row in rows]  # fmt: skip
    return "d" + hashlib.sha256(repr(values).encode()).hexdigest()[:11]


def damaged(rows: Iterable[dict[str, str]]) -> set[str]:
    """The digests of trials whose rows say something else now, or are not all there, or are there twice."""
    trials = defaultdict(list)
    for row in rows:
        if "digest" in row:
            trials[row["digest"]].append(row)
    return {kept for kept, trial in trials.items() if digest(trial) != kept}


def by_value(text: str) -> float | str:
    """The number that a text stands for, or the text."""
    try:
        return float(text)
    except ValueError:
        return text


def named(codes: Iterable[str]) -> str:
    """Hashes of code in words."""
    return ", ".join(sorted(code or "unknown code" for code in codes))


def model_zoo() -> pd.DataFrame:
    """The table of networks in `keras.applications` as a lecture shows it (Ribani and Marengoni, 2019, slide 46).

    Returns:
        A pandas table: `model`, `megabytes`, `top1` and `top5` (ImageNet accuracy, 0 to 1), `parameters`, `depth`.

    Raises:
        AssetError: the file is missing or damaged.
    """
    import pandas as pd

    return pd.read_csv(assets.path("model_zoo"))


def concepts() -> pd.DataFrame:
    """What the emoji stickers show: a table by hand, one row a picture name, in the order of `cut_outs`.

    Returns:
        A pandas table: `class`, `picture` (the file's name in each of the three emoji sets), `concept` (pictures of one
        thing share it), `imagenet` (a class of ImageNet that is this thing, a kind of it, or what it is a kind of; ""
        if there is none), then one column of 0 and 1 for each attribute of the thing, "striped" to "for measuring".

    Raises:
        AssetError: the file is missing or damaged.
    """
    import pandas as pd

    return pd.read_csv(assets.path("concepts"), keep_default_na=False)
