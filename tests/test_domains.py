"""Alignment agrees with scikit-adaptation and with closed forms; labels of the target have no way in."""

from pathlib import Path

import numpy as np
import pytest
from inline import definition
from scipy import linalg
from sklearn.decomposition import PCA

from tlcourse.experiments import alignment
from tlcourse.methods import domains

RNG = np.random.default_rng(0)
SOURCE = RNG.normal(size=(40, 6)) @ RNG.normal(size=(6, 6)) + 2
TARGET = RNG.normal(size=(30, 6)) @ RNG.normal(size=(6, 6)) - 1
NEW = RNG.normal(size=(2, 5, 6))
METHODS = {
    "standardise": domains.standardise,
    "coral": domains.coral,
    "align_subspaces": lambda source, target: domains.align_subspaces(source, target, 3),
}
every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
ORACLE = np.load(Path(__file__).parent / "fixtures/alignment.npz")


def test_coral_is_that_of_skada_where_no_ridge_is_needed():
    to_source, to_target = domains.coral(ORACLE["source"], ORACLE["target"], ridge=0)
    np.testing.assert_allclose(to_source(ORACLE["source"]), ORACLE["coral_source"], atol=1e-8)
    np.testing.assert_allclose(to_target(ORACLE["target"]), ORACLE["coral_target"], atol=1e-8)


def test_subspaces_are_those_of_skada_up_to_the_signs_of_the_axes():
    to_source, to_target = domains.align_subspaces(ORACLE["source"], ORACLE["target"], 3)
    moved, moved_t = to_source(ORACLE["source"]), to_target(ORACLE["target"])
    signs = np.sign((moved_t * ORACLE["subspaces_target"]).sum(axis=0))
    np.testing.assert_allclose(moved * signs, ORACLE["subspaces_source"], atol=1e-8)
    np.testing.assert_allclose(moved_t * signs, ORACLE["subspaces_target"], atol=1e-8)


@pytest.mark.parametrize("rows", [40, 4])
def test_coral_by_matrix_powers_also_with_fewer_rows_than_features(rows):
    ridge = 0.3
    s, t = (np.cov(x.T) + ridge * np.eye(6) for x in (SOURCE[:rows], TARGET))
    wanted = linalg.fractional_matrix_power(s, -0.5) @ linalg.fractional_matrix_power(t, 0.5)
    moved = domains.coral(SOURCE[:rows], TARGET, ridge=ridge).source(NEW[0])
    np.testing.assert_allclose(moved, (NEW[0] - SOURCE[:rows].mean(axis=0)) @ wanted, atol=1e-8)


def test_the_ridge_is_one_for_standardised_features():
    x, z = ((t - t.mean(axis=0)) / t.std(axis=0, ddof=1) for t in (SOURCE, TARGET))
    moved = (domains.coral(x, z, **given).source(NEW[0]) for given in ({}, {"ridge": 1.0}))
    np.testing.assert_allclose(*moved)


@pytest.mark.parametrize("unit", [1e-3, 1e3])
@every_method
def test_a_unit_of_measure_changes_nothing_but_the_scale(method, unit):
    one, other = method(SOURCE, TARGET), method(unit * SOURCE, unit * TARGET)
    for a, b, new in zip(one, other, NEW, strict=True):
        moved, scaled = a(new), b(unit * new)
        np.testing.assert_allclose(moved / np.abs(moved).max(), scaled / np.abs(scaled).max(), atol=1e-8)


@every_method
def test_both_means_come_to_lie_at_zero(method):
    for to, rows in zip(method(SOURCE, TARGET), (SOURCE, TARGET), strict=True):
        np.testing.assert_allclose(to(rows).mean(axis=0), 0, atol=1e-9)


def test_standardise_and_coral_make_equal_what_they_say():
    to_source, to_target = domains.standardise(SOURCE, TARGET, floor=0)
    np.testing.assert_allclose(to_source(SOURCE).std(axis=0), to_target(TARGET).std(axis=0))
    to_source, to_target = domains.coral(SOURCE, TARGET, ridge=0)
    np.testing.assert_allclose(np.cov(to_source(SOURCE).T), np.cov(to_target(TARGET).T), atol=1e-9)


def test_no_matrix_brings_the_axes_nearer():
    a, b = (np.linalg.svd(x - x.mean(axis=0), full_matrices=False)[2][:3].T for x in (SOURCE, TARGET))
    best = np.linalg.lstsq(a, b, rcond=None)[0]
    np.testing.assert_allclose(
        domains.align_subspaces(SOURCE, TARGET, 3).source(NEW[0]), (NEW[0] - SOURCE.mean(axis=0)) @ a @ best, atol=1e-9
    )


@every_method
def test_new_rows_do_not_change_the_map(method):
    for to, new in zip(method(SOURCE, TARGET), NEW, strict=True):
        np.testing.assert_allclose(to(new)[:2], to(new[:2]), atol=1e-12)


def test_a_constant_feature_is_no_trouble_but_without_a_floor():
    flat = np.c_[SOURCE, np.ones(40)], np.c_[TARGET, RNG.normal(size=30)]
    assert all(np.isfinite(to(rows)).all() for to, rows in zip(domains.standardise(*flat), flat, strict=True))
    with pytest.raises(ValueError, match="Expected features that vary, got column 6 of the source constant: drop it"):
        domains.standardise(*flat, floor=0)


Y = np.arange(40) % 2


@every_method
@pytest.mark.parametrize(
    ("source", "target", "sentence"),
    [
        (SOURCE[:, :5], TARGET, "Expected the same features in both domains, got 5 and 6: extract both"),
        (SOURCE, TARGET[:0], "Expected at least 2 rows of the target, got 0: a domain is empty."),
        (SOURCE, Y, r"Expected the target as a table .*, got shape \(40,\): labels have no place here."),
        (np.full((9, 6), np.nan), TARGET, "Expected finite numbers in the source, got 54 that are not: drop or fill"),
        (SOURCE.astype(str).astype(object) + "x", TARGET, "Expected numbers in the source, got object: extract"),
    ],
    ids=["widths", "empty", "labels", "nan", "text"],
)
def test_bad_tables_get_one_clear_sentence(method, source, target, sentence):
    with pytest.raises(ValueError, match=sentence):
        method(source, target)


@every_method
def test_bad_new_rows_get_one_clear_sentence(method):
    for to in method(SOURCE, TARGET):
        with pytest.raises(ValueError, match=r"Expected rows of 6 features, got shape \(5, 4\): take them from"):
            to(NEW[0][:, :4])


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: domains.coral(SOURCE, TARGET, ridge=-1), "Expected a ridge of 0 or more, got -1"),
        (lambda: domains.coral(SOURCE[:4], TARGET, ridge=0), "varies in all 6 directions, got 4 rows that do not"),
        (lambda: domains.align_subspaces(SOURCE, TARGET[:4], 4), "Expected 1 to 3 dimensions, got 4"),
        (lambda: domains.standardise(SOURCE, TARGET, floor=-1), "Expected a floor of 0 or more, got -1"),
        (lambda: domains.standardise(SOURCE, np.ones((9, 6))), "Expected a target that varies, got 9 equal rows"),
        (lambda: domains.answers(SOURCE, Y * 0, TARGET), "Expected 40 labels of at least two classes, got"),
        (lambda: domains.answers(SOURCE, Y[:9], TARGET), "Expected 40 labels of at least two classes, got"),
    ],
)
def test_other_bad_input_too(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


# --- chapter 11 -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", METHODS)
def test_the_inline_methods_are_those_of_the_package(name):
    inline, arguments = definition("11", name), (3,) if name == "align_subspaces" else ()
    pairs = zip(
        inline(SOURCE, TARGET, *arguments), getattr(domains, name)(SOURCE, TARGET, *arguments), NEW, strict=True
    )
    moved = [(a(new), b(new)) for a, b, new in pairs]
    signs = np.sign((moved[1][0] * moved[1][1]).sum(axis=0))  # an axis may point either way, in both domains alike
    for a, b in moved:
        np.testing.assert_allclose(a, b * signs, atol=1e-8)


INLINE = {
    "nothing": "nothing",
    "centred": "centre",
    "standardised": "standardise",
    "source's statistics": "source_statistics",
    "CORAL": "coral",
    "fifty axes": "source_axes",
    "fifty axes, turned": "align_subspaces",
}


@pytest.mark.parametrize("name", INLINE)
def test_what_is_recorded_is_what_the_notebook_writes_out(name, monkeypatch):
    monkeypatch.setattr(alignment, "DIMENSIONS", 3)
    inline = definition("11", INLINE[name], standardise=definition("11", "standardise"))
    maps = inline(SOURCE, TARGET, 3) if "axes" in name else inline(SOURCE, TARGET)
    recorded = alignment.methods()[name](SOURCE, TARGET) or (lambda new: new, lambda new: new)
    (a, b), (c, d) = ([go(new) for go, new in zip(pair, NEW, strict=True)] for pair in (maps, recorded))
    np.testing.assert_allclose(a @ b.T, c @ d.T, atol=1e-8)  # whatever the signs of the axes


def test_strokes_are_those_of_the_notebook():
    pictures = np.random.default_rng(0).integers(0, 256, size=(3, 28, 28, 3))
    np.testing.assert_array_equal(definition("11", "strokes")(pictures), alignment.strokes(pictures))


def draw():
    rng = np.random.default_rng(3)
    return {
        name: (rng.normal(size=(60, 60)) + i, rng.permutation(60) % 3, rng.normal(size=(20, 60)) + i, np.arange(20) % 3)
        for i, name in enumerate("abc")
    }


@pytest.mark.parametrize("method", INLINE.values())
def test_labels_of_the_target_change_nothing_before_the_reveal(method):
    names = {name: definition("11", name) for name in ("name_things", "standardise")}
    said, align = definition("11", "said", **names), definition("11", method, **names)
    before, changed = said(draw(), align), draw()
    x, y, new, hidden = changed["c"]
    changed["c"] = (x, y[::-1].copy(), new, hidden[::-1].copy())
    after = said(changed, align)
    for source in "ab":
        assert (before[source, "c"] == after[source, "c"]).all()
    assert (before["c", "a"] != after["c", "a"]).any()  # but those of a source do


def test_the_inline_classifier_is_that_of_the_package():
    x, y, new, _ = draw()["a"]
    assert (definition("11", "name_things")(x, y, new) == domains.answers(x, y, new)).all()


def test_exchanged_labels_cannot_be_seen_in_any_input():
    """The accuracy of whatever looks at inputs alone is turned round, for two classes."""
    x, y, new, _ = draw()["a"]
    y, hidden = y % 2, np.arange(20) % 2
    said = domains.answers(x, y, new, domains.coral(x, new))
    assert np.mean(said == hidden) == pytest.approx(1 - np.mean(said == 1 - hidden))


def test_the_axes_of_chapter_11_are_exact():
    """A randomised PCA would say something else in every run."""
    axes = PCA(3, svd_solver="full").fit(SOURCE).components_
    ours = np.linalg.svd(SOURCE - SOURCE.mean(axis=0), full_matrices=False)[2][:3]
    np.testing.assert_allclose(np.abs(axes), np.abs(ours), atol=1e-10)
