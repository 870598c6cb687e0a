"""Spirals and decimation on meshes small enough to check by hand."""

import numpy as np
import trimesh

from training import spiral
from training.decimate import components, decimate

#  A hexagon: vertex 0 in the middle, 1..6 around it, counter-clockwise.
WHEEL = np.array([[0, n, n % 6 + 1] for n in range(1, 7)])
WHEEL_POINTS = np.array(
    [[0, 0, 0]] + [[np.cos(a), np.sin(a), 0] for a in np.arange(6) * np.pi / 3], dtype=float
)


def ball(level: int, shift: float = 0.0) -> tuple[spiral.Floats, spiral.Ints]:
    mesh = trimesh.creation.icosphere(subdivisions=level)
    moved = mesh.vertices + np.array([shift, 0.0, 0.0])
    return moved, np.asarray(mesh.faces, dtype=np.int64)


def two_balls() -> tuple[spiral.Floats, spiral.Ints]:
    (big, big_faces), (small, small_faces) = ball(2), ball(0, shift=5.0)
    return np.concatenate([big, small]), np.concatenate([big_faces, small_faces + len(big)])


def test_a_spiral_walks_the_ring_in_winding_order() -> None:
    assert spiral.spirals_of(WHEEL_POINTS, WHEEL, length=7)[0].tolist() == [0, 1, 2, 3, 4, 5, 6]


def test_a_boundary_ring_begins_at_its_open_edge() -> None:
    assert spiral.one_rings(7, WHEEL)[1] == [2, 0, 6]


def test_dilation_skips_along_the_spiral() -> None:
    assert spiral.spirals_of(WHEEL_POINTS, WHEEL, length=3, dilation=2)[0].tolist() == [0, 2, 4]


def test_the_second_ring_follows_the_first() -> None:
    points, faces = ball(2)
    rings = spiral.one_rings(len(points), faces)
    walk = spiral.spirals_of(points, faces, length=12)[0].tolist()
    degree = len(rings[0])
    second = {other for near in rings[0] for other in rings[near]}
    assert walk[1 : degree + 1] == rings[0]
    assert set(walk[degree + 1 :]) <= second - {0}


def test_a_spiral_never_leaves_its_component() -> None:
    points, faces = two_balls()
    labels = components(len(points), faces)
    walks = spiral.spirals_of(points, faces, length=9, dilation=2)
    assert (labels[walks] == labels[:, None]).all()


def test_a_component_too_small_gives_its_vertices_by_distance_and_then_repeats() -> None:
    points, faces = WHEEL_POINTS * [1, 2, 1], WHEEL
    walk = spiral.spirals_of(points, faces, length=9)[0]
    reach = np.linalg.norm(points[walk[:7]], axis=1)
    assert (np.diff(reach) >= 0).all() and walk[7:].tolist() == [0, 0]


def test_decimation_keeps_a_quarter_of_every_component() -> None:
    points, faces = two_balls()
    coarse = decimate(points, faces, factor=4)
    counts = np.bincount(components(len(points), faces)[coarse.kept])
    assert counts.tolist() == [41, 3]


def test_a_decimated_ball_is_still_a_closed_ball() -> None:
    points, faces = ball(3)
    coarse = decimate(points, faces, factor=4)
    mesh = trimesh.Trimesh(points[coarse.kept], coarse.faces, process=False)
    assert mesh.is_watertight and mesh.euler_number == 2
    assert abs(mesh.volume / (4 / 3 * np.pi) - 1) < 0.1


def test_the_pyramid_indexes_each_finer_level() -> None:
    points, faces = ball(3)
    levels = spiral.pyramid(points, faces, levels=3, length=9, dilation=2, factor=4)
    assert [level.size_in for level in levels] == [642, 161, 41]
    assert all(level.spirals.max() < level.size_in for level in levels)
    assert all((level.spirals[:, 0] == level.kept).all() for level in levels)
