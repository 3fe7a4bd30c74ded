"""Every claim of the lectures beside what was measured here; the verdict follows from a rule, never from a hand.

`record` stores one measurement; `table` joins them all with the claims.
"""

import json
import os
import warnings
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import pandas as pd

from tlcourse.classroom.claims import Claim, claims
from tlcourse.material import assets
from tlcourse.material.assets.atomic import replacing
from tlcourse.methods import statistics
from tlcourse.methods.statistics import Interval

COURSE = assets.DATA / "recorded" / "scoreboard"  # what the course measured; committed
VERDICTS = ("reproduced", "same direction", "bounded", "cannot tell", "contradicted")
MOST_DRAWS = 500  # what would take more than these is not to be settled by drawing
NEW = "new "  # begins the `chance` of intervals that are corrected for overlap: they speak of more than these pictures


def verdict(claim: Claim, measured: Interval) -> str | None:
    """What a measurement says about a claim; None of a claim that was withdrawn.

    In this order, seen from `null` to the claimed side: inside ± `interest` the effect is *bounded*; wholly on the
    other side the claim is *contradicted*; wholly on the claimed side it is *reproduced*, if the mean is within the
    interest of the published figure (or reaches the interest, where there is no figure), and else it agrees in the
    *same direction*; an interval that holds `null` *cannot tell*. What is said to be equal is fulfilled by *bounded*,
    and contradicted by an interval wholly beyond the interest.

    An interval that widens round the same mean passes from *bounded* through one of the three that know a side to
    *cannot tell*, and never back.
    """
    if claim.withdrawn:
        return None
    side = -1 if claim.direction == "below" else 1
    low, high = sorted((side * (measured.low - claim.null), side * (measured.high - claim.null)))
    if statistics.bound(measured, null=claim.null) < claim.interest:
        return "bounded"
    if claim.direction == "equal":
        return "contradicted" if low > claim.interest or high < -claim.interest else "cannot tell"
    if high < 0:
        return "contradicted"
    if low <= 0:
        return "cannot tell"
    if claim.published is None:
        near = side * (measured.mean - claim.null) >= claim.interest
    else:
        near = abs(measured.mean - claim.published) <= claim.interest
    return "reproduced" if near else "same direction"


@dataclass(frozen=True)
class Row:
    """A claim and its measurement, as the scoreboard shows them; `needed` draws in all would settle it."""

    id: str
    chapter: str
    statement: str
    lecture: str
    published: float | None
    measured: float
    low: float
    high: float
    unit: str
    interest: float | None
    chance: str
    seeds: int
    needed: int | None
    where: str
    verdict: str | None

    def _repr_markdown_(self) -> str:
        published = "no figure" if self.published is None else f"{self.published:g} {self.unit}"
        measured = f"{self.measured:.3g} {self.unit}, 95 % interval {self.low:.3g} to {self.high:.3g}"
        said = f"**{self.verdict}**"
        if self.verdict is None:
            measured, said = f"{self.measured:.3g} {self.unit}", f"no verdict: {claims()[self.id].withdrawn}"
        elif self.verdict == "bounded":
            said += f": less than {self.interest:g} {self.unit}"
        elif self.verdict == "cannot tell":
            said += f": about {self.needed} draws would settle it" if self.needed else ": not with these pictures"
        chance = f" ({self.chance})" if self.verdict else ""
        return (
            "| scoreboard | published | measured here | verdict |\n|---|---|---|---|\n"
            f"| {self.statement} *({self.lecture})* | {published} "
            f"| {measured}, n = {self.seeds}{chance}, {self.where} | {said} |"
        )


def judge(claim: Claim, measured: Interval, where: str) -> Row:
    """The row of a claim: its measurement, the verdict, and how many draws would settle what cannot be told."""
    said, needed = verdict(claim, measured), None
    if said == "cannot tell":
        equal = claim.direction == "equal"
        needed = statistics.draws_needed(measured, claim.interest, null=claim.null, equal=equal)
        needed = needed if needed and needed <= min(MOST_DRAWS, claim.units or MOST_DRAWS) else None
    values = {"measured": measured.mean, "low": measured.low, "high": measured.high, "seeds": measured.n}
    values |= {"needed": needed, "where": where, "verdict": said}
    return Row(**{f.name: values[f.name] if f.name in values else getattr(claim, f.name) for f in fields(Row)})


def record(claim_id: str, measured: Interval, *, where: str = "live") -> Row:
    """Store what was measured for a claim, and show it with the verdict that follows.

    It goes to your own scoreboard under `assets.CACHE`; `python -m tlcourse run` writes the course's.

    Args:
        claim_id: as in `data/claims`.
        measured: mean and interval in the claim's unit, from `tlcourse.methods.statistics`.
        where: "live" if this run measured it, "recorded" if it comes from `data/recorded`.

    Raises:
        ValueError: there is no such claim, `where` is another word, the interval is none, or it speaks of something
            else than the claim's `chance` says.
    """
    known = claims()
    if claim_id not in known:
        raise ValueError(f"Expected one of {', '.join(known)}, got {claim_id!r}: add it to data/claims first.")
    if where not in ("live", "recorded"):
        raise ValueError(f'Expected where="live" or "recorded", got {where!r}: say where the runs come from.')
    if not measured.low <= measured.mean <= measured.high:
        raise ValueError(f"Expected an interval around its mean, got {measured}: make it with statistics.interval.")
    claim = known[claim_id]
    if not claim.withdrawn and claim.chance.startswith(NEW) != (measured.overlap > 0):
        raise ValueError(
            f"Expected an interval that speaks of {claim.chance}, got overlap={measured.overlap:g}: pass the overlap "
            f"of runs that split one pool, or name what is drawn in data/claims/{claim.chapter}.toml."
        )
    folder = Path(os.environ.get("TLCOURSE_SCOREBOARD") or assets.CACHE / "scoreboard")
    text = json.dumps({**measured._asdict(), "where": where}, indent=1) + "\n"
    try:
        with replacing(folder / f"{claim_id}.json", "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        warnings.warn(f"{claim_id} is not kept: {folder} cannot be written ({error.strerror}).", stacklevel=2)
    return judge(claim, measured, where)


def rows(folder: Path | None = None) -> list[Row]:
    """The stored measurements, judged by the claims and the rule of today, in the order of the claims.

    Args:
        folder: where they lie; the course's own (`COURSE`) if None.

    Raises:
        AssetError: a stored measurement cannot be read.
    """
    found = []
    for claim in claims().values():
        path = (folder or COURSE) / f"{claim.id}.json"
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            where, measured = stored.pop("where"), Interval(**stored)
            if not measured.low <= measured.mean <= measured.high:  # nor is what holds a NaN
                raise ValueError(f"{measured} is no interval")
            found.append(judge(claim, measured, where))
        except FileNotFoundError:
            continue
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise assets.AssetError(f"{path} cannot be read ({error}): run chapter {claim.chapter} again.") from error
    return found


def table(folder: Path | None = None) -> pd.DataFrame:
    """`rows` as a table."""
    return pd.DataFrame([asdict(row) for row in rows(folder)], columns=[f.name for f in fields(Row)])


def as_json() -> str:
    """The course's rows as a JSON list of objects with the fields of `Row`, in ASCII, which every terminal prints."""
    return json.dumps([asdict(row) for row in rows()], indent=1)


def as_text() -> str:
    """The course's rows, the verdicts counted, and how many of them chance alone would give, for a terminal."""
    known, shown = claims(), table().drop(columns=["statement", "lecture"])
    shown["needed"] = [f"{n:.0f}" if pd.notna(n) else "" for n in shown.needed]
    found = {verdict: sum(shown.verdict == verdict) for verdict in VERDICTS}
    judged = max(1, sum(found.values()))
    withdrawn = sum(bool(claim.withdrawn) for claim in known.values())
    said = [
        f"{', '.join(f'{count} {verdict}' for verdict, count in found.items())}; {withdrawn} withdrawn.",
        f"Cannot tell: {100 * found['cannot tell'] / judged:.0f} % of those with a verdict.",
        f"Of {judged} intervals at 95 %, about {0.05 * judged:.0f} would show an effect if nothing were true.",
    ]
    missing = [claim_id for claim_id in known if claim_id not in set(shown.id)]
    if missing:
        said.append(f"Not measured yet: {', '.join(missing)}. `python -m tlcourse run` measures them.")
    return "\n".join([shown.to_string(index=False, na_rep="", float_format="%.3g"), "", *said])
