"""Checks of chapter 01: what is trainable, what `fit` changes, and what batch normalisation does meanwhile."""

import numpy as np

from tlcourse.classroom.checks.core import NotYet, exercise, expect, expect_function, require

_SHAPES = {
    (7, 7): "That is what one of the two slides prints. How many numbers can be added to 7 outputs?",
    (5, 7): "That is the kernel: a number for each pair of input and output. The bias has no inputs.",
    (5,): "One bias for each *input*? It is added after the inputs were summed, once an output.",
}


@exercise
def bias_shape(answer) -> str:
    """The shape of the bias of `Dense(7)` on five inputs, as a tuple or whatever Keras gives for it."""
    require(hasattr(answer, "__iter__") and not isinstance(answer, (str, dict)), "Expected a shape such as (2, 3), got "
            f"{answer!r}: write it in brackets.")  # fmt: skip
    shape = tuple(answer)
    require(shape not in _SHAPES, _SHAPES.get(shape, ""))
    require(shape == (7,), "The bias is added to the outputs: how many numbers is that, and in how many dimensions?")
    return "One number for each output. What prints (7, 7) cannot have come from this layer."


# Why each weight of the network of `moved_weights` but the last bias stays.
_STAYS = {
    "middle": "The middle layer is frozen: compile first, and `fit` leaves it alone.",
    "lower": "The lower layer *may* move. Did it? Compare a snapshot taken before `fit` with what is there afterwards; "
    "then look at the middle kernel, through which its gradient would come.",
    "upper/kernel": "The upper kernel *may* move. Did it? Compare a snapshot taken before `fit` with what is there "
    "afterwards; then look at what the middle layer hands up, of which its gradient is made.",
}


@exercise
def moved_weights(answer) -> str:
    """Paths of the weights that `fit` changes in three dense layers, the middle one frozen and all zeros."""
    iterable = hasattr(answer, "__iter__") and not isinstance(answer, np.ndarray)
    require(iterable, f"Expected paths of weights as a set or a list, got {answer!r}: see `freezing.changed`.")
    weights = [answer] if isinstance(answer, str) or hasattr(answer, "path") else list(answer)
    given = {"/".join(str(getattr(weight, "path", weight)).split("/")[-2:]) for weight in weights}
    layers = ("lower", "middle", "upper")
    known = {f"{layer}/{part}" for layer in layers for part in ("kernel", "bias")}
    for name in sorted(given):
        require(name not in layers, f"{name} is a layer, and has two weights: which of them?")
        require(name in known, f'Expected paths such as "lower/bias", got {name[:40]!r}.')
    require(bool(given), "No weight at all? Take the snapshot before `fit`, and compare after it.")
    for start, hint in _STAYS.items():
        require(not any(name.startswith(start) for name in given), hint)
    return "One of six. The middle kernel is all zeros: nothing comes up through it, and no gradient goes down."


_STEPS = ("compile", "fit", "freeze", "thaw")


@exercise
def two_stages(answer) -> str:
    """Steps out of compile, fit, freeze, thaw whose first `fit` spares the lower layer and whose last trains both."""
    expect(answer, (list, tuple, str), 'a list such as ["compile", "fit"]')
    words = answer.replace(",", " ").split() if isinstance(answer, str) else answer
    steps = [str(word).strip().lower() for word in words]
    unknown = [step for step in steps if step not in _STEPS]
    require(not unknown, f"Expected steps out of {', '.join(_STEPS)}, got {', '.join(unknown)[:80]!r}.")
    require(steps.count("fit") > 1, "Two stages are two calls of `fit`: one for the upper layer, one for both.")
    require(len(steps) <= 20, f"That are {len(steps)} steps; six are enough.")
    require("compile" in steps[: steps.index("fit")], "A network is compiled before it is fitted the first time.")
    moved = _moved_by_each_fit(steps)
    require(
        "lower" not in moved[0],
        "The first `fit` moves the lower layer too: it was not frozen before, or the program that ran is an old one.",
    )
    if "lower" not in moved[-1]:
        last = max(i for i, step in enumerate(steps) if step in ("freeze", "thaw"))
        require(steps[last] == "thaw", "The last `fit` leaves the lower layer alone: its flag still says frozen.")
        raise NotYet(
            "The last `fit` leaves the lower layer alone, though its flag says trainable: it ran the program of the "
            "fit before. What makes Keras trace anew?"
        )
    return "First the new layer alone, then both: the two stages of chapter 04. Each change of the flag is compiled."


def _moved_by_each_fit(steps: list[str]) -> list[set[str]]:
    """The layers that each `fit` moved when these steps are done in order to two dense layers."""
    import keras
    from keras import layers

    from tlcourse.methods import freezing

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(8, 5)), rng.normal(size=(8, 2))
    network = keras.Sequential([keras.Input((5,)), layers.Dense(7, name="lower"), layers.Dense(2, name="upper")])
    moved = []
    for step in steps:
        if step == "compile":
            network.compile("sgd", "mse")
        elif step == "fit":
            before = freezing.snapshot(network)
            network.fit(x, y, verbose=0)
            moved.append({path.split("/")[-2] for path in freezing.changed(network, before)})
        else:
            network.get_layer("lower").trainable = step == "thaw"
    return moved


@exercise
def features_of_the_backbone(answer) -> str:
    """A model from pictures to the 1,280 pooled features of EfficientNet-Lite0, without its classifier."""
    import keras

    from tlcourse.material import backbones

    expect(answer, keras.Model, "a keras.Model")
    shape = tuple(answer.output_shape)
    require(
        shape[-1] != 1000,
        "It still ends in the 1,000 ImageNet logits: `model.layers` is a fresh list at every call, so popping from it "
        "changes no model.",
    )
    require(len(shape) == 2, f"It ends in maps of shape {shape[1:]}: the picture's rows and columns are still there.")
    require(shape == (None, 1280), f"Expected 1,280 features a picture, this gives {shape[1:]}.")
    pictures = np.random.default_rng(0).integers(0, 256, (2, *answer.input_shape[1:])).astype("float32")
    truth = backbones.efficientnet_lite0(input_size=answer.input_shape[1])(pictures)
    gap = float(np.abs(np.asarray(answer(pictures)) - np.asarray(truth)).max())
    require(gap < 1e-3, "The shape is right, the features are not the pretrained ones: were the weights loaded?")
    return "The classifier is gone and the features are the pretrained ones, number for number."


@exercise
def thawed_top(model) -> str:
    """EfficientNet-Lite0 with the classifier and the last block before it trainable, batch normalisation frozen."""
    import keras

    from tlcourse.methods import freezing

    expect(model, keras.Model, "a keras.Model")
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
    require(
        _is_pretrained(model), "What is frozen is not the pretrained network: start from `network`, with its weights."
    )
    return "Classifier and last block train, everything else, statistics included, stays."


def _is_pretrained(model) -> bool:
    """Whether what is frozen in a network has the weights of EfficientNet-Lite0, bit for bit."""
    from tlcourse.material import backbones

    pretrained = {w.path: w.numpy() for w in backbones.efficientnet_lite0(input_size=96).weights}
    frozen = {"/".join(w.path.split("/")[-2:]): w.numpy() for w in model.non_trainable_weights}
    expected = pretrained.keys() - {"top_conv/kernel"}
    return frozen.keys() == expected and all(np.array_equal(frozen[path], pretrained[path]) for path in expected)


@exercise
def kept_statistics(mend) -> str:
    """A function that thaws any backbone so that `fit` trains its kernels but leaves its statistics alone."""
    expect_function(mend, "the backbone")
    _try(mend, _little_backbone())
    try:
        _try(mend, _little_backbone(nested=True))
    except AssertionError as hint:
        where = "Right for a flat backbone; but a layer can be a network itself, and then: "
        raise type(hint)(f"{where}{hint}") from None
    return "The kernels learn, the statistics are bit for bit what they were, and training and testing agree."


def _try(mend, base) -> None:
    """Raise `NotYet` unless `fit`, after `mend`, changes all kernels of a backbone and no statistic."""
    import keras

    from tlcourse.methods import freezing

    rng = np.random.default_rng(0)
    for weight in base.weights:  # as no new network has them, so that it shows when they are reset
        weight.assign(
            rng.uniform(0.5, 1.5, weight.shape) * (rng.choice([-1, 1], weight.shape) if "kernel" in weight.path else 1)
        )
    base.trainable = False
    inputs = keras.Input((8, 8, 3))
    # Without training=False, which a mended Keras (after 3.15) heeds: there the trap would never show.
    model = keras.Model(inputs, keras.layers.Dense(2, name="logits")(base(inputs)))
    before = freezing.snapshot(base)
    mend(base)
    require(not freezing.changed(base, before), "`mend` itself overwrites weights: it should only say what may move.")
    pixels = rng.normal(3, 5, (16, 8, 8, 3)).astype("float32")
    stored, batch = (np.asarray(base(pixels, training=training)) for training in (False, True))
    for weight in base.weights:
        weight.assign(before[weight.path])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-2), loss, run_eagerly=True)  # a few small steps: tracing would cost more
    model.fit(pixels, np.arange(16) % 2, batch_size=4, epochs=2, verbose=0, shuffle=False)
    moved = set(freezing.changed(base, before))
    statistics, kernels = ({path for path in before if word in path} for word in ("moving", "kernel"))
    require(
        not statistics <= moved,
        "The moving statistics still changed: what the call said does not outlive `fit` in every Keras, and "
        "`base.trainable = True` thaws the batch normalisations with the rest.",
    )
    require(
        not statistics & moved,
        "The moving statistics of some batch normalisations still changed: not all were found. Their names differ from "
        "backbone to backbone.",
    )
    require(bool(kernels & moved), "The statistics stay, but so do the kernels: nothing is fine-tuned.")
    still = sorted(path.split("/")[-2] for path in kernels - moved)
    require(not still, f"Some kernels learn and some do not, here {', '.join(still)}: convolutions are of many kinds.")
    require(
        np.allclose(stored, batch, atol=1e-4),
        "The moving statistics stay, but in training the layer still normalises with those of the batch, so it learns "
        "with other numbers than it is tested with.",
    )


def _little_backbone(*, nested: bool = False):
    """A convolution of each kind, with batch normalisations of different names; nested, half of it in a network."""
    import keras
    from keras import layers

    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, use_bias=False, name="stem_conv")(inputs)
    x = middle = layers.ReLU()(layers.BatchNormalization(name="stem_bn")(x))
    if nested:
        middle = keras.Input(x.shape[1:])
    y = layers.DepthwiseConv2D(3, use_bias=False, name="block1_depthwise")(middle)
    y = layers.ReLU()(layers.BatchNormalization(name="block1_norm")(y))
    y = layers.Dense(4, use_bias=False, name="block2_dense")(y)
    y = layers.ReLU()(layers.BatchNormalization(name="block2_BN")(y))
    y = keras.Model(middle, y, name="inside")(x) if nested else y
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(y), name="base")
