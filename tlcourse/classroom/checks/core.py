"""What all checks share: they are silent about `...`, praise with a reason, and name the misconception otherwise."""

from __future__ import annotations

import contextlib
import functools
import inspect
import json
import math
import random
import re
import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple
from unittest import mock

import numpy as np

from tlcourse.classroom import guesses

PERCENT = "That is a share between 0 and 1; in percent, please."  # what a numeric check says of truth / 100


class NotYet(AssertionError):
    """An answer that is not right yet; its message is the hint."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows instead of a traceback: the hint alone."""
        return [f"Not yet. {self}"]


def exercise(check: Callable[..., str]) -> Callable[..., None]:
    """Make a check out of a function that takes the answer(s) and returns why they are right, or raises `NotYet`.

    The check says how to begin while an answer is still `...`. Whatever else goes wrong while it looks at an answer
    becomes a hint too, so that nobody meets a traceback from inside the course. The student's random numbers go on
    afterwards as if nothing had been checked.
    """

    @functools.wraps(check)
    def checked(*answers) -> None:
        if any(answer is ... for answer in answers):
            print("Nothing to check yet: replace the ... above with your answer and run both cells again.")
            return
        try:
            with _dice_put_back():
                praise = check(*answers)
        except NotYet as hint:
            _note(check, str(hint), right=False)
            raise
        except Exception as error:
            said = " ".join(re.sub(r"\x1b\[[\d;]*m", "", str(error)).split())  # Keras prints pages, and in bold
            hint = f"Your answer could not be tried: {type(error).__name__}: {said[:300]}"
            _note(check, hint, right=False)
            raise NotYet(hint) from error
        print(f"✓ {praise}")
        _note(check, praise, right=True)

    return checked


def _note(check: Callable, said: str, *, right: bool) -> None:
    told = guesses.note(check.__name__, said, right=right)
    if told:
        print(told)


def require(holds: bool, hint: str) -> None:
    """Raise `NotYet` with the hint unless the condition holds."""
    if not holds:
        raise NotYet(hint)


def expect(answer, kind: type | tuple[type, ...], what: str) -> None:
    """Raise `NotYet` unless the answer is an object of this kind; `what` is the kind in words."""
    require(isinstance(answer, kind), f"Expected {what}, got {_kind(answer)}.")


def expect_function(answer, of: str) -> None:
    """Raise `NotYet` unless the answer is a function, and not a class or a network, which can be called as well."""
    function = callable(answer) and not isinstance(answer, type) and not hasattr(answer, "weights")
    require(function, f"Expected a function of {of}, got {_kind(answer)}: write it with `def`.")


def _kind(answer) -> str:
    name = answer.__name__ if isinstance(answer, type) else type(answer).__name__
    return f"the class {name} itself, where one object of it is meant" if isinstance(answer, type) else f"a {name}"


class Question(NamedTuple):
    """What a numeric check knows. Truth and misconceptions may be computed from the notebook's own data.

    Attributes:
        truth: the right answer.
        wrong: what a misconception leads to, and the hint that names it. Tests take their wrong answers from here.
        otherwise: the hint for any other number; it points at the step, and does not give the solution.
        praise: why it is right; `{}` stands for the truth, rounded to `decimals`.
        decimals: with how many decimals the truth is shown; who gives as many is right.
        tolerance: an answer this near is right as well.
    """

    truth: float
    wrong: dict[float, str]
    otherwise: str
    praise: str
    decimals: int = 0
    tolerance: float = 0.0


def numeric(question: Callable[..., Question]) -> Callable[..., None]:
    """Make a check of a number out of a function that takes the check's further arguments and returns a `Question`.

    The check takes the answer first. Its attribute `question` is the function itself, for the tests.
    """

    @functools.wraps(question)
    def check(answer, *context) -> str:
        asked = question(*context)
        return judge(answer, asked)

    own = inspect.Parameter("answer", inspect.Parameter.POSITIONAL_ONLY)
    check.__signature__ = inspect.Signature([own, *inspect.signature(question).parameters.values()])
    checked = exercise(check)
    checked.question = question
    return checked


def told(check: Callable, *context) -> str:
    """For the tests: what a numeric check asks with these further arguments, as JSON; null of any other check."""
    if not hasattr(check, "question"):
        return "null"
    asked = check.question(*context)
    wrong = [(float(value), hint) for value, hint in asked.wrong.items()]
    return json.dumps({"truth": float(asked.truth), "decimals": asked.decimals, "wrong": wrong})


def judge(answer, question: Question) -> str:
    """The praise for a number that is right: first of all the truth, whatever misconception coincides with it.

    Raises:
        NotYet: it is another number (the hint of the nearest misconception that it could be), or none at all.
    """
    number = a_number(answer)
    truth, decimals = question.truth, question.decimals
    if _near(number, truth, question.tolerance) or _rounded(number, truth, decimals):
        return question.praise.format(f"{truth:,.{decimals}f}")
    meant = min(question.wrong, key=lambda wrong: abs(number - wrong))
    require(not _near(number, meant, question.tolerance), question.wrong[meant])
    coarse = number != 0 and _rounded(number, truth, 0)
    require(not coarse, f"As far as it goes that may be right: please give {decimals} decimals.")
    for wrong, hint in question.wrong.items():
        two_digits = 1 - math.floor(math.log10(abs(wrong))) if wrong else 0
        require(not _rounded(number, wrong, two_digits), hint)
    raise NotYet(f"Not {number:,.10g}. {question.otherwise}")


def a_number(answer) -> float:
    """The answer as a float, if it is one number: Python's, NumPy's, a fraction, a decimal or a tensor's only one.

    Raises:
        NotYet: it is not.
    """
    require(not isinstance(answer, str), f"Expected a number, got the text {answer!r}: leave the quotation marks out.")
    many = isinstance(answer, (list, tuple, set, dict)) or len(getattr(answer, "shape", ())) > 0
    require(not many, f"Expected one number, got a {type(answer).__name__} of several: which one is the answer?")
    number = hasattr(answer, "__float__") and not isinstance(answer, (bool, np.bool_, complex))
    require(number and math.isfinite(float(answer)), f"Expected a number, got {answer!r}: see what the text asks for.")
    return float(answer)


def _near(number: float, value: float, tolerance: float) -> bool:
    """Equal up to the tolerance, and to what single precision loses."""
    return abs(number - value) <= tolerance + 1e-6 * abs(value) + 1e-12


def _rounded(number: float, value: float, decimals: int) -> bool:
    """Whether it is the value rounded to so many decimals, or to more of them."""
    for places in range(decimals, decimals + 8):
        on_the_grid = _near(number, round(number, places), 0)
        if on_the_grid and _near(number, value, 0.5 * 10.0**-places):
            return True
    return False


@contextlib.contextmanager
def _dice_put_back() -> Iterator[None]:
    """Leave the random numbers of Python, NumPy, Keras and TensorFlow where they were.

    Keras draws its initial weights from Python's. TensorFlow's place cannot be read, so `set_random_seed` leaves it
    alone inside of a check.
    """

    def seed_less(seed: int) -> None:
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002, as Keras does

    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002, what a student may have seeded
    with contextlib.ExitStack() as stack:
        if "keras" in sys.modules:
            stack.enter_context(mock.patch("keras.utils.set_random_seed", seed_less))
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)  # noqa: NPY002
