"""Chapter 16: the table of concepts, and what its notebook defines, against other ways to compute it."""

import numpy as np
import pytest

from tlcourse.material import assets, data

TABLE = data.concepts()
ATTRIBUTES = TABLE.iloc[:, 4:]


@pytest.mark.parametrize("domain", ["noto", "twemoji", "openmoji"])
def test_a_row_is_a_picture_of_each_emoji_set_in_the_order_of_cut_outs(domain):
    files = sorted(assets.files(f"stickers/{domain}"), key=lambda f: (data.STICKER_CLASSES.index(f.parent.name), f.name))
    assert [(f.parent.name, f.stem) for f in files] == list(zip(TABLE["class"], TABLE.picture, strict=True))


def test_pictures_of_one_concept_agree_in_everything_but_their_name():
    assert not TABLE.drop(columns="picture").drop_duplicates().concept.duplicated().any()


def test_attributes_are_zeros_and_ones_and_each_tells_something_apart():
    assert set(np.unique(ATTRIBUTES)) == {0, 1}
    assert ATTRIBUTES.groupby(TABLE.concept).first().sum().between(2, 160).all()
