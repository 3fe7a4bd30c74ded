"""No group (a family of faces, a concept, a document, a writing system, a photograph) lies on both sides of a split."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tlcourse.material import data


@pytest.mark.parametrize("sizes", [(300, 100), (20, 100, 31), (20, 2, 100, 31, 31), (1, 1)])
def test_no_family_of_faces_lies_in_two_parts(sizes):
    families = np.array(data.glyphs().families)
    parts = data.parts_by_group(families, sizes, seed=3)
    assert [len(set(part.tolist())) for part in parts] == list(sizes)
    assert all(not set(families[a]) & set(families[b]) for a, b in itertools.combinations(parts, 2))
    for part, again, other in zip(
        parts, data.parts_by_group(families, sizes, seed=3), data.parts_by_group(families, sizes, seed=4), strict=True
    ):
        assert np.array_equal(part, again)
        assert not np.array_equal(part, other)


def test_a_part_is_of_as_many_groups_as_there_are_and_each_group_has_the_same_chance():
    groups = np.repeat(np.arange(30), np.arange(1, 31))  # the last has thirty examples, the first has one
    drawn = [data.parts_by_group(groups, (5, 10), seed=seed) for seed in range(400)]
    assert all(len(set(groups[part])) == len(part) for parts in drawn for part in parts)
    often = np.bincount(np.concatenate([groups[parts[0]] for parts in drawn]), minlength=30) / 400
    assert np.abs(often - 5 / 30).max() < 4 * np.sqrt(5 / 30 * 25 / 30 / 400)


@pytest.mark.parametrize("sizes", [(), (0, 5), (2.5,), (3, 3, 3)])
def test_sizes_that_whole_groups_cannot_fill_are_refused_in_a_sentence(sizes):
    with pytest.raises(ValueError, match=r"^Expected sizes .*, got .*: .*\.$"):
        data.parts_by_group(["a", "a", "a", "b", "b", "b"], sizes, seed=0)


def test_two_groups_cannot_be_split_in_halves_that_share_one():
    with pytest.raises(ValueError, match="2 whole groups of 6 examples can fill"):
        data.parts_by_group(["a"] * 4 + ["b"] * 2, (3, 3), seed=0)
