"""The checks of the exercises, one module for each topic; notebooks call them as `checks.<topic>(answer)`."""

from tlcourse.classroom.checks.core import NotYet
from tlcourse.classroom.checks.features import honest_folds, lazy_classifier, nearest_neighbour
from tlcourse.classroom.checks.freezing import bias_shape, features_of_the_backbone, kept_statistics, thawed_top
from tlcourse.classroom.checks.settings import misprint, no_shared_concepts, settings

__all__ = [
    "NotYet",
    "bias_shape",
    "features_of_the_backbone",
    "honest_folds",
    "kept_statistics",
    "lazy_classifier",
    "misprint",
    "nearest_neighbour",
    "no_shared_concepts",
    "settings",
    "thawed_top",
]
