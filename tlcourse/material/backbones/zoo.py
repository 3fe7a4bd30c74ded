"""Any network of `keras.applications`, for who has a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlcourse.material import assets

if TYPE_CHECKING:
    import keras

OFFLINE_CHOICE = "backbones.efficientnet_lite0()"


def keras_application(
    name: str = "MobileNetV2", *, input_size: int = 224, weights: str | None = "imagenet"
) -> keras.Model:
    """Any network of `keras.applications` without its classifier, with its own preprocessing built in.

    Args:
        name: as `keras.applications` spells it, e.g. "MobileNetV2", "ResNet50", "VGG16".
        input_size: height and width of the pictures in pixels.
        weights: "imagenet" downloads them the first time (needs the network); None for random ones.

    Returns:
        A `keras.Model` from `(n, input_size, input_size, 3)` RGB pictures in [0, 255] to pooled features.

    Raises:
        ValueError: there is no such network; the message lists those there are.
        AssetError: the weights are not on this machine and cannot be downloaded; the message names the offline choice.
    """
    import keras

    modules = (module for module in vars(keras.applications).values() if hasattr(module, "preprocess_input"))
    family = {key: module for module in modules for key in vars(module) if key[0].isupper()}
    if name not in family:
        raise ValueError(f"Expected one of {', '.join(sorted(family))}, got {name!r}: spell it as in that list.")
    shape = (input_size, input_size, 3)
    try:
        build = getattr(family[name], name)
        base = build(include_top=False, pooling="avg", weights=weights, input_shape=shape)
    except Exception as error:  # Keras wraps what urllib and the file system raise in a bare Exception
        if weights is None or "fetch failure" not in str(error).lower():
            raise
        raise assets.AssetError(
            f"The weights of {name} are not on this machine and the network did not give them: "
            f"go online once, or use {OFFLINE_CHOICE}, which needs no network."
        ) from error
    inputs = keras.Input(shape, name="pictures")
    return keras.Model(inputs, base(family[name].preprocess_input(inputs)), name=f"{base.name}_features")
