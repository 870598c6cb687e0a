"""Which vertex is which after another program reordered them."""

import numpy as np
import pytest

from backend import pack
from blender_addon import face_check, face_order, face_walk
from tests.data import make_tiny_pack


def lopsided_ball():
    """The tiny pack's ball with every vertex at a distance of its own: no two sides alike."""
    rest, polygons = make_tiny_pack.icosphere()
    return rest * np.linspace(0.7, 1.4, len(rest), dtype=np.float32)[:, None], polygons


def reordered(rest, polygons, seed=5):
    """The same mesh with vertex k being the old vertex order[k]."""
    order = np.random.default_rng(seed).permutation(len(rest))
    place = np.argsort(order)
    return rest[order], [tuple(int(place[i]) for i in face) for face in polygons], order


def found_for(rest, polygons, given, own=False):
    reference = face_order.Reference(given[0], "pack", polygons if own else None)
    return face_order.find(reference, rest[0], rest[1], pack.face_hash(polygons), "Hero")


@pytest.mark.parametrize("change", [
    lambda p: p * 1000 + 7, lambda p: p[:, [0, 2, 1]] * (1, -1, 1) * 100,
    lambda p: p[:, [2, 0, 1]] * (-1, 1, 1)])
def test_positions_tell_the_order_in_any_unit_and_axes_and_mirrored(change):
    rest, polygons = lopsided_ball()
    *mesh, order = reordered(np.float32(change(rest)), polygons)
    found = found_for(mesh, polygons, (rest, polygons))
    np.testing.assert_array_equal(found.order, order)
    assert found.proven and found.residual_mm < 0.01


def test_polygons_inside_out_are_the_same_connectivity():
    rest, polygons = lopsided_ball()
    *mesh, order = reordered(rest * (-1, 1, 1), polygons)
    mesh[1] = [polygon[::-1] for polygon in mesh[1]]
    np.testing.assert_array_equal(found_for(mesh, polygons, (rest, polygons)).order, order)


def test_without_polygons_in_common_every_vertex_must_lie_on_its_counterpart():
    rest, polygons = lopsided_ball()
    *mesh, order = reordered(rest, polygons)
    mesh[1] = mesh[1][:-4]
    found = found_for(mesh, polygons, (rest, polygons))
    np.testing.assert_array_equal(found.order, order)
    assert not found.proven


def test_another_shape_is_refused_with_how_far_it_is_off():
    rest, polygons = lopsided_ball()
    *mesh, _order = reordered(rest, polygons)
    other = np.random.default_rng(0).normal(0, 0.05, (42, 3)).astype(np.float32)
    with pytest.raises(face_check.FaceError, match=r"'Hero' could not be matched .* mm apart"):
        found_for(mesh, polygons, (other, polygons))


def test_another_shape_is_matched_by_connectivity_where_the_original_is_at_hand():
    rest, polygons = lopsided_ball()
    polygons = [*polygons[1:]]  # a hole, so that only one way around fits
    sculpted = rest + 0.02 * np.sin(40 * rest[:, [1, 2, 0]])
    *mesh, order = reordered(np.float32(sculpted), polygons)
    found = found_for(mesh, polygons, (rest, polygons), own=True)
    np.testing.assert_array_equal(found.order, order)
    assert found.proven and found.residual_mm > 1.0


def test_a_walk_notices_the_first_difference():
    _rest, polygons = lopsided_ball()
    whole, holed = face_walk.Surface(polygons), face_walk.Surface(polygons[:-1])
    start = face_walk.Start((0, 0), (0, 0))
    assert face_walk.walk(whole, whole, start) == {i: i for i in range(42)}
    assert face_walk.walk(whole, holed, start) is None


def test_an_order_with_a_number_twice_is_none():
    assert face_order.is_permutation(np.array([2, 0, 1]))
    assert not face_order.is_permutation(np.array([2, 0, 2]))
