"""What an experiment costs: arithmetic counted from the network, energy and carbon estimated from time."""

from math import prod


def flops(model) -> int:
    """Count the FLOPs of a Keras model's convolutions and dense layers for one input; a multiply-add counts as two.

    Args:
        model: a functional or sequential model with a fixed input size, models inside it included.

    Raises:
        ValueError: the input's size is not fixed, so that the number of positions is unknown.
    """
    import keras

    layers = keras.layers
    counted = (
        layers.Conv1D,
        layers.Conv2D,
        layers.Conv3D,
        layers.DepthwiseConv1D,
        layers.DepthwiseConv2D,
        layers.Dense,
    )
    total = 0
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            total += flops(layer)
        elif isinstance(layer, counted):
            shape = layer.output.shape[1:]
            if None in shape:
                raise ValueError(
                    f"The model's input size must be fixed to count FLOPs, but {layer.name} gives {shape}."
                )
            # Every weight of the kernel is used once at every position: all axes of the output but its channels.
            channels = shape[0] if getattr(layer, "data_format", "") == "channels_first" else shape[-1]
            total += 2 * prod(layer.kernel.shape) * (prod(shape) // channels)
    return total


def training_flops(lower: int, upper: int, *, pictures: int, epochs: int) -> int:
    """FLOPs of fine-tuning: the frozen part once, the trained part forwards and backwards in each epoch.

    Going backwards costs twice what going forwards does: one product for the gradient of a layer's weights, one for
    that of its input (Kaplan et al., 2020, section 2.1).

    Args:
        lower: FLOPs of the frozen part for one picture, 0 if there is none.
        upper: FLOPs of the trained part for one picture.
        pictures: how many there are to train on.
        epochs: how often each is seen.

    Raises:
        ValueError: one of them is negative.
    """
    if min(lower, upper, pictures, epochs) < 0:
        raise ValueError(f"Expected counts of 0 or more, got {lower}, {upper}, {pictures}, {epochs}: count again.")
    return pictures * (lower + 3 * upper * epochs)


def energy(seconds: float, *, watts: float) -> float:
    """Watt-hours of a processor that draws `watts` for so many seconds: an estimate, as no meter is read.

    Raises:
        ValueError: a negative time or power.
    """
    if seconds < 0 or watts < 0:
        raise ValueError(f"Expected a time and a power of 0 or more, got {seconds} s and {watts} W: check the units.")
    return watts * seconds / 3600


def carbon(watt_hours: float, *, intensity: float) -> float:
    """Grams of CO₂ for so much electricity.

    Args:
        watt_hours: energy.
        intensity: grams of CO₂ for each kilowatt-hour of the grid.

    Raises:
        ValueError: a negative energy or intensity.
    """
    if watt_hours < 0 or intensity < 0:
        raise ValueError(
            f"Expected an energy and an intensity of 0 or more, got {watt_hours} Wh and {intensity} g/kWh: check them."
        )
    return watt_hours / 1000 * intensity
