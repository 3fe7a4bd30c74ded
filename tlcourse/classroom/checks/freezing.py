"""Checks of chapter 01: what is trainable, what `fit` changes, and what batch normalisation does meanwhile."""

import numpy as np

from tlcourse.classroom.checks.core import exercise, require


@exercise
def bias_shape(answer) -> str:
    """The shape of the bias of `Dense(7)` on five inputs, as a tuple."""
    require(isinstance(answer, (tuple, list)), f"Expected a shape such as (2, 3), got {answer!r}.")
    shape = tuple(answer)
    require(shape != (7, 7), "That is what one of the two slides prints. How many numbers can be added to 7 outputs?")
    require(shape != (5, 7), "That is the kernel: a number for each pair of input and output. The bias has no inputs.")
    require(shape != (5,), "One bias for each *input*? It is added after the inputs were summed, once an output.")
    require(shape == (7,), "The bias is added to the outputs: one number each, in a vector.")
    return "One number for each output. What prints (7, 7) cannot have come from this layer."


@exercise
def features_of_the_backbone(answer) -> str:
    """A model from pictures to the 1,280 pooled features of EfficientNet-Lite0, without its classifier."""
    import keras

    require(isinstance(answer, keras.Model), f"Expected a keras.Model, got {type(answer).__name__}.")
    shape = tuple(answer.output_shape)
    require(
        shape[-1] != 1000,
        "It still ends in the 1,000 ImageNet logits: `model.layers` is a fresh list at every call, so popping from it "
        "changes no model.",
    )
    require(len(shape) == 2, f"It ends in maps of shape {shape[1:]}: the picture's rows and columns are still there.")
    require(shape == (None, 1280), f"Expected 1,280 features a picture, this gives {shape[1:]}.")
    pictures = np.random.default_rng(0).integers(0, 256, (2, *answer.input_shape[1:])).astype("float32")
    from tlcourse.material import backbones

    truth = backbones.efficientnet_lite0(input_size=answer.input_shape[1])(pictures)
    gap = float(np.abs(np.asarray(answer(pictures)) - np.asarray(truth)).max())
    require(gap < 1e-3, "The shape is right, the features are not the pretrained ones: were the weights loaded?")
    return "The classifier is gone and the features are the pretrained ones, number for number."


@exercise
def thawed_top(model) -> str:
    """EfficientNet-Lite0 with the classifier and the last block before it trainable, batch normalisation frozen."""
    import keras

    from tlcourse.methods import freezing

    require(isinstance(model, keras.Model), f"Expected a keras.Model, got {type(model).__name__}.")
    free = [w.path for w in model.trainable_weights]
    require(
        bool(free),
        "Nothing is trainable: a frozen classifier cannot learn your classes. (If its layers say that they are "
        "trainable, look at the network's own flag: off, it overrules them.)",
    )
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    moving = [layer.name for layer in norms if layer.trainable]
    require(not moving, f"{len(moving)} batch normalisations are thawed: their statistics would move with every step.")
    blocks = {freezing.block_of(layer.name) for layer in model.layers if layer.trainable_weights}
    require("logits" in blocks, "The classifier is frozen: it starts from random numbers and has to learn.")
    require(blocks != {"logits"}, "That is a probe: only the classifier. The block before it was to be thawed too.")
    wanted = {"top_conv/kernel", "logits/kernel", "logits/bias"}
    missing = sorted(wanted - {"/".join(path.split("/")[-2:]) for path in free})
    require(not missing, f"Still frozen: {', '.join(missing)}.")
    extra = blocks - {"logits", "top"}
    require(not extra, f"Also thawed: {', '.join(sorted(extra))}. Count the blocks from the output.")
    return "Classifier and last block train, everything else, statistics included, stays."


@exercise
def kept_statistics(mend) -> str:
    """A function that thaws a nested backbone so that `fit` trains its kernels but leaves its statistics alone."""
    import keras

    from tlcourse.methods import freezing, training

    require(callable(mend), f"Expected a function that takes the backbone, got {type(mend).__name__}.")
    keras.utils.set_random_seed(0)
    base = _little_backbone()
    base.trainable = False
    inputs = keras.Input((8, 8, 3))
    model = keras.Model(inputs, keras.layers.Dense(2, name="logits")(base(inputs, training=False)))
    before = freezing.snapshot(base)
    mend(base)
    require(not freezing.changed(base, before), "`mend` itself overwrites weights: it should only say what may move.")
    pixels = np.random.default_rng(0).normal(3, 5, (16, 8, 8, 3)).astype("float32")
    expected = np.asarray(base(pixels, training=False))
    batch_statistics = np.asarray(base(pixels, training=True))
    _restore(base, before)
    training.fit(model, (pixels, np.arange(16) % 2), epochs=2, learning_rate=1e-2, batch_size=4, seed=0)
    moved = freezing.changed(base, before)
    require(
        not any("moving" in path for path in moved),
        "The moving statistics still changed: `training=False` in the call does not outlive `fit`, and "
        "`base.trainable = True` thaws the batch normalisations with the rest.",
    )
    kernels = {path for path in before if "kernel" in path}
    require(
        bool(kernels & set(moved)),
        "The statistics stay, but so do the kernels: nothing is fine-tuned. Thaw the backbone, then freeze only its "
        "batch normalisations.",
    )
    require(kernels <= set(moved), "Some kernels learn and some do not: thaw all of the backbone but its batch norms.")
    require(
        np.allclose(expected, batch_statistics, atol=1e-4),
        "The moving statistics stay, but in training the layer still normalises with those of the batch, so it learns "
        "with other numbers than it is tested with. A frozen BatchNormalization uses the stored ones in both.",
    )
    return "The kernels learn, the statistics are bit for bit what they were, and training and testing agree."


def _little_backbone():
    import keras
    from keras import layers

    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, use_bias=False, name="block1_conv")(inputs)
    x = layers.ReLU()(layers.BatchNormalization(name="block1_bn")(x))
    x = layers.Conv2D(4, 3, use_bias=False, name="block2_conv")(x)
    x = layers.ReLU()(layers.BatchNormalization(name="block2_bn")(x))
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(x), name="base")


def _restore(model, weights) -> None:
    for weight in model.weights:
        weight.assign(weights[weight.path])
