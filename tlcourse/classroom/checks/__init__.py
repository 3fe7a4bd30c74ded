"""The checks of the exercises, one module for each topic; notebooks call them as `checks.<topic>(answer)`."""

from tlcourse.classroom.checks.core import NotYet
from tlcourse.classroom.checks.freezing import (
    bias_shape,
    features_of_the_backbone,
    kept_statistics,
    steps_in_order,
    thawed_top,
)

__all__ = [
    "NotYet",
    "bias_shape",
    "features_of_the_backbone",
    "kept_statistics",
    "steps_in_order",
    "thawed_top",
]
