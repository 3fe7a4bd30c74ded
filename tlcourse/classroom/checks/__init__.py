"""The checks of the exercises, one module for each topic; notebooks call them as `checks.<topic>(answer)`."""

from tlcourse.classroom.checks.adversarial import (
    aligned,
    at_least_wrong,
    informed,
    reversed_gradient,
    share_of_gap,
)
from tlcourse.classroom.checks.alignment import gap_closed, moved_line, peeking, subspaces_turned_once
from tlcourse.classroom.checks.core import NotYet
from tlcourse.classroom.checks.cost import cached_pipeline, carbon_intensity, fair_gain, stem_flops, told_apart
from tlcourse.classroom.checks.distillation import bias_without_labels, half_as_probable, permuted, softened_loss
from tlcourse.classroom.checks.domain_shift import cost_of_shift, honest_distance, nearest_is_best
from tlcourse.classroom.checks.features import honest_folds, lazy_classifier, nearest_neighbour, worth_of_one
from tlcourse.classroom.checks.few_shot import (
    gains_and_is_best,
    more_systems,
    named_right,
    paired_width,
    prototypical_loss,
)
from tlcourse.classroom.checks.fine_tuning import corners, first_step, head_and_loss, honest_choice, points_lost
from tlcourse.classroom.checks.freezing import (
    bias_shape,
    features_of_the_backbone,
    kept_statistics,
    moved_weights,
    thawed_top,
    two_stages,
)
from tlcourse.classroom.checks.generation import apart, divergence, handed_on, harm_repaired, mirrored_labels
from tlcourse.classroom.checks.judging import false_share, joined, leaking_steps, verdict_rule
from tlcourse.classroom.checks.layers import becomes_one, held_out_depth, honest_selection, mean_colours
from tlcourse.classroom.checks.lora import adapted_in_time, break_even, merged_kernel
from tlcourse.classroom.checks.multitask import at_equal_volume, known_mean, overstated, weights_in_place, which_control
from tlcourse.classroom.checks.semi_supervised import class_means, confusion_step, honest_share, share_forgotten
from tlcourse.classroom.checks.settings import gains, no_shared_concepts, settings
from tlcourse.classroom.checks.transfer import copied_layers, missed_dip, specificity
from tlcourse.classroom.checks.transferability import (
    centred_alignment,
    fair_baseline,
    leep_of_a_constant,
    none_unsaid,
    what_it_shows,
)
from tlcourse.classroom.checks.weighting import effective_size, odds_to_weights, weighted_error
from tlcourse.classroom.checks.without_labels import by_chance, contrastive, hidden_edges, owed_to_question
from tlcourse.classroom.checks.zero_shot import (
    fair_calibration,
    occurrences,
    picture_alone,
    share_of_class,
    zebra_or_tiger,
)

__all__ = [
    "NotYet",
    "adapted_in_time",
    "aligned",
    "apart",
    "at_equal_volume",
    "at_least_wrong",
    "becomes_one",
    "bias_shape",
    "bias_without_labels",
    "break_even",
    "by_chance",
    "cached_pipeline",
    "carbon_intensity",
    "centred_alignment",
    "class_means",
    "confusion_step",
    "contrastive",
    "copied_layers",
    "corners",
    "cost_of_shift",
    "divergence",
    "effective_size",
    "fair_baseline",
    "fair_calibration",
    "fair_gain",
    "false_share",
    "features_of_the_backbone",
    "first_step",
    "gains",
    "gains_and_is_best",
    "gap_closed",
    "half_as_probable",
    "handed_on",
    "harm_repaired",
    "head_and_loss",
    "held_out_depth",
    "hidden_edges",
    "honest_choice",
    "honest_distance",
    "honest_folds",
    "honest_selection",
    "honest_share",
    "informed",
    "joined",
    "kept_statistics",
    "known_mean",
    "lazy_classifier",
    "leaking_steps",
    "leep_of_a_constant",
    "mean_colours",
    "merged_kernel",
    "mirrored_labels",
    "missed_dip",
    "more_systems",
    "moved_line",
    "moved_weights",
    "named_right",
    "nearest_is_best",
    "nearest_neighbour",
    "no_shared_concepts",
    "none_unsaid",
    "occurrences",
    "odds_to_weights",
    "overstated",
    "owed_to_question",
    "paired_width",
    "peeking",
    "permuted",
    "picture_alone",
    "points_lost",
    "prototypical_loss",
    "reversed_gradient",
    "settings",
    "share_forgotten",
    "share_of_class",
    "share_of_gap",
    "softened_loss",
    "specificity",
    "stem_flops",
    "subspaces_turned_once",
    "thawed_top",
    "told_apart",
    "two_stages",
    "verdict_rule",
    "weighted_error",
    "weights_in_place",
    "what_it_shows",
    "which_control",
    "worth_of_one",
    "zebra_or_tiger",
]
