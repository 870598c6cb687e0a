"""Does a mesh fit a pack: scale, axes, vertex order."""

import numpy as np
import pytest

from blender_addon import face_check

EDGES = np.stack([np.arange(99), np.arange(1, 100)], axis=1).astype(np.int32)


def lopsided(count: int = 100) -> np.ndarray:
    """A curve in space without any symmetry, neighbours close together, metres."""
    t = np.linspace(0, 6, count)
    return np.stack([np.sin(t), np.cos(1.7 * t), 0.3 * t], axis=1).astype(np.float32) * 0.1


def blender_axes(points: np.ndarray, scale: float = 1.0) -> np.ndarray:
    return np.stack([points[:, 0], -points[:, 2], points[:, 1]], axis=1) * scale


def test_scale_axes_and_offset_are_found():
    reference = lopsided()
    fit = face_check.similarity(reference, np.add(blender_axes(reference, 100), (1, 2, 3)))
    np.testing.assert_allclose(fit.linear, [[100, 0, 0], [0, 0, -100], [0, 100, 0]], atol=1e-3)
    np.testing.assert_allclose(fit.offset, [1, 2, 3], atol=1e-3)
    assert fit.residual < 1e-5


def test_another_head_in_the_same_order_fits():
    reference = lopsided()
    rest = blender_axes(reference * (1.2, 0.9, 1.1)) * 3
    fit = face_check.fit_in_order(reference, rest, EDGES, "Hero", "gldi-flame")
    assert np.cbrt(np.linalg.det(fit.linear)) == pytest.approx(3, rel=0.1)


def test_shuffled_vertices_are_named_as_such():
    reference = lopsided()
    order = np.random.default_rng(1).permutation(100)
    edges = np.argsort(order)[EDGES]
    with pytest.raises(face_check.FaceError, match="'Hero' are not in the order of 'gldi-flame'"):
        face_check.fit_in_order(reference, reference[order], edges, "Hero", "gldi-flame")


def test_a_few_exchanged_vertices_are_noticed_though_the_fit_is_good():
    reference = lopsided()
    order = np.arange(100)
    order[[10, 90, 20, 70]] = order[[90, 10, 70, 20]]
    edges = np.argsort(order)[EDGES]
    assert face_check.similarity(reference, reference[order]).residual < 0.5
    with pytest.raises(face_check.FaceError, match="8% of the edges out of place"):
        face_check.fit_in_order(reference, reference[order], edges, "Hero", "gldi-flame")


def test_a_mesh_without_size_is_refused():
    with pytest.raises(face_check.FaceError, match="has no size"):
        face_check.similarity(lopsided(), np.ones((100, 3)))


def test_a_mirrored_mesh_is_recognised_and_a_shuffled_one_is_not_mistaken_for_it():
    reference = lopsided()
    fit = face_check.similarity(reference, reference * (-1, 1, 1))
    assert fit.mirrored and fit.residual < 1e-6
    np.testing.assert_allclose(fit.linear, np.diag([-1, 1, 1]), atol=1e-6)
    assert not face_check.similarity(
        reference, reference[np.random.default_rng(1).permutation(100)]).mirrored


@pytest.mark.parametrize(("scale", "unit"), [
    (1.0, "metres"), (115.0, "centimetres"), (900.0, "millimetres"), (39.0, "inches"),
    (4.9, "scale 4.9")])
def test_the_unit_of_a_mesh_is_told(scale, unit):
    assert face_check.similarity(lopsided(), lopsided() * scale).unit == unit


def test_the_axis_that_points_up_is_told():
    reference = lopsided()
    assert face_check.similarity(reference, reference).up == "Y"
    assert face_check.similarity(reference, blender_axes(reference)).up == "Z"
    assert face_check.similarity(reference, reference[:, [0, 2, 1]] * (1, 1, -1)).up == "-Z"
