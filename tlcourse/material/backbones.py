"""The networks that the course starts from, pretrained or not, each one call away."""

from tlcourse.material import assets

OFFLINE_CHOICE = "backbones.efficientnet_lite0()"


def efficientnet_lite0(*, classes: int | None = None, weights: str | None = "imagenet", input_size: int = 224):
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
    from tlcourse.material import efficientnet

    if weights not in ("imagenet", None):
        raise ValueError(f'Expected weights "imagenet" or None, got {weights!r}: use None to train from scratch.')
    if input_size < 32:
        raise ValueError(f"Expected pictures of at least 32 pixels, got input_size={input_size}: enlarge them first.")
    if classes is not None and classes < 1:
        raise ValueError(f"Expected at least 1 class or None, got classes={classes}: count your classes.")
    momentum = 0.99 if weights else 0.9
    model = efficientnet.build("lite0", input_size=input_size, classes=classes, momentum=momentum)
    if weights == "imagenet":
        _load_by_name(model, assets.path("efficientnet_lite0"))
    return model


def _load_by_name(model, path) -> None:
    """Fill every layer that the trained network has too; a new classifier of another width stays as it is."""
    from tlcourse.material import efficientnet

    trained = efficientnet.build("lite0", input_size=32)
    trained.load_weights(path)
    wanted = {layer.name: layer for layer in model.layers}
    for layer in trained.layers:
        ours = wanted.get(layer.name)
        if ours is not None and [w.shape for w in ours.weights] == [w.shape for w in layer.weights]:
            ours.set_weights(layer.get_weights())


def minilm(*, length: int | None = None, weights: str | None = "sentences"):
    """all-MiniLM-L6-v2 (Wang et al., 2020; Reimers and Gurevych, 2019), trained on a billion pairs of sentences.

    Args:
        length: number of tokens of every text; None leaves it open.
        weights: "sentences", or None for random ones.

    Returns:
        A `keras.Model` from `(n, length)` int32 tokens (see `minilm.tokenize`) to `(n, 384)` embeddings of length 1.

    Raises:
        AssetError: the weights are missing or damaged; the message names the command that fetches them.
        ValueError: `weights` is something else.
    """
    from tlcourse.material import minilm as architecture

    if weights not in ("sentences", None):
        raise ValueError(f'Expected weights "sentences" or None, got {weights!r}: use None to train from scratch.')
    model = architecture.build(length=length)
    if weights == "sentences":
        architecture.load_original(model)
    return model


def small_cnn(*, classes: int, input_size: int = 32, channels: int = 3, width: int = 32):
    """Three convolutions and one dense layer: small enough to train from scratch in seconds.

    Args:
        classes: number of logits.
        input_size: height and width of the pictures in pixels, at least 8.
        channels: 3 for colour, 1 for grey.
        width: filters of the first convolution; the next ones have twice and four times as many.

    Returns:
        A `keras.Model` from `(n, input_size, input_size, channels)` pictures in [0, 255] to `(n, classes)` logits.
    """
    import keras
    from keras import layers

    inputs = keras.Input((input_size, input_size, channels), name="pictures")
    x = layers.Rescaling(1 / 127.5, offset=-1, name="rescale")(inputs)
    for i, filters in enumerate((width, 2 * width, 4 * width), start=1):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"conv{i}")(x)
        x = layers.MaxPooling2D(name=f"halve{i}")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, layers.Dense(classes, name="logits")(x), name="small_cnn")


def keras_application(name: str = "MobileNetV2", *, input_size: int = 224, weights: str | None = "imagenet"):
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
