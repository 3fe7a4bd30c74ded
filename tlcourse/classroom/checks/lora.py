"""Checks of chapter 08: the break-even rank, merging by hand, and an adapter that comes too late."""

import numpy as np

from tlcourse.classroom.checks.core import Question, exercise, expect_function, numeric, require


@numeric
def break_even(d, k) -> Question:
    """The largest rank at which A and B together have fewer numbers than the kernel `(d, k)`."""
    truth = (d * k - 1) // (d + k)
    return Question(
        truth,
        {
            truth + 1: "At that rank A and B already have as many numbers as the kernel, or more.",
            d * k / (d + k): "A rank is a whole number: is this one rounded up or down?",
            min(d, k): "That is the largest rank that such a matrix can have. Long before, A and B have more numbers "
            "than the kernel.",
            d + k: "That is how many numbers a pair of rank 1 has. How often does that fit into the kernel?",
            d * k: "That is how many numbers the kernel has. What is asked is a rank.",
        },
        otherwise="How many numbers has A of this rank, how many B, and how many the kernel?",
        praise=f"At rank {{}} the pair has {truth * (d + k):,} numbers, the kernel {d * k:,}; one rank more ends that.",
    )


@exercise
def merged_kernel(answer, layer) -> str:
    """The kernel that makes a plain layer compute what the adapted `layer` computes."""
    kernel, a, b = (np.asarray(w, "float64") for w in (layer._kernel, layer.lora_kernel_a, layer.lora_kernel_b))
    one = f"Expected one matrix of the kernel's shape {kernel.shape}, got"
    require(not isinstance(answer, (tuple, dict)), f"{one} a {type(answer).__name__}: put it together.")
    answer = np.asarray(answer, "float64")
    require(answer.shape == kernel.shape, f"{one} the shape {answer.shape}.")
    product, scale = a @ b, layer.lora_alpha / layer.lora_rank

    def near(other) -> bool:
        return bool(np.abs(answer - other).max() < 1e-5)

    require(np.abs(scale * product).max() > 1e-3, "B is still zero: there is nothing to merge. Run the cells above.")
    require(not near(kernel), "That is the frozen kernel, without its update.")
    require(not near(scale * product), "That is the update alone: it is *added* to the frozen kernel.")
    require(not near(kernel + product), "The scale is missing: such a sum would be right for alpha = r only.")
    require(not near(kernel + layer.lora_alpha * product), "alpha is there, but it has to be divided by the rank.")
    require(not near(kernel - scale * product), "The update is added, not taken away.")
    require(near(kernel + scale * product), "It computes something else than the adapted layer: see order and scale.")
    return "One kernel, as large as before, and the adapter is gone: at test time LoRA costs nothing."


@exercise
def adapted_in_time(mend) -> str:
    """A function that puts LoRA on a dense layer between two calls of `fit`, so that the second trains it alone."""
    import keras

    from tlcourse.methods import freezing

    expect_function(mend, "the model")
    keras.utils.set_random_seed(0)
    model = little_classifier()
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(32, 8)).astype("float32"), np.arange(32) % 2
    body, head = model.get_layer("body"), model.get_layer("logits")
    body.trainable = False
    model.compile(keras.optimizers.Adam(1e-2), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x, y, batch_size=8, verbose=0, shuffle=False)
    before, outputs = freezing.snapshot(model), np.asarray(model(x))
    mend(model)
    require(getattr(body, "lora_enabled", False), "The layer `body` has no adapter: call its `enable_lora`.")
    require(
        np.abs(np.asarray(model(x)) - outputs).max() < 1e-5,
        "Right after `mend` the model computes something else than before: an adapter must begin with A B = 0, and "
        "nothing else may be touched.",
    )
    before |= {w.path: np.array(w.numpy()) for w in model.weights if w.path not in before}
    require(model.compiled, "The model is not compiled: `fit` would not know what to do.")
    _learns_from_labels(model, x, y)
    model.fit(x, y, batch_size=8, epochs=2, verbose=0, shuffle=False)
    moved = set(freezing.changed(model, before))
    _say_what_is_wrong(body, head, moved)
    return "The adapter and the head learn, and of the layer itself not one bit moves."


def _learns_from_labels(model, x, y) -> None:
    """Raise `NotYet` unless the model was compiled with the cross-entropy of integer labels and logits."""
    z = np.asarray(model(x), "float64")
    right = np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y])
    given = float(np.mean(model.compute_loss(x, y, model(x))))
    require(
        abs(given - right) < 1e-3,
        f"The model ends in logits and the labels are integers: the loss it is compiled with gives {given:.2f} where "
        f"their cross-entropy is {right:.2f}.",
    )


def _say_what_is_wrong(body, head, moved: set[str]) -> None:
    factors = {w.path for w in (body.lora_kernel_a, body.lora_kernel_b)}
    require(
        body._kernel.path not in moved,
        "The big kernel moved: that is full fine-tuning with an adapter beside it. Setting `trainable` to True on a "
        "layer after `enable_lora` thaws the kernel that `enable_lora` had frozen.",
    )
    thawed = all(w.trainable for w in (body.lora_kernel_a, body.lora_kernel_b)) and body.trainable
    zero = not (body.lora_kernel_a.numpy().any() or body.lora_kernel_b.numpy().any())
    require(not zero, "A and B are both zero, and so is the gradient of each: it passes through the other.")
    require(
        bool(factors & moved) or not thawed,
        "The adapter says that it is trainable, and it did not move: `fit` still runs the program that it traced "
        "before there was an adapter. Flags are read when the training step is traced.",
    )
    require(
        bool(factors & moved),
        "The adapter did not move, and compiling alone would not help: the layer was frozen for the first stage, and a "
        "frozen layer overrules the weights that it was given later.",
    )
    require(factors <= moved, "Only one of A and B moved: both have to learn.")
    require(
        body.bias.path not in moved,
        "The kernel stays, the adapter learns, and so does the layer's bias: `enable_lora` freezes the kernel only. "
        "What is stored as the adapter would not be all that changed.",
    )
    require({w.path for w in head.weights} <= moved, "The adapter learns, the head no longer does: keep it trainable.")


def little_classifier():
    """One dense layer named "body" and a head named "logits", from `(n, 8)` numbers to two logits."""
    import keras
    from keras import layers

    body, head = layers.Dense(16, activation="relu", name="body"), layers.Dense(2, name="logits")
    return keras.Sequential([keras.Input((8,)), body, head], name="little")
