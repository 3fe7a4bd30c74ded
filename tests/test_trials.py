"""The recorded experiments keep training, validation and test apart, and draw as many of each as they say."""

import numpy as np
import pytest

from tlcourse.workshop.trials import freeze_depth, samples


@pytest.mark.parametrize("seed", [0, 5])
def test_freeze_depth_splits_the_photographs(seed):
    y = np.repeat(np.arange(8), [33, 40, 24, 18, 23, 12, 25, 15])
    train, validation, test = freeze_depth.rows_of(y, seed)
    assert (len(train), len(validation), len(test)) == (96, 38, 56)
    assert len(set(train) | set(validation) | set(test)) == len(y)
    assert all(len(set(y[part])) == 8 for part in (train, validation, test))


def test_letters_are_tested_in_fonts_that_were_not_seen():
    x, y, x_test, y_test = samples.letters(3)
    assert x.shape == (2400, 64, 64, 3) and x_test.shape == (800, 64, 64, 3)
    assert set(np.bincount(y)) == {300} and set(np.bincount(y_test)) == {100}
    fonts = {font.tobytes() for font in x.reshape(300, 8, -1)}
    assert not fonts & {font.tobytes() for font in x_test.reshape(100, 8, -1)}


def test_things_never_meet_their_test_pictures_in_training():
    x, y, x_test, y_test = samples.things(0)
    assert min(np.bincount(y)) >= max(samples.SHOTS["things"]) and set(y_test) == set(range(8))
    assert not {picture.tobytes() for picture in x} & {picture.tobytes() for picture in x_test}


def test_every_number_of_shots_fills_whole_batches():
    assert all(8 * k % samples.BATCH == 0 for shots in samples.SHOTS.values() for k in shots)
    assert all(set(few) <= set(samples.SHOTS[target]) for target, few in samples.SCRATCH_SHOTS.items())
