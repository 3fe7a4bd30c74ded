"""Every claim of the lectures beside what was measured here; the verdict follows from a rule, never from a hand.

The claims stand in `data/claims.toml`. `record` stores one measurement; `table` joins them all.
"""

import json
import os
import tempfile
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from tlcourse.material import assets
from tlcourse.methods.statistics import Interval

COURSE = assets.DATA / "recorded" / "scoreboard"  # what the course measured; committed
VERDICTS = ("reproduced", "same direction", "not at this scale", "contradicted")


@dataclass(frozen=True)
class Claim:
    """One sentence of a lecture, made measurable.

    Attributes:
        id: short name, as in `record`.
        chapter: two digits.
        statement: the lecture's claim.
        lecture: which lecture, and whose figure it is.
        measure: what the number is.
        unit: of published and measured value.
        published: the lecture's figure, or None where it gives none.
        null: the value that the measure has if the claim is empty.
        direction: "above" or "below": on which side of `null` the claim says that the truth lies.
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


def claims() -> dict[str, Claim]:
    """All claims by id, in the order of the chapters.

    Raises:
        AssetError: the file is missing or cannot be read.
    """
    path = assets.DATA / "claims.toml"
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8"))["claim"]
    except (OSError, KeyError, tomllib.TOMLDecodeError) as error:
        raise assets.AssetError(f"{path} cannot be read ({error}): run `git restore data/claims.toml`.") from error
    return {row["id"]: Claim(**row) for row in rows}


def verdict(claim: Claim, measured: Interval) -> str:
    """What a measurement says about a claim.

    With `null` the value that means "no effect": an interval wholly on the other side contradicts the claim; one that
    holds `null` shows nothing at this scale; one wholly on the claimed side reproduces it, if it holds the published
    figure or there is none, and else agrees in direction only.
    """
    sign = {"above": 1, "below": -1}[claim.direction]
    low, high = sorted((sign * (measured.low - claim.null), sign * (measured.high - claim.null)))
    if high < 0:
        return "contradicted"
    if low <= 0:
        return "not at this scale"
    if claim.published is None or measured.low <= claim.published <= measured.high:
        return "reproduced"
    return "same direction"


@dataclass(frozen=True)
class Row:
    """A claim and its measurement, as the scoreboard shows them."""

    id: str
    chapter: str
    statement: str
    lecture: str
    published: float | None
    measured: float
    low: float
    high: float
    unit: str
    seeds: int
    where: str
    verdict: str

    def _repr_markdown_(self) -> str:
        published = "no figure" if self.published is None else f"{self.published:g} {self.unit}"
        measured = f"{self.measured:.3g} {self.unit}, 95 % interval {self.low:.3g} to {self.high:.3g}"
        return (
            "| scoreboard | published | measured here | verdict |\n|---|---|---|---|\n"
            f"| {self.statement} *({self.lecture})* | {published} "
            f"| {measured}, n = {self.seeds}, {self.where} | **{self.verdict}** |"
        )


def record(claim_id: str, measured: Interval, *, where: str = "live") -> Row:
    """Store what was measured for a claim, with the verdict that follows from it.

    It goes to your own scoreboard under `assets.CACHE`; `python -m tlcourse run` writes the course's.

    Args:
        claim_id: as in `data/claims.toml`.
        measured: mean and interval in the claim's unit, from `statistics.interval` or `statistics.gain`.
        where: "live" if this run measured it, "recorded" if it comes from `data/recorded`.

    Raises:
        ValueError: there is no such claim, `where` is another word, or the interval is none.
    """
    known = claims()
    if claim_id not in known:
        raise ValueError(f"Expected one of {', '.join(known)}, got {claim_id!r}: add it to data/claims.toml first.")
    if where not in ("live", "recorded"):
        raise ValueError(f'Expected where="live" or "recorded", got {where!r}: say where the runs come from.')
    if not measured.low <= measured.mean <= measured.high:
        raise ValueError(f"Expected an interval around its mean, got {measured}: make it with statistics.interval.")
    claim = known[claim_id]
    shared = {name: getattr(claim, name) for name in ("id", "chapter", "statement", "lecture", "published", "unit")}
    values = {"measured": measured.mean, "low": measured.low, "high": measured.high, "seeds": measured.n}
    row = Row(**shared, **values, where=where, verdict=verdict(claim, measured))
    _write(_folder() / f"{claim_id}.json", json.dumps(asdict(row), indent=1, ensure_ascii=False) + "\n")
    return row


def rows(folder: Path | None = None) -> list[Row]:
    """The stored measurements, in the order of the claims.

    Args:
        folder: where they lie; the course's own (`COURSE`) if None.
    """
    folder = folder or COURSE
    stored = (folder / f"{claim_id}.json" for claim_id in claims())
    return [Row(**json.loads(path.read_text(encoding="utf-8"))) for path in stored if path.exists()]


def table(folder: Path | None = None) -> pd.DataFrame:
    """`rows` as a table."""
    return pd.DataFrame([asdict(row) for row in rows(folder)], columns=list(Row.__dataclass_fields__))


def as_json() -> str:
    """The course's rows as a JSON list of objects with the fields of `Row`."""
    return json.dumps([asdict(row) for row in rows()], indent=1, ensure_ascii=False)


def as_text() -> str:
    """The course's rows, and how many there are of each verdict, for a terminal."""
    shown = table()[["chapter", "id", "published", "measured", "low", "high", "unit", "seeds", "where", "verdict"]]
    counts = ", ".join(f"{(shown.verdict == verdict).sum()} {verdict}" for verdict in VERDICTS)
    missing = [claim_id for claim_id in claims() if claim_id not in set(shown.id)]
    waiting = f"\nNot measured yet: {', '.join(missing)}. `python -m tlcourse run` measures them." if missing else ""
    return f"{shown.to_string(index=False, na_rep='', float_format='%.1f')}\n\n{counts}{waiting}"


def _folder() -> Path:
    return Path(os.environ.get("TLCOURSE_SCOREBOARD") or assets.CACHE / "scoreboard")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8", newline="\n") as file:
        file.write(text)
    os.replace(file.name, path)
