"""EfficientNet-Lite as a plain Keras functional model.

The architecture is MobileNetV2's inverted residual, scaled as in Tan and Le (2019, "EfficientNet: Rethinking Model
Scaling for Convolutional Neural Networks", table 1), in the "Lite" variant: no squeeze-and-excitation, ReLU6 instead
of swish, and stem and top of fixed width. Read it from `build`, which is the network, upwards: the two functions above
it are its bricks. Below it is the door, `efficientnet_lite0`, which fills it with the published weights.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tlcourse.material import assets

if TYPE_CHECKING:
    import keras

# (expansion, kernel, stride, channels, repeats) of the seven stages.
STAGES = ((1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3), (6, 5, 1, 112, 3),
          (6, 5, 2, 192, 4), (6, 3, 1, 320, 1))  # fmt: skip

# (width multiplier, depth multiplier, resolution it was trained at)
VARIANTS = {"lite0": (1.0, 1.0, 224), "lite1": (1.0, 1.1, 240), "lite2": (1.1, 1.2, 260)}


def _scaled_stages(width, depth):
    """The stages' sizes after scaling; the first and the last stage keep their number of repeats."""
    for i, (expansion, kernel, stride, channels, repeats) in enumerate(STAGES):
        # Channels stay multiples of 8, and are never rounded down by more than a tenth.
        rounded = max(8, int(channels * width + 4) // 8 * 8)
        rounded += 8 * (rounded < 0.9 * channels * width)
        fixed = i in (0, len(STAGES) - 1)
        yield expansion, kernel, stride, rounded, repeats if fixed else math.ceil(depth * repeats)


def _conv_bn(x, name, filters=None, kernel=1, stride=1, relu=True, momentum=0.99):
    """Convolution (depthwise where `filters` is None), batch normalisation, and ReLU6 unless told not to."""
    from keras import layers

    shape = {"strides": stride, "padding": "same", "use_bias": False}
    if filters is None:
        x = layers.DepthwiseConv2D(kernel, **shape, name=f"{name}_conv")(x)
    else:
        x = layers.Conv2D(filters, kernel, **shape, name=f"{name}_conv")(x)
    x = layers.BatchNormalization(epsilon=1e-3, momentum=momentum, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x) if relu else x


def _inverted_residual(x, name, expansion, kernel, stride, channels, momentum):
    """Widen (1×1), filter each channel by itself (k×k), narrow (1×1); add the input where the shapes agree."""
    from keras import layers

    start = x
    if expansion > 1:
        x = _conv_bn(x, f"{name}_expand", filters=expansion * x.shape[-1], momentum=momentum)
    x = _conv_bn(x, f"{name}_depthwise", kernel=kernel, stride=stride, momentum=momentum)
    x = _conv_bn(x, f"{name}_project", filters=channels, relu=False, momentum=momentum)
    if stride == 1 and start.shape[-1] == channels:
        x = layers.Add(name=f"{name}_add")([start, x])
    return x


def build(
    variant: str = "lite0", *, input_size: int | None = None, classes: int | None = 1000, momentum: float = 0.99
) -> keras.Model:
    """The untrained network as a `keras.Model`.

    Args:
        variant: "lite0", "lite1" or "lite2".
        input_size: height and width of the pictures in pixels; the size that the variant was trained at if None.
        classes: number of logits; None leaves the classifier out, and the model ends at the 1,280 pooled features.
        momentum: share of the batch norms' moving statistics that a training step keeps. After n steps momentum**n of
            them is still what they were before the first: a short training from scratch needs a smaller one.

    Returns:
        A model from `(n, input_size, input_size, 3)` RGB pictures with values in [0, 255] (it scales them itself) to
        `(n, classes)` logits or `(n, 1280)` features. Its layers are named `stem_*`, `block1a_*` … `block7a_*`,
        `top_*`, `pool` and `logits`.
    """
    import keras
    from keras import layers

    width, depth, trained_at = VARIANTS[variant]
    size = input_size or trained_at
    inputs = keras.Input((size, size, 3), name="pictures")
    x = layers.Rescaling(1 / 128, offset=-127 / 128, name="rescale")(inputs)
    x = _conv_bn(x, "stem", filters=32, kernel=3, stride=2, momentum=momentum)
    for stage, (expansion, kernel, stride, channels, repeats) in enumerate(_scaled_stages(width, depth), start=1):
        for repeat in range(repeats):
            name = f"block{stage}{'abcdefgh'[repeat]}"
            x = _inverted_residual(x, name, expansion, kernel, stride if repeat == 0 else 1, channels, momentum)
    x = _conv_bn(x, "top", filters=1280, momentum=momentum)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    if classes is not None:
        x = layers.Dense(classes, name="logits")(x)
    return keras.Model(inputs, x, name=f"efficientnet_{variant}")


def efficientnet_lite0(
    *, classes: int | None = None, weights: str | None = "imagenet", input_size: int = 224
) -> keras.Model:
    """EfficientNet-Lite0 (Tan and Le, 2019), trained on ImageNet's 1.28 million photographs.

    Args:
        classes: None ends the model at its 1,280 pooled features; 1000 keeps ImageNet's own classifier; any other
            number puts a new, random classifier on top.
        weights: "imagenet", or None for random ones (training from scratch): then the batch norms' moving statistics
            follow within some dozens of steps (momentum 0.9), where ImageNet's training had thousands (0.99).
        input_size: height and width of the pictures in pixels, at least 32. Trained at 224; smaller is faster.

    Returns:
        A `keras.Model` from `(n, input_size, input_size, 3)` RGB pictures in [0, 255] to `(n, 1280)` features or
        `(n, classes)` logits. Scaling is inside: feed it pixels.

    Raises:
        AssetError: the weights are missing or damaged; the message names the command that mends it.
        ValueError: an argument is out of range.
    """
    if weights not in ("imagenet", None):
        raise ValueError(f'Expected weights "imagenet" or None, got {weights!r}: use None to train from scratch.')
    if input_size < 32:
        raise ValueError(f"Expected pictures of at least 32 pixels, got input_size={input_size}: enlarge them first.")
    if classes is not None and classes < 1:
        raise ValueError(f"Expected at least 1 class or None, got classes={classes}: count your classes.")
    momentum = 0.99 if weights else 0.9
    model = build("lite0", input_size=input_size, classes=classes, momentum=momentum)
    if weights == "imagenet":
        _load_by_name(model, assets.path("efficientnet_lite0"))
    return model


def _load_by_name(model, path) -> None:
    """Fill every layer that the trained network has too; a new classifier of another width stays as it is."""
    trained = build("lite0", input_size=32)
    trained.load_weights(path)
    wanted = {layer.name: layer for layer in model.layers}
    for layer in trained.layers:
        ours = wanted.get(layer.name)
        if ours is not None and [w.shape for w in ours.weights] == [w.shape for w in layer.weights]:
            ours.set_weights(layer.get_weights())
