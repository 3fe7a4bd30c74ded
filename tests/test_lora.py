"""LoRA: at first it changes nothing, training moves the adapters only, and merging changes nothing again."""

import keras
import numpy as np
import pandas as pd
import pytest
from keras import layers

from tlcourse.experiments import lora_domains, lora_rates, lora_spectrum
from tlcourse.experiments import lora_ranks as trial
from tlcourse.material import backbones
from tlcourse.methods import freezing, lora, training

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 5, 8)).astype("float32")
Y = np.arange(24) % 2


def small(*, batch_norm=False):
    """One attention layer, one dense layer, a classifier; as MiniLM is built."""
    keras.utils.set_random_seed(0)
    x = inputs = keras.Input((5, 8))
    x = layers.MultiHeadAttention(2, 3, name="layer1_attention")(x, x)
    x = layers.Dense(6, name="layer1_expand", activation="gelu")(layers.LayerNormalization(name="norm")(x))
    x = layers.BatchNormalization(name="bn")(x) if batch_norm else x
    return keras.Model(inputs, layers.Dense(2, name="logits")(layers.GlobalAveragePooling1D()(x)))


def fit(model, epochs=2):
    training.fit(model, (X, Y), epochs=epochs, learning_rate=1e-2, batch_size=8, seed=0)


def adapted(rank=2, **options):
    model = small()
    lora.adapt(model, rank, **{"head": "logits", "seed": 0, **options})
    return model


def outputs(model):
    return np.asarray(model(X))


# --- adapt -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("parts", [("query", "value"), ("attention_output",), ("layer1_expand", "key"), ["logits"]])
def test_at_first_nothing_changes(parts):
    model = small()
    before = outputs(model)
    lora.adapt(model, 2, parts=parts, seed=0)
    np.testing.assert_array_equal(outputs(model), before)


def test_training_moves_the_adapters_and_the_head_and_not_one_bit_else():
    model = adapted()
    before = freezing.snapshot(model)
    fit(model)
    moved = {path.split("/", 1)[-1] for path in freezing.changed(model, before)}
    factors = {f"{part}/lora_kernel_{f}" for part in ("query", "value") for f in "ab"}
    assert moved == factors | {"kernel", "bias"}
    assert {path for path in freezing.changed(model, before) if "lora" not in path} == {"logits/kernel", "logits/bias"}


def test_without_a_head_only_the_adapters_train():
    model = adapted(head=None)
    assert all("lora_kernel" in weight.path for weight in model.trainable_weights)
    assert len(model.trainable_weights) == 4


@pytest.mark.parametrize("frozen", ["model", "layer", "none"])
def test_a_model_that_was_frozen_before_trains_its_adapters_all_the_same(frozen):
    model = small(batch_norm=True)
    if frozen == "model":
        model.trainable = False
    elif frozen == "layer":
        model.get_layer("layer1_attention").trainable = False
    lora.adapt(model, 2, head="logits", seed=0)
    before = freezing.snapshot(model)
    fit(model)
    moved = freezing.changed(model, before)
    assert sum("lora" in path for path in moved) == 4 and len(moved) == 6
    assert not any("moving" in path for path in moved), "a frozen batch normalisation keeps its statistics"


def test_a_nested_backbone_is_adapted_inside():
    base = keras.Model((inner := small()).input, inner.get_layer("norm").output, name="base")
    inputs = keras.Input((5, 8))
    head = layers.Dense(2, name="head")
    model = keras.Model(inputs, head(layers.GlobalAveragePooling1D()(base(inputs))))
    base.trainable = False
    lora.adapt(model, 2, head="head", seed=0)
    before = freezing.snapshot(model)
    fit(model)
    assert sum("lora" in path for path in freezing.changed(model, before)) == 4
    assert not any("norm" in path for path in freezing.changed(model, before))


def test_the_seed_decides_on_a_and_b_is_zero():
    first, again, other = (lora.adapters(adapted(seed=seed)) for seed in (1, 1, 2))
    for path, value in first.items():
        if path.endswith("lora_kernel_a"):
            np.testing.assert_array_equal(value, again[path])
            assert not np.allclose(value, other[path])
        elif path.endswith("lora_kernel_b"):
            assert not value.any()
    a = [value for path, value in first.items() if path.endswith("_a")]
    assert not np.allclose(a[0], a[1]), "two layers must not get the same numbers"


@pytest.mark.parametrize(
    ("layer", "inputs"),
    [(layers.Dense(300), 200), (layers.EinsumDense("abc,cde->abde", (None, 6, 50)), 200)],
)
def test_a_is_gaussian_with_the_variance_it_says(layer, inputs):
    model = keras.Sequential([keras.Input((7, inputs)), layer])
    lora.adapt(model, 40, parts=[layer.name], seed=0)
    a = np.asarray(layer.lora_kernel_a)
    assert abs(a.std() * inputs**0.5 - 1) < 0.03 and abs(a.mean()) < 0.01
    excess = ((a / a.std()) ** 4).mean() - 3  # a uniform distribution has -1.2
    assert abs(excess) < 0.3


def test_the_sum_of_an_attention_output_runs_over_heads_too():
    model = small()
    assert lora._inputs(model.get_layer("layer1_attention").output_dense) == 2 * 3
    assert lora._inputs(model.get_layer("layer1_attention").query_dense) == 8


@pytest.mark.parametrize("part", ["layer1_expand", "query", "attention_output"])
def test_an_adapted_layer_computes_what_the_formula_says(part):
    """W + (alpha / r) A B by hand, in numpy, put into an unadapted model (Hu et al., 2021, eq. 3)."""
    model = small()
    lora.adapt(model, 2, parts=[part], alpha=5, seed=0)
    layer = next(leaf for leaf in lora._leaves(model) if leaf.name == part)
    layer.lora_kernel_b.assign(RNG.normal(size=layer.lora_kernel_b.shape))
    a, b = np.asarray(layer.lora_kernel_a), np.asarray(layer.lora_kernel_b)
    by_hand = small()
    kernel = next(weight for weight in by_hand.weights if weight.path == layer._kernel.path)
    kernel.assign(np.asarray(kernel) + 5 / 2 * np.einsum("...r,rk->...k", a, b))
    np.testing.assert_allclose(outputs(model), outputs(by_hand), atol=1e-5)


def test_minilms_attention_gets_as_many_parameters_as_counted():
    model = backbones.minilm(length=8, weights=None)
    lora.adapt(model, 4, seed=0)
    per_kernel = 4 * (384 * 12 + 32)
    assert lora.cost(model).trainable == 12 * per_kernel
    assert len(lora.adapters(model)) == 2 * 12


@pytest.mark.parametrize("rank", [1.5, "4", None, True])
def test_a_rank_that_is_no_whole_number_is_refused(rank):
    with pytest.raises(TypeError, match="whole number as rank, got .*: 4 is"):
        lora.adapt(small(), rank, seed=0)


@pytest.mark.parametrize(("rank", "part", "most"), [(0, "query", 3), (-2, "query", 3), (4, "value", 3),
                                                    (7, "layer1_expand", 6), (7, "attention_output", 6)])  # fmt: skip
def test_a_rank_out_of_range_is_refused(rank, part, most):
    with pytest.raises(ValueError, match=f"from 1 to {most} for .*{part}.*, got {rank}: choose"):
        lora.adapt(small(), rank, parts=[part], seed=0)


def test_the_largest_rank_is_taken():
    assert lora.adapt(small(), np.int64(3), seed=0)


@pytest.mark.parametrize("alpha", [0, -1.0, float("nan")])
def test_an_alpha_that_is_not_above_zero_is_refused(alpha):
    with pytest.raises(ValueError, match="alpha above 0, got .*: 16 is"):
        lora.adapt(small(), 2, alpha=alpha, seed=0)


@pytest.mark.parametrize("parts", [["quary"], ["query", "w"], []])
def test_a_part_that_does_not_exist_is_refused_with_those_there_are(parts):
    with pytest.raises(ValueError, match=r"among query, key, value, attention_output, .*logits, got"):
        lora.adapt(small(), 2, parts=parts, seed=0)


def test_a_head_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="among query, .*logits, got .*classifier"):
        lora.adapt(small(), 2, head="classifier", seed=0)


def test_a_single_name_is_no_list_of_names():
    with pytest.raises(ValueError, match="got the single text 'query': put it in a list"):
        lora.adapt(small(), 2, parts="query", seed=0)


def test_a_layer_without_a_kernel_is_refused():
    with pytest.raises(ValueError, match="Keras can adapt, got 'norm' .LayerNormalization.: choose"):
        lora.adapt(small(), 2, parts=["norm"], seed=0)


@pytest.mark.parametrize("parts", [("query",), ("key",)])
def test_an_adapted_model_is_not_adapted_again(parts):
    model = adapted()
    with pytest.raises(ValueError, match="without adapters, got one at layer1_attention/query: merge"):
        lora.adapt(model, 2, parts=parts, seed=0)


def test_what_was_refused_is_left_as_it_was():
    model = small()
    before = [weight.path for weight in model.trainable_weights]
    for wrong in ({"rank": 99}, {"parts": ["no"]}, {"alpha": 0}, {"head": "no"}):
        with pytest.raises(ValueError):
            lora.adapt(model, **{"rank": 2, "seed": 0, **wrong})
    assert [weight.path for weight in model.trainable_weights] == before


# --- adapters and load -------------------------------------------------------------------------------------------


def test_adapters_are_swapped_without_compiling_and_the_base_does_not_notice():
    model = adapted()
    fresh, base = lora.adapters(model), freezing.snapshot(model)
    at_first = outputs(model)
    fit(model)
    trained, then = lora.adapters(model), outputs(model)
    assert np.abs(then - at_first).max() > 1e-3
    lora.load(model, fresh)
    np.testing.assert_array_equal(outputs(model), at_first)
    assert not freezing.changed(model, base)
    lora.load(model, trained)
    np.testing.assert_array_equal(outputs(model), then)
    np.testing.assert_array_equal(model.predict(X, verbose=0), model.predict(X, verbose=0))


def test_a_swap_reaches_a_model_that_has_predicted_already():
    """The traced `predict` reads the variables, it does not keep their numbers."""
    model = adapted()
    fresh = lora.adapters(model)
    before = model.predict(X, verbose=0)
    fit(model)
    assert np.abs(model.predict(X, verbose=0) - before).max() > 1e-3
    lora.load(model, fresh)
    np.testing.assert_array_equal(model.predict(X, verbose=0), before)


def test_stored_adapters_are_copies():
    model = adapted()
    stored = lora.adapters(model)
    kept = {path: value.copy() for path, value in stored.items()}
    fit(model)
    assert all((stored[path] == kept[path]).all() for path in kept)


def test_adapters_of_another_rank_are_refused_and_nothing_is_loaded_by_half():
    model, other = adapted(2), adapted(3)
    before = freezing.snapshot(model)
    with pytest.raises(ValueError, match=r"lora_kernel_a of shape \(8, 2, 2\), got \(8, 2, 3\): adapt with that rank"):
        lora.load(model, lora.adapters(other))
    assert not freezing.changed(model, before)


def test_adapters_of_other_layers_are_refused():
    with pytest.raises(ValueError, match="same layers, got a difference in .*key.*: adapt the same parts"):
        lora.load(adapted(), lora.adapters(adapted(parts=("query", "key"))))


@pytest.mark.parametrize("call", [lora.adapters, lora.merge, lambda model: lora.load(model, {})])
def test_what_needs_an_adapter_says_so(call):
    with pytest.raises(ValueError, match="Expected an adapted model, got .*: call lora.adapt first"):
        call(small())


# --- merge -------------------------------------------------------------------------------------------------------


def test_merged_equals_unmerged_and_is_as_large_as_before():
    model, plain = adapted(parts=("query", "attention_output", "layer1_expand")), small()
    fit(model)
    before, epochs_ago = outputs(model), outputs(plain)
    assert lora.merge(model) == ["layer1_attention/query", "layer1_attention/attention_output", "layer1_expand"]
    np.testing.assert_allclose(outputs(model), before, atol=1e-5)
    np.testing.assert_allclose(model.predict(X, verbose=0), before, atol=1e-5)
    assert np.abs(before - epochs_ago).max() > 1e-3
    assert {w.path: w.shape for w in model.weights} == {w.path: w.shape for w in plain.weights}


def test_a_merge_reaches_a_model_that_has_predicted_already():
    """The traced program still knows A and B, and must not add them to a kernel that holds them already."""
    model = adapted()
    fit(model)
    before = model.predict(X, verbose=0)
    lora.merge(model)
    np.testing.assert_allclose(model.predict(X, verbose=0), before, atol=1e-5)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_an_adapter_that_comes_after_fit_is_not_trained_until_the_model_is_compiled(optimizer):
    """What the chapter's bug hunt says of Keras: the old program moves the kernel that now says it is frozen."""
    model = small()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss)
    model.fit(X, Y, batch_size=8, verbose=0)
    layer = model.get_layer("layer1_expand")
    layer.enable_lora(2)
    for compiled in (False, True):
        if compiled:
            model.compile(optimizer, loss)
        before = freezing.snapshot(layer)
        model.fit(X, Y, batch_size=8, verbose=0)
        moved = {path.split("/")[-1] for path in freezing.changed(layer, before)}
        assert moved == ({"bias", "lora_kernel_a", "lora_kernel_b"} if compiled else {"bias", "kernel"})


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras, as it writes the file
def test_a_merged_model_is_saved_loaded_and_adapted_again(tmp_path):
    model = adapted()
    fit(model)
    lora.merge(model)
    model.save_weights(tmp_path / "merged.weights.h5")
    fresh = small()
    fresh.load_weights(tmp_path / "merged.weights.h5")
    np.testing.assert_allclose(outputs(fresh), outputs(model), atol=1e-6)
    before = outputs(model)
    lora.adapt(model, 1, head="logits", seed=3)
    np.testing.assert_array_equal(outputs(model), before)
    fit(model)
    assert np.abs(outputs(model) - before).max() > 1e-3


# --- cost --------------------------------------------------------------------------------------------------------


def test_cost_counts_what_adam_and_a_file_hold(tmp_path):
    model = adapted()
    fit(model)
    cost = lora.cost(model)
    slots = [v for v in model.optimizer.variables if v.path.endswith(("momentum", "velocity"))]
    assert cost.adam_bytes == 4 * sum(int(np.prod(v.shape)) for v in slots)
    np.savez(tmp_path / "a.npz", **{path.replace("/", "."): value for path, value in lora.adapters(model).items()})
    assert cost.checkpoint_bytes == sum(value.nbytes for value in lora.adapters(model).values())
    assert cost["all"] == small().count_params(), "the network, without what was added to it"
    assert cost.percent == pytest.approx(100 * cost.trainable / cost["all"])


def test_cost_of_a_plain_model_is_that_of_all_its_weights():
    model = small()
    assert lora.cost(model).trainable == lora.cost(model)["all"] == model.count_params()
    assert isinstance(lora.cost(model), pd.Series)


# --- the recorded experiments ------------------------------------------------------------------------------------


@pytest.fixture
def miniature(monkeypatch):
    """A network like MiniLM in names and shapes of attention, a few sentences of numbers."""

    def probe(train, *, seed):
        keras.utils.set_random_seed(seed)
        x = inputs = keras.Input((6, 384))
        x = layers.MultiHeadAttention(12, 32, name="layer1_attention")(x, x)
        x = layers.Dense(384, name="layer1_expand")(layers.LayerNormalization(name="layer1_norm")(x))
        return keras.Model(inputs, layers.Dense(2, name="logits")(layers.GlobalAveragePooling1D()(x)))

    x = RNG.normal(size=(32, 6, 384)).astype("float32")
    pair = (x, (x[:, :, 0].mean(axis=1) > 0).astype("int64"))
    monkeypatch.setattr(trial, "sentences", lambda domain, seed: dict.fromkeys(("train", "validation", "test"), pair))
    monkeypatch.setattr(trial, "tokens", lambda pair: pair)
    monkeypatch.setattr(trial, "probe", probe)
    monkeypatch.setattr(lora_domains, "tested", lambda domain: pair)


def test_each_recorded_run_trains_what_it_says(miniature):
    rows = {config["method"]: trial.trial({**config, "seed": 0})[0] for config in trial.CONFIGS}
    head = 2 * 384 + 2
    assert rows["probe"]["trainable"] == rows["head"]["trainable"] == head
    assert rows["projections"]["trainable"] == head + 2 * trial.PROJECTIONS_RANK * 2 * 384
    assert rows["query and value"]["trainable"] == head + 2 * 384 * 384
    assert rows["full"]["trainable"] == rows["full"]["all"] == rows["rank 1"]["all"]
    for rank in trial.RANKS:
        assert rows[f"rank {rank}"]["trainable"] == head + 2 * rank * (384 * 12 + 32)


def test_a_flat_pair_changes_nothing_at_first_and_is_as_narrow_as_its_rank_says():
    model, before = small(), outputs(small())
    lora_rates.adapted(model, "flat", 2, seed=0)
    np.testing.assert_array_equal(outputs(model), before)
    base = freezing.snapshot(model)
    fit(model)
    assert {path.split("/")[-1] for path in freezing.changed(model, base)} == {
        "lora_kernel_a", "lora_kernel_b", "kernel", "bias"}  # fmt: skip
    query = model.get_layer("layer1_attention").query_dense
    update = np.asarray(query.kernel - query._kernel).reshape(8, 6)
    assert np.linalg.matrix_rank(update, tol=1e-6) == 2
    at = [path for path in freezing.changed(model, base) if "lora" not in path]
    assert sorted(at) == ["logits/bias", "logits/kernel"]
    assert np.abs(outputs(model) - before).max() > 1e-3


def test_cutting_the_update_at_rank_zero_leaves_none_and_energy_grows(miniature):
    rows = pd.DataFrame(lora_spectrum.trial({"method": "full", "seed": 0}))
    assert list(rows.kept) == list(lora_spectrum.KEPT)
    assert rows.energy[0] == 0 and rows.energy.is_monotonic_increasing and rows.energy.iloc[-1] == pytest.approx(100)


def test_the_nearest_matrix_of_a_rank():
    matrix = RNG.normal(size=(9, 3)) @ RNG.normal(size=(3, 7))
    parts = np.linalg.svd(matrix, full_matrices=False)
    np.testing.assert_allclose(lora_spectrum.cut(parts, 3), matrix, atol=1e-12)
    assert np.linalg.matrix_rank(lora_spectrum.cut(parts, 2)) == 2
    gone = ((matrix - lora_spectrum.cut(parts, 2)) ** 2).sum() / (matrix**2).sum()
    assert lora_spectrum.energy(parts, 2) == pytest.approx(100 * (1 - gone))


@pytest.mark.parametrize("name", ["query", "attention_output"])
def test_a_kernel_as_a_matrix_maps_as_its_layer_does(name):
    attention = small().get_layer("layer1_attention")
    layer = attention.query_dense if name == "query" else attention.output_dense
    x = RNG.normal(size=(1, 4, *([8] if name == "query" else [2, 3]))).astype("float32")
    matrix = lora_spectrum.as_matrix(name, np.asarray(layer.kernel))
    np.testing.assert_allclose(x.reshape(4, -1) @ matrix, np.asarray(layer(x)).reshape(4, -1), atol=1e-5)
