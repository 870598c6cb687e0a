"""The generated head: what its geometry promises."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from blender_addon.head.generate import head
from blender_addon.head.loft import signed_volume
from blender_addon.head.mesh import HeadMesh
from blender_addon.head.openings import MOUTH
from blender_addon.head.skin import Skin, build_skin
from blender_addon.head.subdivide import catmull_clark

CLOSED_PARTS = ("eye_left", "eye_right", "teeth_upper", "teeth_lower", "tongue", "brows", "lashes")


@pytest.fixture(scope="module")
def made() -> HeadMesh:
    return head()


@pytest.fixture(scope="module")
def skin() -> Skin:
    return build_skin()


def part_faces(made: HeadMesh, *names: str) -> list[tuple[int, ...]]:
    wanted = {made.part_names.index(name) for name in names}
    return [face for face in made.faces if made.part[face[0]] in wanted]


def directed_edges(faces: list[tuple[int, ...]]) -> Counter[tuple[int, int]]:
    return Counter(edge for face in faces for edge in pairwise((*face, face[0])))


def test_head_has_3000_to_8000_vertices_and_nine_tenths_quads(made: HeadMesh) -> None:
    assert 3000 <= len(made.vertices) <= 8000
    assert np.mean([len(face) == 4 for face in made.faces]) >= 0.9


def test_head_is_22_cm_tall_and_looks_to_plus_z(made: HeadMesh) -> None:
    skin = made.vertices[made.part == made.part_names.index("skin")]
    chin = skin[np.abs(skin[:, 2] - 0.04) < 0.01][:, 1].min()
    assert skin[:, 1].max() - chin == pytest.approx(0.22, abs=0.01)
    nose_tip = made.vertices[made.landmarks[13]]
    assert nose_tip[2] == pytest.approx(skin[:, 2].max(), abs=0.002)


def test_every_edge_has_at_most_two_faces_that_turn_the_same_way(made: HeadMesh) -> None:
    assert max(directed_edges(made.faces).values()) == 1


def test_parts_share_no_face(made: HeadMesh) -> None:
    joined = {frozenset(made.part_names[made.part[n]] for n in face) for face in made.faces}
    assert {names for names in joined if len(names) > 1} == {frozenset({"skin", "mouth_cavity"})}


@pytest.mark.parametrize("name", CLOSED_PARTS)
def test_closed_part_is_watertight_with_normals_outward(made: HeadMesh, name: str) -> None:
    faces = part_faces(made, name)
    edges = directed_edges(faces)
    assert all(edges[b, a] == 1 for a, b in edges)
    assert signed_volume(made.vertices.astype(float), faces) > 0


def test_skin_normals_point_outward(made: HeadMesh) -> None:
    faces = part_faces(made, "skin", "mouth_cavity")
    assert signed_volume(made.vertices.astype(float), faces) > 0.002


def test_head_is_its_own_mirror_image_to_a_micrometre(made: HeadMesh) -> None:
    rounded = np.round(made.vertices * 1e6).astype(int)
    assert {*map(tuple, rounded)} == {*map(tuple, rounded * (-1, 1, 1))}


def test_lips_touch_at_rest_within_half_a_millimetre(skin: Skin) -> None:
    ring = skin.rings[MOUTH.key][5]
    corner, count = len(ring) // 2 - 2, len(ring)
    upper = [ring[(corner + n) % count] for n in range(1, count // 2)]
    lower = [ring[(corner - n) % count] for n in range(1, count // 2)]
    assert not {*upper} & {*lower}
    assert np.abs(skin.vertices_mm[upper] - skin.vertices_mm[lower]).max() < 0.5


def test_mouth_cavity_lies_inside_the_face(made: HeadMesh) -> None:
    cavity = made.vertices[made.part == made.part_names.index("mouth_cavity")]
    lips = made.vertices[made.landmarks[31:43]]
    assert cavity[:, 2].max() < lips[:, 2].max()
    assert np.abs(cavity[:, 0]).max() < 0.03


def test_landmarks_are_distinct_symmetric_and_start_on_the_faces_right(made: HeadMesh) -> None:
    mirror = [*range(9, -1, -1), *range(10, 14), *range(18, 13, -1), 28, 27, 26, 25, 30, 29, 22,
              21, 20, 19, 24, 23, *range(37, 30, -1), *range(42, 37, -1), *range(47, 42, -1), 50,
              49, 48]
    points = made.vertices[made.landmarks]
    assert len({*made.landmarks.tolist()}) == 51
    np.testing.assert_allclose(points[mirror] * (-1, 1, 1), points, atol=1e-6)
    assert (points[[0, 14, 19, 31, 43], 0] < 0).all()


def test_landmarks_run_over_the_upper_side_first(made: HeadMesh) -> None:
    y = made.vertices[made.landmarks][:, 1]
    for upper, lower in ((20, 24), (21, 23), (26, 30), (34, 40)):
        assert y[upper] > y[lower] + 0.005


def test_uvs_fill_the_unit_square_for_every_corner(made: HeadMesh) -> None:
    assert made.uv.shape == (sum(map(len, made.faces)), 2)
    assert made.uv.min() >= 0 and made.uv.max() <= 1


def test_two_heads_are_the_same(made: HeadMesh) -> None:
    again = head()
    assert again.vertices.tobytes() == made.vertices.tobytes()
    assert again.faces == made.faces
    assert again.landmarks.tobytes() == made.landmarks.tobytes()


def test_catmull_clark_of_a_cube_follows_the_rules() -> None:
    cube = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=float)
    quads = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4],
                      [1, 5, 7, 3]])
    fine = catmull_clark(cube, quads)
    assert fine.values.shape == (26, 3) and fine.quads.shape == (24, 4)
    np.testing.assert_allclose(fine.values[0], np.full(3, -5 / 9))
    np.testing.assert_allclose(fine.values[fine.edge_point[0, 1]], (-0.75, -0.75, 0))
