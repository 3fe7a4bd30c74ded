"""The networks that the course starts from, pretrained or not, each one call away."""

from tlcourse.material.backbones.efficientnet import efficientnet_lite0
from tlcourse.material.backbones.sentence_bert import minilm, tokenize
from tlcourse.material.backbones.small import small_cnn
from tlcourse.material.backbones.zoo import keras_application

__all__ = ["efficientnet_lite0", "keras_application", "minilm", "small_cnn", "tokenize"]
