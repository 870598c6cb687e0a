"""The lower and the upper face."""

import numpy as np
import pytest

from blender_addon import compact_keys, face, regions
from tests.data import make_tiny_pack


@pytest.fixture
def tiny(tmp_path):
    return make_tiny_pack.make(tmp_path / "tiny")


def test_lips_are_lower_and_eyes_are_upper_face(tiny):
    upper = regions.read(tiny).upper
    rest, _ = make_tiny_pack.icosphere()
    masks = make_tiny_pack.mouth_masks(rest)
    assert upper[masks["mask_lips"]].max() == 0.0
    assert upper[rest[:, 1] > rest[masks["mask_eyes"], 1].mean()].min() == 1.0


def test_the_share_rises_with_height_and_without_a_step():
    height = np.linspace(-1, 1, 201, dtype=np.float32)
    rest = np.stack([height * 0, height, height * 0], axis=1)
    share = regions.upper_share(rest, height < -0.4, height > 0.4)
    assert (np.diff(share) >= 0).all()
    assert np.diff(share).max() < 0.02


def test_a_pack_without_masks_has_only_a_lower_face():
    rest = np.zeros((5, 3), dtype=np.float32)
    none = np.zeros(5, dtype=bool)
    assert not regions.upper_share(rest, none, none).any()


def test_the_two_parts_add_up_to_the_whole(tiny):
    random = np.random.default_rng(0)
    whole = random.standard_normal((20, 42, 3)).astype(np.float32)
    order = random.permutation(42)
    mesh = face.Face(np.eye(3), 42, order=order)
    lower, upper = regions.split(mesh, whole, regions.read(tiny).upper)
    np.testing.assert_allclose(lower + upper, whole[:, order], atol=1e-6)


def test_two_parts_stay_within_the_tolerance_where_they_overlap():
    random = np.random.default_rng(1)
    motion = np.tensordot(random.standard_normal((90, 30)), 1e-3 * 0.8 ** np.arange(30)[:, None]
                          [:, :, None] * random.standard_normal((30, 50, 3)), 1)
    share = np.linspace(0, 1, 50)[:, None]
    parts = [(motion * part).astype(np.float32) for part in (1 - share, share)]
    found, error_m = compact_keys.compress_parts(parts)
    rebuilt = sum(np.tensordot(part.values, part.shapes, 1) for part in found)
    true_error = np.linalg.norm(rebuilt - motion, axis=2).max()
    assert error_m == np.float32(true_error) or abs(error_m - true_error) < 1e-6
    assert error_m <= compact_keys.TOLERANCE_M
    assert sum(len(part.shapes) for part in found) <= compact_keys.KEY_LIMIT
