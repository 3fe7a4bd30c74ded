"""What the lectures claim, made measurable: the tables of `data/claims`, a file a chapter.

The smallest effect of interest of each unit stands in `interest.toml`; what a file sets above its claims holds for all
of them. A claim that needs something else says so itself.
"""

import tomllib
from dataclasses import dataclass

from tlcourse.material import assets


@dataclass(frozen=True)
class Claim:
    """One sentence of a lecture, made measurable.

    Attributes:
        id: short name, as in `record`.
        chapter: two digits, those of the file.
        statement: the lecture's claim.
        lecture: which lecture, and whose figure it is.
        measure: what the number is.
        unit: of published and measured value, and of the interest.
        published: the lecture's figure, or None where it gives none.
        null: the value that the measure has if the claim is empty.
        direction: on which side of `null` the claim says that the truth lies, "above" or "below", or "equal" to it.
        interest: the smallest effect that would matter; that of the unit in `interest.toml` unless given.
        why: the reason for that size, in a few words.
        chance: what the interval speaks of: draws on these pictures, new pictures, fonts, targets.
        units: how many of those there are, where they are few.
        withdrawn: why the claim has no verdict (no chance in it, or no sensible zero), or "".
    """

    id: str
    chapter: str
    statement: str
    lecture: str
    measure: str
    unit: str
    published: float | None = None
    null: float = 0.0
    direction: str = "above"
    interest: float | None = None
    why: str = ""
    chance: str = "none"
    units: int | None = None
    withdrawn: str = ""


def claims() -> dict[str, Claim]:
    """All claims by id, in the order of the chapters.

    Raises:
        AssetError: a file is missing or cannot be read.
    """
    folder, found = assets.DATA / "claims", {}
    path = folder / "interest.toml"
    try:
        interests = tomllib.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("[0-9][0-9].toml")):
            shared = tomllib.loads(path.read_text(encoding="utf-8"))
            for row in shared.pop("claim"):
                given = row if "withdrawn" in row else {**interests[row["unit"]], **shared, **row}
                found[row["id"]] = Claim(chapter=path.stem, **given)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise assets.AssetError(f"{path} cannot be read ({error}): run `git restore data/claims`.") from error
    return found
