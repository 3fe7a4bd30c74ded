"""Tables that come with the course: recorded runs of long experiments, and a lecture's table of networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlcourse.material import assets
from tlcourse.material.assets import AssetError

if TYPE_CHECKING:
    import pandas as pd


def recorded(name: str) -> pd.DataFrame:
    """Runs of an experiment that is too long for a notebook; `python -m tlcourse sweep NAME` makes them again.

    Returns:
        A pandas table, one row a result: the config, the seed, what was measured, and the versions it ran with.

    Raises:
        AssetError: nothing was recorded under that name; the message names what was.
    """
    import pandas as pd

    path = assets.DATA / "recorded" / f"{name}.csv"
    if not path.exists():
        have = ", ".join(sorted(p.stem for p in path.parent.glob("*.csv"))) or "nothing"
        raise AssetError(
            f"There are no recorded runs {name!r}, only {have}; make them: python -m tlcourse sweep {name}."
        )
    return pd.read_csv(path)


def model_zoo() -> pd.DataFrame:
    """The table of networks in `keras.applications` as a lecture shows it (Ribani and Marengoni, 2019, slide 46).

    Returns:
        A pandas table: `model`, `megabytes`, `top1` and `top5` (ImageNet accuracy, 0 to 1), `parameters`, `depth`.
    """
    import pandas as pd

    return pd.read_csv(assets.DATA / "model_zoo.csv")
