"""New pictures of named classes: a variational autoencoder and an adversarial network, both told the class.

Both have the same small decoder. They differ in what it is trained for: the one has to give back what it was shown, the
other to be taken for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

HIDDEN = 256
RATES = {"vae": 1e-3, "gan": 1e-3}


class Generator:
    """What both have: a decoder from a random vector and a class to a picture, and steps that are compiled.

    Args:
        classes: how many there are.
        latent: numbers in the random vector.
        size: height and width of the pictures in pixels.
        seed: for the weights and for what is drawn while training.
    """

    def __init__(self, classes: int, *, latent: int = 8, size: int = 28, seed: int):
        import keras
        import tensorflow as tf

        keras.utils.set_random_seed(seed)
        self.classes, self.latent, self.size = classes, latent, size
        self.decoder = decoder(latent + classes, size=size)
        self.trained, self.optimizers = self.build()
        for weights, optimizer in zip(self.trained, self.optimizers, strict=True):
            optimizer.build(weights)
        self._random = tf.random.Generator.from_seed(seed)
        self._steps = tf.function(self._take)

    def build(self) -> tuple[list, list]:
        """Lists of weights, and an optimizer for each of them."""
        raise NotImplementedError

    def step(self, x: tf.Tensor, told: tf.Tensor) -> None:
        """One step on pictures `(n, size * size)` in [0, 1] and their classes, `(n, classes)` ones and zeros."""
        raise NotImplementedError

    def fit(self, x: np.ndarray, y: np.ndarray, order: np.ndarray) -> Generator:
        """Train on from where it is, a step for each row of `order`.

        Args:
            x: `(n, size, size, 1)` pictures in [0, 255].
            y: `(n,)` classes.
            order: `(steps, pictures in a step)`, numbers of the pictures.
        """
        import tensorflow as tf

        flat = np.asarray(x, "float32").reshape(len(x), -1) / 255
        self._steps(tf.constant(flat), tf.one_hot(y, self.classes), tf.constant(order, tf.int32))
        return self

    def _take(self, x: tf.Tensor, told: tf.Tensor, order: tf.Tensor) -> None:
        import tensorflow as tf

        for i in tf.range(tf.shape(order)[0]):
            self.step(tf.gather(x, order[i]), tf.gather(told, order[i]))

    def state(self) -> list[np.ndarray]:
        """All weights, to start another one from."""
        return [weight.numpy() for weights in self.trained for weight in weights]

    def start_from(self, state: Sequence[np.ndarray]) -> Generator:
        """Take over the weights of a generator of the same kind; what the optimizers remember begins anew."""
        weights = [weight for weights in self.trained for weight in weights]
        for weight, value in zip(weights, state, strict=True):
            weight.assign(value)
        return self

    def noise(self, n: tf.Tensor | int) -> tf.Tensor:
        """`(n, latent)` normal numbers; others each time."""
        return self._random.normal((n, self.latent))  # pyright: ignore[reportArgumentType]

    def decode(self, z: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The pictures `(n, size, size, 1) float32` in [0, 255] of random vectors `(n, latent)` and classes `(n,)`."""
        import tensorflow as tf

        told = tf.concat([tf.cast(z, tf.float32), tf.one_hot(y, self.classes)], axis=1)
        return 255 * tf.sigmoid(self.decoder(told)).numpy().reshape(-1, self.size, self.size, 1)

    def draw(self, y: np.ndarray, *, seed: int) -> np.ndarray:
        """A new picture of each class in `y`, `(n, size, size, 1) float32` in [0, 255]."""
        return self.decode(np.random.default_rng(seed).standard_normal((len(y), self.latent)), y)


class Vae(Generator):
    """A conditional variational autoencoder (Kingma and Welling, 2014; Sohn, Lee and Yan, 2015)."""

    def build(self) -> tuple[list, list]:
        """Encoder and decoder share an optimizer."""
        import keras

        self.encoder = dense(self.size**2 + self.classes, HIDDEN, HIDDEN, 2 * self.latent)
        weights = [*self.encoder.trainable_weights, *self.decoder.trainable_weights]
        return [weights], [keras.optimizers.Adam(RATES["vae"])]

    def step(self, x: tf.Tensor, told: tf.Tensor) -> None:
        """Down `vae_loss`."""
        import tensorflow as tf

        with tf.GradientTape() as tape:
            loss = vae_loss(self.encoder, self.decoder, x, told, self.noise(tf.shape(x)[0]))
        self.optimizers[0].apply(tape.gradient(loss, self.trained[0]), self.trained[0])


class Gan(Generator):
    """A conditional generative adversarial network (Goodfellow et al., 2014; Mirza and Osindero, 2014)."""

    def build(self) -> tuple[list, list]:
        """The critic's weights, and the decoder's."""
        import keras

        self.critic = critic(self.classes, size=self.size)
        weights = [self.critic.trainable_weights, self.decoder.trainable_weights]
        return weights, [keras.optimizers.Adam(RATES["gan"], beta_1=0.5) for _ in weights]

    def step(self, x: tf.Tensor, told: tf.Tensor) -> None:
        """First the critic, then the decoder, each down its own of `gan_losses`."""
        import tensorflow as tf

        for losing, (weights, optimizer) in enumerate(zip(self.trained, self.optimizers, strict=True)):
            with tf.GradientTape() as tape:
                loss = gan_losses(self.critic, self.decoder, x, told, self.noise(tf.shape(x)[0]))[losing]
            optimizer.apply(tape.gradient(loss, weights), weights)


def dense(inputs: int, *widths: int) -> keras.Model:
    """Dense layers of these widths, leaky rectifiers between them; the last has none."""
    import keras
    from keras import layers

    net = keras.Sequential([keras.Input((inputs,))])
    for width in widths[:-1]:
        net.add(layers.Dense(width, kernel_initializer="he_uniform"))
        net.add(layers.LeakyReLU(0.2))
    net.add(layers.Dense(widths[-1]))
    return net


def decoder(inputs: int, *, size: int) -> keras.Model:
    """From a random vector and a class to the logits of the pixels, `(n, size * size)`."""
    import keras
    from keras import layers

    quarter = size // 4
    return keras.Sequential([
        keras.Input((inputs,)),
        layers.Dense(quarter * quarter * 32, kernel_initializer="he_uniform"),
        layers.LeakyReLU(0.2),
        layers.Reshape((quarter, quarter, 32)),
        layers.Conv2DTranspose(16, 4, strides=2, padding="same", kernel_initializer="he_uniform"),
        layers.LeakyReLU(0.2),
        layers.Conv2DTranspose(1, 4, strides=2, padding="same"),
        layers.Flatten(),
    ])  # fmt: skip


def critic(classes: int, *, size: int) -> keras.Model:
    """From a picture and its class to a logit of how real it is: by the features that the class asks for.

    The logit is a sum over features, weighed in one way for all classes and in another for each (the projection of
    Miyato and Koyama, 2018, equation 3).
    """
    import keras
    from keras import layers

    pictures, told = keras.Input((size * size,)), keras.Input((classes,))
    x = layers.Reshape((size, size, 1))(pictures)
    for filters, kernel in ((16, 5), (32, 3)):
        x = layers.Conv2D(filters, kernel, strides=2, padding="same", kernel_initializer="he_uniform")(x)
        x = layers.LeakyReLU(0.2)(x)
    x = layers.Dropout(0.3)(layers.Flatten()(x))
    x = layers.LeakyReLU(0.2)(layers.Dense(64, kernel_initializer="he_uniform")(x))
    asked = layers.Dense(64, use_bias=False)(told)
    return keras.Model([pictures, told], layers.Add()([layers.Dense(1)(x), layers.Dot(axes=1)([x, asked])]))


def vae_loss(encoder: keras.Model, decoder: keras.Model, x: tf.Tensor, told: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
    """The negative evidence lower bound in nats a picture (Kingma and Welling, 2014, equation 10).

    Args:
        encoder: gives means and logarithms of variances, `(n, 2 * latent)`, of a picture and its class.
        decoder: gives logits of the pixels.
        x: `(n, pixels)` in [0, 1].
        told: `(n, classes)`, one where the class is.
        noise: `(n, latent)` standard normal.
    """
    import tensorflow as tf

    mean, log_variance = tf.split(encoder(tf.concat([x, told], axis=1)), 2, axis=1)
    z = mean + tf.exp(log_variance / 2) * noise
    logits = decoder(tf.concat([z, told], axis=1))
    unlike = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(x, logits), axis=1)
    far = 0.5 * tf.reduce_sum(mean**2 + tf.exp(log_variance) - log_variance - 1, axis=1)
    return tf.reduce_mean(unlike + far)


def gan_losses(
    critic: keras.Model, decoder: keras.Model, x: tf.Tensor, told: tf.Tensor, noise: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """What critic and decoder each want small (Goodfellow et al., 2014, section 3, the loss that does not saturate).

    Args:
        critic: gives a logit of how real a picture of that class is.
        decoder: gives logits of the pixels.
        x: `(n, pixels)` in [0, 1].
        told: `(n, classes)`, one where the class is.
        noise: `(n, latent)` standard normal.
    """
    import tensorflow as tf

    made = tf.sigmoid(decoder(tf.concat([noise, told], axis=1)))
    real, fake = (critic([pictures, told], training=True) for pictures in (x, made))
    said = tf.nn.sigmoid_cross_entropy_with_logits
    found_out = tf.reduce_mean(said(tf.ones_like(real), real) + said(tf.zeros_like(fake), fake))
    return found_out, tf.reduce_mean(said(tf.ones_like(fake), fake))
