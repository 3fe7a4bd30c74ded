"""The checks of chapters 02 and 03: any right answer passes, and each misconception gets its own hint."""

import time

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.decomposition import PCA
from sklearn.feature_selection import RFE, SelectFromModel, SelectKBest, SelectPercentile, VarianceThreshold, f_classif
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics.pairwise import linear_kernel, rbf_kernel
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut, StratifiedGroupKFold, StratifiedKFold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC

from tlcourse.classroom import checks
from tlcourse.classroom.checks import NotYet
from tlcourse.classroom.checks import layers as layer_checks

# --- honest folds --------------------------------------------------------------------------------------------------

PHOTO_OF = np.tile(np.arange(40), 3)  # three copies of 40 photographs
LABELS = np.tile(np.arange(40) // 10, 3)  # of four classes


def split(splitter):
    return list(splitter.split(PHOTO_OF, LABELS, groups=PHOTO_OF))


@pytest.mark.parametrize("splitter", [StratifiedGroupKFold(5), GroupKFold(4), LeaveOneGroupOut()])
def test_folds_that_keep_copies_together_are_honest(splitter, capsys):
    for folds in (split(splitter), [(train, test[test < 40]) for train, test in split(splitter)]):
        checks.honest_folds(folds, PHOTO_OF, LABELS)
        checks.honest_folds(tuple(folds), PHOTO_OF, LABELS)
    assert capsys.readouterr().out.count("✓") == 4


def copied(folds, change):
    return [(change(train), test) for train, test in folds]


HONEST = split(StratifiedGroupKFold(5))
BY_CLASS = [(np.flatnonzero(c != LABELS), np.flatnonzero(c == LABELS)) for c in range(4)]


@pytest.mark.parametrize(
    ("folds", "hint"),
    [
        (list(StratifiedKFold(5, shuffle=True).split(PHOTO_OF, LABELS)), "both sides"),
        (HONEST[:4], "never tested"),
        ([*HONEST, HONEST[0]], "in several folds"),
        (BY_CLASS, "class that it never trains on"),
        (copied(HONEST, lambda train: train[PHOTO_OF[train] % 4 > 0]), "without 8 photographs"),
        (copied(HONEST, lambda train: train[train < 40]), "nothing is augmented"),
        (
            copied(HONEST, lambda train: train[(train < 40) | (PHOTO_OF[train] < 2)]),
            "copies are left out: take them all",
        ),
        (StratifiedGroupKFold(5).split(PHOTO_OF, LABELS, groups=PHOTO_OF), "make it a list"),
        ([(1, 2, 3)], "a fold has two sides"),
        ([], "never tested"),
    ],
)
def test_folds_that_leak_or_waste_are_refused_each_time(folds, hint):
    for _ in range(2):
        with pytest.raises(NotYet, match=hint):
            checks.honest_folds(folds, PHOTO_OF, LABELS)


# --- columns chosen without the test rows --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def nothing_to_learn():
    rng = np.random.default_rng(0)
    return rng.normal(size=(40, 1800)), rng.permutation(np.repeat(np.arange(8), 5))


LINEAR = SVC(kernel="linear")


class Own(BaseEstimator, ClassifierMixin):
    """Somebody's own class round the right pipeline."""

    def fit(self, x, y):
        self.classes_, self.inside = np.unique(y), make_pipeline(StandardScaler(), SelectKBest(k=50), LINEAR).fit(x, y)
        return self

    def predict(self, x):
        return self.inside.predict(x)


def standard(*steps):
    return make_pipeline(StandardScaler(), *steps)


FIFTY = SelectKBest(k=50)


@pytest.mark.parametrize(
    "honest",
    [
        standard(FIFTY, LINEAR),
        make_pipeline(FIFTY, StandardScaler(), SVC(kernel="linear", C=10)),
        standard(SelectPercentile(percentile=100 * 50 / 1800), LinearSVC()),
        standard(FIFTY, OneVsRestClassifier(LinearSVC())),
        standard(FIFTY, SVC(kernel=linear_kernel)),
        standard(RFE(LINEAR, n_features_to_select=50, step=0.2)),
        standard(SelectFromModel(LogisticRegression(), max_features=50, threshold=-np.inf), LINEAR),
        Own(),
    ],
)
def test_any_selection_inside_the_folds_is_accepted(honest, nothing_to_learn, capsys):
    checks.honest_selection(honest, *nothing_to_learn)
    checks.honest_selection(honest, *nothing_to_learn)
    assert capsys.readouterr().out.count("✓") == 2


def chosen_before(k, rows, labels):
    chosen = SelectKBest(k=k).fit(rows, labels).get_support()
    return FunctionTransformer(lambda table: table[:, chosen])


class Remembers(BaseEstimator, ClassifierMixin):
    """A pipeline whose scaler is refitted and whose selection is not."""

    def __init__(self, selector=None):
        self.selector = selector

    def __sklearn_clone__(self):
        return Remembers(self.selector)

    def fit(self, x, y):
        self.classes_, self.model = np.unique(y), LINEAR.fit(self.selector.transform(x), y)
        return self

    def predict(self, x):
        return self.model.predict(self.selector.transform(x))


@pytest.mark.parametrize(
    ("make", "hint"),
    [
        (lambda x, y: make_pipeline(chosen_before(50, x, y), StandardScaler(), LINEAR), "the same in every fold"),
        (lambda x, y: Remembers(SelectKBest(k=50).fit(x, y)), "the same in every fold"),
        (lambda x, y: make_pipeline(chosen_before(200, x, y), StandardScaler(), FIFTY, LINEAR), "chosen before"),
        (lambda x, y: make_pipeline(chosen_before(900, x, y), StandardScaler(), FIFTY, LINEAR), "chosen before"),
        (lambda x, y: standard(SelectKBest(lambda x, y: -f_classif(x, y)[0], k=50), LINEAR), "finds 0"),
        (lambda x, y: make_pipeline(FIFTY, LINEAR), "scaler is missing"),
        (lambda x, y: make_pipeline(FunctionTransformer(StandardScaler().fit(x).transform), FIFTY, LINEAR), "before"),
        (lambda x, y: standard(LINEAR), "1,800 columns: nothing is selected"),
        (lambda x, y: standard(PCA(30), LINEAR), "nothing is selected"),
        (lambda x, y: standard(SelectKBest(k=5), LINEAR), "uses 5 columns; keep 50"),
        (lambda x, y: standard(SelectKBest(k=51), LINEAR), "uses 51 columns; keep 50"),
        (lambda x, y: make_pipeline(VarianceThreshold(1.5), StandardScaler(), LINEAR), "columns; keep 50"),
        (lambda x, y: standard(FIFTY, SVC()), "got SVC with the kernel 'rbf'"),
        (lambda x, y: standard(FIFTY, SVC(kernel=rbf_kernel)), "got SVC with the kernel"),
        (lambda x, y: standard(FIFTY, SVR(kernel="linear")), "got SVR"),
        (lambda x, y: standard(FIFTY, LogisticRegression()), "got LogisticRegression"),
        (lambda x, y: standard(FIFTY, RidgeClassifier()), "got RidgeClassifier"),
        (lambda x, y: standard(FIFTY, KNeighborsClassifier()), "got KNeighborsClassifier"),
        (lambda x, y: standard(FIFTY), "this Pipeline has none"),
        (lambda x, y: 12.5, "Expected one estimator .* got float"),
        (lambda x, y: SelectKBest(k=50).fit_transform(x, y), "got ndarray"),
    ],
)
def test_each_misconception_has_its_hint(make, hint, nothing_to_learn):
    with pytest.raises(NotYet, match=hint):
        checks.honest_selection(make(*nothing_to_learn), *nothing_to_learn)


class Leftover:
    """Its end takes half a second, and Python ignores what is raised meanwhile."""

    def __del__(self):
        time.sleep(0.5)


class Slow(SelectKBest):
    """A selector that would take ten minutes; nothing is fitted then, in the midst of another test."""

    def fit(self, x, y):
        Leftover()
        time.sleep(600)
        raise TimeoutError


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("alarm", [True, False])
def test_a_slow_selector_is_met_by_a_sentence(nothing_to_learn, monkeypatch, alarm):
    if not alarm:
        monkeypatch.delattr(layer_checks.signal, "setitimer", raising=False)
    elif not hasattr(layer_checks.signal, "setitimer"):
        pytest.skip("no alarm on this system")
    monkeypatch.setattr(layer_checks, "_PATIENCE", 0.2)
    with pytest.raises(NotYet, match="still fitting after 0.2 seconds"):
        checks.honest_selection(standard(Slow(k=50), LINEAR), *nothing_to_learn)


def test_without_an_alarm_the_check_is_the_same(nothing_to_learn, monkeypatch):
    monkeypatch.delattr(layer_checks.signal, "setitimer", raising=False)
    checks.honest_selection(standard(SelectKBest(k=50), LINEAR), *nothing_to_learn)
    with pytest.raises(NotYet, match="could not be tried: InvalidParameterError"):
        checks.honest_selection(standard(SelectKBest(k=-1), LINEAR), *nothing_to_learn)
