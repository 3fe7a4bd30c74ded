"""all-MiniLM-L6-v2 as a plain Keras functional model: a six-layer BERT that turns a sentence into 384 numbers.

Architecture: Devlin et al. (2019, "BERT", section 3), distilled as in Wang et al. (2020, "MiniLM") and trained on
sentence pairs as in Reimers and Gurevych (2019, "Sentence-BERT", eq. 1 for the mean over tokens).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from tlcourse.material import assets

if TYPE_CHECKING:
    import keras

LAYERS, HEADS, HEAD_DIM, WIDTH, HIDDEN, VOCABULARY, POSITIONS = 6, 12, 32, 384, 1536, 30522, 512


def tokenize(texts: Iterable[str], *, length: int = 64) -> np.ndarray:
    """Split texts into word pieces (WordPiece, lower case) and number them.

    Args:
        texts: any strings; unknown characters become [UNK], an empty string only [CLS] and [SEP].
        length: number of tokens a text is cut or padded to, 2 to 512; the padding is 0.

    Returns:
        `(n, length)` int32, values in [0, 30522).

    Raises:
        TypeError: `texts` is one string, or holds something that is no string.
        ValueError: `length` is out of range.
    """
    from tokenizers import Tokenizer

    if isinstance(texts, str):
        raise TypeError(f"Expected a list of texts, got the single text {texts[:40]!r}: put it in a list.")
    texts = list(texts)
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            kind = type(text).__name__
            raise TypeError(f"Expected texts, got {text!r} ({kind}) at position {i}: remove or convert it.")
    if not 2 <= length <= POSITIONS:
        raise ValueError(f"Expected a length from 2 to {POSITIONS} tokens, got {length}: choose one in that range.")
    tokenizer = Tokenizer.from_file(str(assets.path("minilm_tokenizer")))
    tokenizer.enable_truncation(length)
    tokenizer.enable_padding(length=length)
    ids = [encoding.ids for encoding in tokenizer.encode_batch([str(text) for text in texts])]
    return np.array(ids, "int32").reshape(len(texts), length)


def _normalised(x, name):
    from keras import layers

    return layers.LayerNormalization(epsilon=1e-12, name=name)(x)


def _transformer_layer(x, mask, name):
    """Every token looks at every other (attention), then is transformed by itself; each time added to what it was."""
    from keras import layers

    attended = layers.MultiHeadAttention(HEADS, HEAD_DIM, name=f"{name}_attention")(x, x, attention_mask=mask)
    x = _normalised(layers.Add(name=f"{name}_attention_add")([x, attended]), f"{name}_attention_norm")
    hidden = layers.Dense(HIDDEN, activation="gelu", name=f"{name}_expand")(x)  # Keras's "gelu" is the exact one
    hidden = layers.Dense(WIDTH, name=f"{name}_project")(hidden)
    return _normalised(layers.Add(name=f"{name}_add")([x, hidden]), f"{name}_norm")


def build(*, length: int | None = None) -> keras.Model:
    """The untrained network as a `keras.Model`.

    Args:
        length: number of tokens of a text; None leaves it open (a batch then only needs to agree in itself).

    Returns:
        A model from `(n, length)` int32 token numbers, 0 for padding, to `(n, 384)` sentence embeddings of length 1.
        Its layers are named `words`, `positions`, `layer1_attention` … `layer6_norm`, `mean`, `unit`.
    """
    import keras
    from keras import layers, ops

    ids = keras.Input((length,), dtype="int32", name="tokens")
    real = ops.not_equal(ids, 0)
    positions = ops.cumsum(ops.ones_like(ids), axis=1) - 1
    x = layers.Embedding(VOCABULARY, WIDTH, name="words")(ids)
    x = layers.Add(name="add_positions")([x, layers.Embedding(POSITIONS, WIDTH, name="positions")(positions)])
    x = _normalised(x, "embedding_norm")
    for i in range(1, LAYERS + 1):
        x = _transformer_layer(x, real[:, None, :], f"layer{i}")
    x = layers.GlobalAveragePooling1D(name="mean")(x, mask=real)
    x = layers.UnitNormalization(name="unit")(x)
    return keras.Model(ids, x, name="minilm")


def _original_weights(tensors, i: int):
    """Yields (our layer's name, its weights) for transformer layer `i`, from the original's tensors."""
    start = f"encoder.layer.{i}."

    def kernel_and_bias(name):
        return [tensors[f"{start}{name}.weight"].T, tensors[f"{start}{name}.bias"]]

    def norm(name):
        return [tensors[f"{start}{name}.LayerNorm.weight"], tensors[f"{start}{name}.LayerNorm.bias"]]

    attention = []
    for part in ("query", "key", "value"):  # Keras keeps the heads apart: (width, heads, head_dim)
        kernel, bias = kernel_and_bias(f"attention.self.{part}")
        attention += [kernel.reshape(WIDTH, HEADS, HEAD_DIM), bias.reshape(HEADS, HEAD_DIM)]
    kernel, bias = kernel_and_bias("attention.output.dense")
    ours = f"layer{i + 1}"
    yield f"{ours}_attention", [*attention, kernel.reshape(HEADS, HEAD_DIM, WIDTH), bias]
    yield f"{ours}_attention_norm", norm("attention.output")
    yield f"{ours}_expand", kernel_and_bias("intermediate.dense")
    yield f"{ours}_project", kernel_and_bias("output.dense")
    yield f"{ours}_norm", norm("output")


class _Lazily:
    """A file of tensors as a mapping that reads one at a time: together they fill 90 MB."""

    def __init__(self, file: Any):
        self.file = file

    def __getitem__(self, name: str) -> np.ndarray:
        return self.file.get_tensor(name)


def load_original(model: keras.Model) -> None:
    """Fill a model from `build` with the published weights.

    Raises:
        AssetError: the weights are missing or damaged; the message names the command that fetches them.
    """
    from safetensors import safe_open

    tensors = _Lazily(safe_open(assets.path("minilm"), framework="numpy"))
    kind = tensors["embeddings.token_type_embeddings.weight"][0]  # one kind of text only, so its row is a constant
    model.get_layer("words").set_weights([tensors["embeddings.word_embeddings.weight"]])
    model.get_layer("positions").set_weights([tensors["embeddings.position_embeddings.weight"] + kind])
    norm = [tensors[f"embeddings.LayerNorm.{field}"] for field in ("weight", "bias")]
    model.get_layer("embedding_norm").set_weights(norm)
    for i in range(LAYERS):
        for name, weights in _original_weights(tensors, i):
            model.get_layer(name).set_weights(weights)


def minilm(*, length: int | None = None, weights: str | None = "sentences") -> keras.Model:
    """all-MiniLM-L6-v2 (Wang et al., 2020; Reimers and Gurevych, 2019), trained on a billion pairs of sentences.

    Args:
        length: number of tokens of every text; None leaves it open.
        weights: "sentences", or None for random ones.

    Returns:
        A `keras.Model` from `(n, length)` int32 tokens (see `tokenize`) to `(n, 384)` embeddings of length 1.

    Raises:
        AssetError: the weights are missing or damaged; the message names the command that fetches them.
        ValueError: `weights` is something else.
    """
    if weights not in ("sentences", None):
        raise ValueError(f'Expected weights "sentences" or None, got {weights!r}: use None to train from scratch.')
    model = build(length=length)
    if weights == "sentences":
        load_original(model)
    return model
