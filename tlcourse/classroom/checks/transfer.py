"""Checks of chapter 06: what is specific to the source, what a treatment trains, and layers copied, not shared."""

import numpy as np

from tlcourse.classroom.checks.core import a_number, exercise, require


@exercise
def specificity(answer, gains) -> str:
    """BnB minus AnB at n = 6, mean over the draws; `gains` has columns (treatment, n) and one row a draw."""
    answer = a_number(answer, low=-100, high=100)
    at, near = {name: gains[name][6].mean() for name in ("AnB", "AnB+", "BnB", "BnB+")}, 0.05
    truth = at["BnB"] - at["AnB"]
    require(abs(answer + truth) > near or abs(truth) < near, "Right but for the sign: what is lost, positive.")
    for other, hint in (
        (at["AnB+"] - at["AnB"], "That is the whole distance from AnB to AnB+. Which part of it has BnB, too?"),
        (-at["AnB"], "That is the distance from base B, which differs from A6B in more than the source."),
        (at["BnB+"] - at["BnB"], "That is what the cut costs within task B: co-adaptation, not specificity."),
        (
            at["BnB+"] - at["AnB"],
            "These two differ twice, in source and in what may move. Change the source alone.",
        ),
    ):
        require(abs(answer - other) > near or abs(truth - other) < near, hint)
    require(abs(answer - truth) < near, f"Not {answer:.1f}: which treatment freezes as many, from the same task?")
    return f"{truth:.1f} points. The rest of the distance B6B has as well: a cut, or an upper part not yet finished."


@exercise
def trained_parameters(answer) -> str:
    """What A6B changes: layers 7 and 8."""
    from tlcourse.methods import freezing, layer_transfer

    answer = a_number(answer, low=0, high=1e9)
    rows = freezing.table(layer_transfer.network(31, seed=0)).set_index("block").parameters
    truth = rows["layer7"] + rows["layer8"]
    require(answer != rows.sum(), "That is the whole network; six of its layers are frozen.")
    require(answer != rows.sum() - truth, "Those are the frozen ones: copied, and left alone.")
    require(answer != rows["layer8"], "Layer 8 alone would be A7B. Which layers are new in A6B?")
    require(answer == truth, f"Not {answer:g}: n = 6 layers are copied and frozen, the others are new and train.")
    return f"{truth:,} of {rows.sum():,}: the first dense layer alone has twice as many as the largest convolution."


@exercise
def copied_layers(mended) -> str:
    """A function that copies n layers bit for bit into a new network that shares nothing with the source."""
    import keras

    from tlcourse.methods import freezing, layer_transfer

    require(callable(mended), f"Expected a function of source, n and classes, got {type(mended).__name__}.")
    source = layer_transfer.network(5, size=8, seed=20140611)  # as no student has
    kept = freezing.snapshot(source)
    model = mended(source, 3, 4)
    require(isinstance(model, keras.Model), f"Expected a keras.Model, got {type(model).__name__}.")
    require(model.output_shape == (None, 4), f"Expected logits for 4 classes, got the shape {model.output_shape}.")
    shared = {id(weight) for weight in model.weights} & {id(weight) for weight in source.weights}
    require(not shared, "The two networks still hold the same weights: what one learns, the other has learnt, too.")
    names = [layer.name for layer in model.layers if layer.weights]
    require(names == [f"layer{i}" for i in range(1, 9)], f"Expected layer1 to layer8 as in the source, got {names}.")
    for i in range(1, 9):
        pair = [net.get_layer(f"layer{i}").get_weights()[0] for net in (model, source)]
        same = pair[0].shape == pair[1].shape and np.array_equal(*pair)
        if i <= 3:
            require(same, f"Layer {i} should be a copy of the source's, and its weights differ.")
        else:
            require(not same, f"Layer {i} should be new, and it has the source's weights: n was 3.")
    x, y = np.random.default_rng(0).uniform(0, 255, (16, 8, 8, 1)).astype("float32"), np.arange(16) % 4
    before = freezing.snapshot(model)
    model.compile(keras.optimizers.Adam(1e-2), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x, y, epochs=2, verbose=0)
    require(not freezing.changed(source, kept), "Training the new network changed the source.")
    moved = {freezing.block_of(path) for path in freezing.changed(model, before)}
    require(len(moved) == 8, f"All eight layers should be free to move, as in AnB+; {sorted(moved)} did.")
    return "Equal at first, and independent for ever: the source can be used again."
