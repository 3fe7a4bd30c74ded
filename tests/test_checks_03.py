"""The checks of chapter 03: any right answer passes, and each misconception gets its own hint."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest, SelectPercentile, VarianceThreshold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC, LinearSVC

from tlcourse.classroom import checks
from tlcourse.classroom.checks import NotYet

CONVOLUTIONS = [64] * 2 + [128] * 2 + [256] * 3 + [512] * 6


@pytest.mark.parametrize("answer", [12_416, 12_416.0, np.int64(sum(CONVOLUTIONS) + 2 * 4096)])
def test_the_embedding_of_vgg16_has_12416_features(answer, capsys):
    checks.embedding_size(answer)
    assert "12K" in capsys.readouterr().out


def test_keras_has_the_same_vgg16():
    import keras

    network = keras.applications.VGG16(weights=None)
    wide = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D) or layer.name in ("fc1", "fc2")]
    assert sum(layer.output.shape[-1] for layer in wide) == 12_416


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (sum(CONVOLUTIONS), "two dense layers"),
        (8192, "Each convolution"),
        (13_416, "classifier out"),
        (64 + 128 + 256 + 512 + 512 + 8192, "every layer of it"),
        (12_000, "rounds"),
        (13_555_712, r"\*one\* number"),
        (4096, "Not 4,096"),
        ("12K", "Expected a number"),
    ],
)
def test_other_sizes_get_their_own_hint(answer, hint):
    with pytest.raises(NotYet, match=hint):
        checks.embedding_size(answer)


@pytest.fixture(scope="module")
def nothing_to_learn():
    rng = np.random.default_rng(0)
    return rng.normal(size=(40, 1800)), rng.permutation(np.repeat(np.arange(8), 5))


LINEAR = SVC(kernel="linear")


@pytest.mark.parametrize(
    "honest",
    [
        make_pipeline(StandardScaler(), SelectKBest(k=50), LINEAR),
        make_pipeline(SelectKBest(k=50), StandardScaler(), SVC(kernel="linear", C=10)),
        make_pipeline(StandardScaler(), SelectPercentile(percentile=100 * 50 / 1800), LinearSVC()),
        make_pipeline(SelectKBest(k=50), LINEAR),  # the scaler was no leak to speak of
    ],
)
def test_any_selection_inside_the_folds_is_accepted(honest, nothing_to_learn, capsys):
    checks.honest_selection(honest, *nothing_to_learn)
    assert "✓" in capsys.readouterr().out


def frozen_choice(rows, labels):
    chosen = SelectKBest(k=50).fit(rows, labels).get_support()
    return make_pipeline(FunctionTransformer(lambda table: table[:, chosen]), StandardScaler(), LINEAR)


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
        (frozen_choice, "the same in every fold"),
        (lambda x, y: Remembers(SelectKBest(k=50).fit(x, y)), "the same in every fold"),
        (lambda x, y: make_pipeline(StandardScaler(), LINEAR), "1,800 columns: nothing is selected"),
        (lambda x, y: make_pipeline(StandardScaler(), PCA(30), LINEAR), "nothing is selected"),
        (lambda x, y: make_pipeline(SelectKBest(k=5), LINEAR), "uses 5 columns; keep 50"),
        (lambda x, y: make_pipeline(VarianceThreshold(np.sort(x.var(axis=0))[-51]), LINEAR), "look at the labels"),
        (lambda x, y: 12.5, "Expected one estimator .* got float"),
        (lambda x, y: SelectKBest(k=50).fit_transform(x, y), "got ndarray"),
        (lambda x, y: SelectKBest(k=50), "Expected one estimator"),
    ],
)
def test_each_misconception_has_its_hint(make, hint, nothing_to_learn):
    with pytest.raises(NotYet, match=hint):
        checks.honest_selection(make(*nothing_to_learn), *nothing_to_learn)
