"""What all checks share: they are silent about `...`, praise with a reason, and name the misconception otherwise."""

import functools
from collections.abc import Callable


class NotYet(AssertionError):
    """An answer that is not right yet; its message is the hint."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows instead of a traceback: the hint alone."""
        return [f"Not yet. {self}"]


def exercise(check: Callable[..., str]) -> Callable[..., None]:
    """Make a check out of a function that takes the answer(s) and returns why they are right, or raises `NotYet`.

    The check says how to begin while an answer is still `...`. Whatever else goes wrong while it looks at an answer
    becomes a hint too, so that nobody meets a traceback from inside the course.
    """

    @functools.wraps(check)
    def checked(*answers) -> None:
        if any(answer is ... for answer in answers):
            print("Nothing to check yet: replace the ... above with your answer and run both cells again.")
            return
        try:
            praise = check(*answers)
        except NotYet:
            raise
        except Exception as error:
            raise NotYet(f"Your answer could not be tried: {type(error).__name__}: {error}") from error
        print(f"✓ {praise}")

    return checked


def require(holds: bool, hint: str) -> None:
    """Raise `NotYet` with the hint unless the condition holds."""
    if not holds:
        raise NotYet(hint)


def a_number(answer, *, low: float, high: float) -> float:
    """The answer as a float, if it is a number between `low` and `high`.

    Raises:
        NotYet: it is not.
    """
    number = not isinstance(answer, bool) and hasattr(answer, "__float__")
    require(number, f"Expected a number from {low:g} to {high:g}, got {answer!r}.")
    require(low <= float(answer) <= high, f"Expected a number from {low:g} to {high:g}, got {float(answer):g}.")
    return float(answer)
