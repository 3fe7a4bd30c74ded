"""Checks of chapter 06: what is specific to the source, what could have been missed, and layers copied, not shared."""

import numpy as np

from tlcourse.classroom.checks.core import Question, exercise, expect, expect_function, numeric, require


@numeric
def specificity(gains) -> Question:
    """BnB minus AnB at n = 6, mean over the draws; `gains` has columns (treatment, n) and one row a draw."""
    at = {name: gains[name][6].mean() for name in ("AnB", "AnB+", "BnB", "BnB+")}
    truth, cut = at["BnB"] - at["AnB"], at["BnB+"] - at["BnB"]
    return Question(
        truth,
        {
            -truth: "Right but for the sign: what is lost, positive.",
            at["AnB+"] - at["AnB"]: "That is the whole distance from AnB to AnB+. Which part of it has BnB, too?",
            -at["AnB"]: "That is the distance from base B, which differs from A6B in more than the source.",
            cut: "That is what the cut costs within task B, whatever the reason. Change the source alone.",
            at["BnB+"] - at["AnB"]: "These two differ twice, in source and in what may move. Change the source alone.",
        },
        otherwise="Which treatment freezes as many layers, and took them from the same task?",
        praise="{} points. B6B, too, is below its fine-tuned self; what the cut costs and this need not add up.",
        decimals=2,
    )


@numeric
def missed_dip(gains) -> Question:
    """The smallest mean of BnB minus BnB+ at n = 4 that so many draws, with their spread, find eight times in ten."""
    from tlcourse.methods import statistics

    dip = gains["BnB"][4] - gains["BnB+"][4]
    seen = statistics.interval(dip)
    half = (seen.high - seen.low) / 2
    return Question(
        statistics.detectable(dip),
        {
            half: "That is half of the interval. A true effect of that size shows in every second experiment only.",
            seen.high - seen.low: "That is the whole width of the interval.",
            seen.low: "That is an end of the interval: what may be so, not what would have been found.",
            seen.high: "That is an end of the interval: what may be so, not what would have been found.",
            abs(seen.mean): "That is what was measured. How large must an effect be, so that these draws find it?",
            dip.std(): "That is the spread of single draws. Their mean is surer than any one of them.",
            statistics.detectable(gains["BnB"][4]): "That is BnB against base B. What may move should be all that "
            "differs: subtract BnB+, draw by draw.",
        },
        otherwise="The difference of two columns, draw by draw, and what `statistics.detectable` says of it.",
        praise="{} points: a dip as large as that these draws would likely have shown; a smaller one they can hide.",
        decimals=2,
    )


@exercise
def copied_layers(mended) -> str:
    """A function that copies n layers bit for bit into a new network that shares nothing with the source."""
    import keras

    from tlcourse.methods import layer_transfer

    expect_function(mended, "source, n and classes")
    source, rng = layer_transfer.network(5, size=8, seed=20140611), np.random.default_rng(0)
    for weight in source.weights:
        weight.assign(weight + rng.normal(0, 0.1, weight.shape))  # biases, too: those of a new network are all 0
    pictures = rng.uniform(0, 255, (16, 8, 8, 1)).astype("float32")
    kept, flags = _weights(source), [layer.trainable for layer in source.layers]
    for n in (3, 6):
        model = mended(source, n, 4)
        expect(model, keras.Model, "a keras.Model")
        require(model.output_shape == (None, 4), f"Expected logits for 4 classes, got the shape {model.output_shape}.")
        both = {id(weight) for weight in model.weights} & {id(weight) for weight in source.weights}
        require(not both, "The two networks still hold the same weights: what one learns, the other has learnt, too.")
        _copies(model, source, n, pictures)
        before = _weights(model)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(1e-2), loss, run_eagerly=True)  # two small steps: tracing would cost more
        model.fit(pictures, np.arange(16) % 4, epochs=2, verbose=0, shuffle=False)
        stay = [str(i) for i, (old, new) in enumerate(zip(before, _weights(model), strict=True), 1) if _same(old, new)]
        require(not stay, f"All eight layers should be free to move, as in AnB+; of these {', '.join(stay)} did not.")
        untouched = all(map(_same, kept, _weights(source)))
        require(untouched, "Training the new network changed the source.")
        free = flags == [layer.trainable for layer in source.layers]
        require(free, "On the side it changes which layers of the source are trainable: leave the source as it was.")
    return "Equal at first, and independent for ever: the source can be used again."


def _copies(model, source, n: int, pictures) -> None:
    """Raise `NotYet` unless exactly the first n of eight layers are the source's, and compute the same."""
    import keras

    pairs = list(zip(_layers(model), _layers(source), strict=False))
    shapes = [[w.shape for w in layer.weights] for layer in _layers(model)][:-1]
    like = [[w.shape for w in layer.weights] for layer in _layers(source)][:-1]
    require(shapes == like, "Expected eight layers with weights, layer1 to layer8, of the same shapes as the source's.")
    for i, (mine, hers) in enumerate(pairs, start=1):
        same = [np.array_equal(a, b) for a, b in zip(mine.get_weights(), hers.get_weights(), strict=True)]
        require(i > n or same[0], f"With n = {n}, layer {i} should be a copy of the source's, and its weights differ.")
        require(i > n or all(same), f"Of layer {i} the kernel is copied, and the bias is not.")
        require(i <= n or not same[0], f"Layer {i} should be new, and it has the source's weights: n was {n}.")
    mine, hers = (np.asarray(keras.Model(net.inputs[0], net_layer.output)(pictures))
                  for net, net_layer in zip((model, source), pairs[n - 1], strict=True))  # fmt: skip
    alike = mine.shape == hers.shape and np.allclose(mine, hers, atol=1e-4)
    require(alike, f"The weights are the source's, but up to layer {n} something else is computed with them.")


def _layers(model) -> list:
    return [layer for layer in model.layers if layer.weights]


def _weights(model) -> list[list[np.ndarray]]:
    """A copy of each layer's weights, whatever their names."""
    return [[np.array(w) for w in layer.get_weights()] for layer in _layers(model)]


def _same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    """Whether no number of a layer moved."""
    return all(map(np.array_equal, one, other))
