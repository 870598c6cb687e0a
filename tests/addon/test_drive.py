"""The stored correspondence belongs to the head that the add-on generates."""

import numpy as np
import pytest

from blender_addon.head import drive, generate


@pytest.fixture(scope="module")
def stored():
    return drive.load()


@pytest.fixture(scope="module")
def head():
    return generate.head()


def part(head, *names):
    return np.isin(head.part, [head.part_names.index(name) for name in names])


def moved(stored, seed=0):
    """The head under random FLAME displacements of 5 mm."""
    frames = np.random.default_rng(seed).normal(scale=0.005, size=(2, 5023, 3))
    return drive.drive(frames.astype(np.float32), stored)


def test_it_has_a_row_for_every_vertex_of_the_head(stored, head):
    assert stored.vertex_count == len(head.vertices)
    assert stored.index.max() < 5023 and stored.readout_index.max() < 5023


def test_each_following_vertex_takes_a_mean_of_flame_vertices(stored):
    total = stored.weight.sum(axis=1)
    following = total > 0
    np.testing.assert_allclose(total[following], 1.0, atol=2e-3)
    assert stored.weight.min() >= 0.0


def test_upper_teeth_and_neck_end_never_move(stored, head):
    assert not moved(stored)[:, part(head, "teeth_upper")].any()
    bottom = head.vertices[:, 1] < head.vertices[:, 1].min() + 0.01
    assert not moved(stored)[:, bottom].any()


def test_lower_teeth_move_as_one_rigid_piece(stored, head):
    teeth = part(head, "teeth_lower")
    arms = head.vertices[teeth] - head.vertices[teeth].mean(axis=0)
    motion = moved(stored)[0, teeth]
    gradient = np.linalg.pinv(arms) @ (motion - motion.mean(axis=0))
    # The gradient of a small turn is skew: no stretch, no shear.
    np.testing.assert_allclose(gradient + gradient.T, 0.0, atol=0.01 * np.abs(gradient).max())
    np.testing.assert_allclose(arms @ gradient, motion - motion.mean(axis=0), atol=2e-5)


def test_the_head_stands_still_when_flame_does(stored):
    assert not drive.drive(np.zeros((3, 5023, 3), dtype=np.float32), stored).any()
