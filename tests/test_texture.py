"""Cut-outs: the outline fits the sticker, and what is painted in or out of it is exactly what was asked for."""

import numpy as np
import pytest

from tlcourse.material import data
from tlcourse.methods import texture

CIRCLE = (255 * (np.hypot(*np.mgrid[-16:16, -16:16]) < 10)).astype("uint8")


@pytest.fixture(scope="module")
def photo():
    return data.cut_outs("photo")


def test_cut_outs_on_white_are_the_stickers(photo):
    whole = texture.fill(photo.mask, photo.colour)
    split = data.stickers("photo", test_fraction=0)
    assert photo.colour.shape == (*photo.mask.shape, 3) and photo.classes == split.classes
    np.testing.assert_array_equal(np.bincount(photo.y), np.bincount(split.y_train))
    order = lambda pictures, y: np.lexsort((pictures.reshape(len(y), -1).sum(axis=1), y))  # noqa: E731
    ours, theirs = whole[order(whole, photo.y)], split.x_train[order(split.x_train, split.y_train)]
    assert np.abs(ours.astype(int).mean(axis=(1, 2)) - theirs.mean(axis=(1, 2))).max() < 1  # rounding apart


def test_a_domain_that_is_none_is_refused():
    with pytest.raises(ValueError, match="domain must be one of 'photo', .*'paintings'"):
        data.cut_outs("paintings")


def test_a_silhouette_is_black_inside_and_white_outside():
    painted = texture.fill(CIRCLE, 0)
    assert painted.shape == (32, 32, 3) and painted.dtype == np.uint8
    np.testing.assert_array_equal(painted[..., 0], 255 - CIRCLE)


def test_half_transparent_is_mixed_half_and_half():
    assert texture.fill(np.full((2, 2), 51), 200, 100).tolist() == np.full((2, 2, 3), 120).tolist()


def test_inside_and_outside_may_be_pictures_and_stacks():
    rng = np.random.default_rng(0)
    masks = np.stack([CIRCLE, 255 - CIRCLE, np.full_like(CIRCLE, 128)])
    inside, outside = rng.integers(0, 256, (2, 3, 32, 32, 3), dtype="uint8")
    expected = masks[..., None] / 255 * inside + (1 - masks[..., None] / 255) * outside
    np.testing.assert_allclose(texture.fill(masks, inside, outside), expected, atol=0.51)
    one = texture.fill(CIRCLE, inside, outside[0])  # one outline, three fillings
    np.testing.assert_array_equal(one[2][CIRCLE == 255], inside[2][CIRCLE == 255])
    np.testing.assert_array_equal(one[2][CIRCLE == 0], outside[0][CIRCLE == 0])


@pytest.mark.parametrize(
    ("inside", "outside", "says"),
    [
        (np.zeros((16, 16, 3)), 255, r"inside must be .* size \(32, 32\), got shape \(16, 16, 3\)"),
        (0, np.zeros((32, 32)), "outside must be a grey or RGB"),
        (256, 255, "inside must have values from 0 to 255, got 256"),
        (0, -1, "outside must have values"),
        (np.full((32, 32, 3), np.nan), 255, "inside must have values"),
    ],
)
def test_what_does_not_fit_the_outline_is_refused(inside, outside, says):
    with pytest.raises(ValueError, match=says):
        texture.fill(CIRCLE, inside, outside)


def test_a_patch_comes_from_inside_alone():
    colour = np.zeros((1, 32, 32, 3), "uint8")
    colour[0][CIRCLE == 255] = (10, 200, 30)
    colour[0][CIRCLE == 0] = (250, 0, 250)  # what is transparent says nothing
    squares, sides = texture.patches(colour, CIRCLE[None])
    assert squares.shape == colour.shape and (squares == np.array([10, 200, 30], "uint8")).all()
    assert sides.tolist() == [15]  # 7·√2 is just below the radius


def test_the_patch_is_the_largest_square(photo):
    _, sides = texture.patches(photo.colour[:20], photo.mask[:20])
    for mask, side in zip(photo.mask[:20] >= 250, sides, strict=True):
        sums = np.pad(mask.astype(int), ((1, 0), (1, 0))).cumsum(0).cumsum(1)

        def fits(k, sums=sums):
            return (sums[k:, k:] - sums[:-k, k:] - sums[k:, :-k] + sums[:-k, :-k] == k * k).any()

        assert fits(side) and not fits(side + 2)


@pytest.mark.parametrize(
    ("colour", "mask", "says"),
    [
        (np.zeros((1, 8, 8, 3), "uint8"), np.zeros((1, 8, 8), "uint8"), "mask 0 has no opaque pixel"),
        (np.zeros((1, 8, 8, 3), "uint8"), np.full((2, 8, 8), 255, "uint8"), r"got \(1, 8, 8, 3\) and \(2, 8, 8\)"),
        (np.zeros((8, 8, 3), "uint8"), np.full((8, 8), 255, "uint8"), r"colour must be \(n, height, width, 3\)"),
    ],
)
def test_patches_say_what_they_need(colour, mask, says):
    with pytest.raises(ValueError, match=says):
        texture.patches(colour, mask)
