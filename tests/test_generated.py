"""Chapter 17: copies, the two generators' losses and the worlds of its experiments, recomputed another way."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
from inline import definition
from scipy import ndimage

from tlcourse.classroom import checks
from tlcourse.classroom.checks import NotYet
from tlcourse.experiments import collapse, generated_pictures, inherited_invariance, transformations
from tlcourse.methods import augmentation, generative, multitask

RNG = np.random.default_rng(17)
X = np.zeros((40, 28, 28, 1), "float32")
X[:, 8:20, 10:18] = 200  # bars with room around them
X[:, 8:12, 10:22] = 200


@pytest.mark.parametrize("name", augmentation.KEEPING + augmentation.BREAKING)
def test_a_copy_is_like_its_original_and_the_same_with_the_same_seed(name):
    before = X.copy()
    one, two, other = (augmentation.transformed(X, (name,), seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(X, before) and one.shape == X.shape and one.dtype == np.float32
    assert one.min() >= 0 and one.max() <= 255
    assert np.array_equal(one, two) and not np.array_equal(one, other)
    assert not np.allclose(one, X, atol=1)


@pytest.mark.parametrize("name", augmentation.KEEPING)
def test_strength_0_changes_nothing_and_more_changes_more(name):
    apart = [np.abs(augmentation.transformed(X, (name,), strength=s, seed=0) - X).mean() for s in (0.0, 0.25, 1.0)]
    assert apart[0] < 0.5 < apart[2] and apart[1] < apart[2]


def test_a_mirror_exchanges_left_and_right_in_about_half():
    made = augmentation.transformed(X, ("mirror",), seed=0)
    same, turned = ((made == other).all(axis=(1, 2, 3)) for other in (X, X[:, :, ::-1]))
    assert (same | turned).all() and 8 < turned.sum() < 32


@pytest.mark.parametrize("name", ["shift", "turn", "size", "slant", "elastic"])
def test_what_moves_ink_makes_none(name):
    made = augmentation.transformed(X, (name,), seed=0)
    ink = made.sum(axis=(1, 2, 3)) / X.sum(axis=(1, 2, 3))
    assert 0.5 < ink.min() and ink.max() < 1.6


def test_a_shift_stays_within_a_tenth_of_the_picture():
    made = augmentation.transformed(X, ("shift",), seed=0)
    moved = [np.subtract(ndimage.center_of_mass(a[..., 0]), ndimage.center_of_mass(X[0, ..., 0])) for a in made]
    assert 1.5 < np.abs(moved).max() <= 2.81


def test_strokes_get_thicker_and_thinner_alike():
    ink = augmentation.strokes(np.repeat(X, 20, axis=0), share=2 / 3, seed=0).sum(axis=(1, 2, 3)) / X[0].sum()
    shares = [np.mean(ink > 1.01), np.mean(ink < 0.99)]
    assert np.allclose(shares, 1 / 3, atol=0.06)


def test_a_name_that_is_none_is_refused():
    with pytest.raises(ValueError, match=r"Expected some of shift, .*, got 'twist': leave it out"):
        augmentation.transformed(X, ("shift", "twist"), seed=0)


def test_chapter_17_bends_as_the_package_does():
    inline = definition("17", "bent")
    assert np.allclose(inline(X, pixels=1.5, seed=3), augmentation.bent(X, pixels=1.5, seed=3), atol=1e-4)


def five_pictures():
    """Of nine pixels each, the classes that are told, and two random numbers for each."""
    x, noise = RNG.random((5, 9)).astype("float32"), RNG.standard_normal((5, 2)).astype("float32")
    return x, np.eye(5, 4, dtype="float32"), noise


def linear(width, *, seed):
    kernel = tf.constant(np.random.default_rng(seed).normal(0, 0.3, width).astype("float32"))
    return lambda x: x @ kernel


@pytest.mark.parametrize("of", ["notebook", "package"])
def test_the_autoencoders_loss_is_the_bound_of_its_paper(of):
    """Against a Bernoulli's log-likelihood, and the divergence of two normals by numerical integration."""
    vae_loss = generative.vae_loss if of == "package" else definition("17", "vae_loss", tf=tf)
    x, told, noise = five_pictures()
    encoder, decoder = linear((13, 4), seed=1), linear((6, 9), seed=2)
    mean, log_variance = np.split(encoder(np.concatenate([x, told], axis=1)).numpy(), 2, axis=1)
    deviation = np.exp(log_variance / 2)
    p = 1 / (1 + np.exp(-decoder(np.concatenate([mean + deviation * noise, told], axis=1)).numpy()))
    likely = (x * np.log(p) + (1 - x) * np.log(1 - p)).sum(axis=1)
    grid = np.linspace(-12, 12, 20_001)
    far = np.zeros(5)
    for i, j in np.ndindex(mean.shape):
        q = scipy.stats.norm(mean[i, j], deviation[i, j])
        far[i] += np.trapezoid(q.pdf(grid) * (q.logpdf(grid) - scipy.stats.norm.logpdf(grid)), grid)
    assert float(vae_loss(encoder, decoder, x, told, noise)) == pytest.approx(np.mean(far - likely), rel=1e-4)


@pytest.mark.parametrize("of", ["notebook", "package"])
def test_the_adversarial_losses_are_those_of_their_paper(of):
    gan_losses = generative.gan_losses if of == "package" else definition("17", "gan_losses", tf=tf)
    x, told, noise = five_pictures()
    opinion, decoder = linear((13, 1), seed=3), linear((6, 9), seed=4)

    def critic(pair, training):
        assert training
        return opinion(tf.concat(pair, axis=1))

    made = 1 / (1 + np.exp(-decoder(np.concatenate([noise, told], axis=1)).numpy()))
    real, fake = (1 / (1 + np.exp(-opinion(np.concatenate([p, told], axis=1)).numpy())) for p in (x, made))
    found_out, taken = gan_losses(critic, decoder, x, told, noise)
    assert float(found_out) == pytest.approx(-np.mean(np.log(real) + np.log(1 - fake)), rel=1e-4)
    assert float(taken) == pytest.approx(-np.mean(np.log(fake)), rel=1e-4)


@pytest.mark.parametrize("kind", [generative.Vae, generative.Gan])
def test_a_generator_draws_what_it_was_shown_and_can_be_carried(kind):
    """Two classes, one bright above and one below: told the class, it draws the right half."""
    y = np.arange(60) % 2
    x = np.zeros((60, 8, 8, 1), "float32")
    x[y == 0, :4], x[y == 1, 4:] = 255, 255
    generator = kind(2, latent=2, size=8, seed=0)
    generator.fit(x, y, multitask.batches([np.arange(60)], 1000, batch=16, seed=0))
    drawn = generator.draw(y, seed=1)
    assert drawn.shape == x.shape and 0 <= drawn.min() and drawn.max() <= 255
    above = drawn[:, :4].mean(axis=(1, 2, 3)) > drawn[:, 4:].mean(axis=(1, 2, 3))
    assert np.mean(above == (y == 0)) > 0.95
    other = kind(2, latent=2, size=8, seed=5)
    assert not np.allclose(other.draw(y, seed=1), drawn)
    assert np.allclose(other.start_from(generator.state()).draw(y, seed=1), drawn, atol=1e-3)


def test_no_family_of_fonts_trains_and_tests():
    """By the pictures themselves: each font is found again, and its family looked up."""
    from tlcourse.material import data

    glyphs = data.glyphs(transformations.LETTERS)
    number = {glyphs.images[i, :26].tobytes(): i for i in range(len(glyphs.images))}
    families = np.array(glyphs.families)

    def of(pictures):
        return {families[number[font.tobytes()]] for font in pictures.reshape(-1, 26, 28, 28)}

    few, _, test, _ = transformations.world(3)
    assert not of(few) & of(test)
    source, target, test, rest = (pair[0] for pair in generated_pictures.world(3))
    assert not of(source) & of(test) and not of(target) & of(test) and not of(source) & of(target)
    assert {number[f.tobytes()] for f in rest.reshape(-1, 26, 28, 28)}.isdisjoint(
        {number[f.tobytes()] for f in test.reshape(-1, 26, 28, 28)}
    )
    shown, judged_by = (pair[0] for pair in collapse.world(3))
    assert not of(shown) & of(judged_by)
    _, _, (few, _), (test, _) = inherited_invariance.world(3)
    assert not of(few) & of(test)


def test_scores_count_twins_by_their_letters():
    y = np.repeat(np.arange(26), 2)
    named = y.copy()
    b, d, e = (transformations.LETTERS.index(letter) for letter in "bde")
    named[2 * b], named[2 * d], named[2 * e] = d, e, b  # a b for a d, a d for an e, an e for a b
    found = transformations.scores(y, np.eye(26)[named])
    assert found == {"accuracy": pytest.approx(100 * 49 / 52), "twins": 75.0, "mirrored": 12.5}


def test_classes_are_covered_that_come_often_enough():
    named = np.repeat([0, 1, 2, 3], [90, 6, 4, 0])
    assert collapse.covered(named, 4) == 2  # a fifth of 25 is 5


def test_copies_are_told_from_new_pictures():
    real = RNG.uniform(0, 255, (20, 6, 6, 1)), np.arange(20) % 4
    judge = type("Judge", (), {"logits": lambda self, task, x: np.eye(4)[np.arange(len(x)) % 4]})()
    same = generated_pictures.seen(real[0], real[1], real, judge)
    assert same["named"] == 100 and same["copied"] < 0.05 and same["variety"] == pytest.approx(1)
    one = generated_pictures.seen(np.repeat(real[0][:4], 5, axis=0), np.repeat(np.arange(4), 5), real, judge)
    assert one["variety"] == 0 and one["named"] == 40


@pytest.mark.parametrize(
    "held",
    [lambda f: f == f.max(), lambda f: f < 2, lambda f: np.isin(f, [3, 7]), lambda f: f % 5 == 0],
)
def test_any_split_by_font_is_right(held, capsys):
    def mended(x, y, fonts, copies):
        valid = held(fonts)
        return [*copies(x[~valid], y[~valid]), x[valid], y[valid]]

    checks.apart(mended)
    assert "✓" in capsys.readouterr().out


def test_right_mirrors_in_any_order_are_accepted(capsys):
    pairs = {"b": "d", "d": "b", "p": "q", "q": "p", "o": "o"}
    letters = "abcdefghijklmnopqrstuvwxyz"

    def mirrored(x, y):
        found = [
            (np.fliplr(p), letters.index(pairs[letters[n]])) for p, n in zip(x, y, strict=True) if letters[n] in pairs
        ]
        return [p for p, _ in found[::-1]], [label for _, label in found[::-1]]

    checks.mirrored_labels(mirrored, pairs)
    assert "✓" in capsys.readouterr().out
    with pytest.raises(NotYet, match="is missing"):
        checks.mirrored_labels(mirrored, {**pairs, "x": "x"})
