"""FLAME and BIWI themselves, where they are at hand: they may not lie in this repository."""

from pathlib import Path

import numpy as np
import pytest

from backend import pack
from blender_addon import face, face_order
from tests.data import make_tiny_pack

trimesh = pytest.importorskip("trimesh")
MESHES = Path(__file__).parents[3] / "shared" / "meshes"
FILES = {"flame": MESHES / "flame" / "FLAME_sample.ply", "biwi": MESHES / "biwi" / "BIWI.ply"}


@pytest.fixture(params=FILES)
def original(request):
    """Topology's name, places (V, 3) and polygons."""
    if not FILES[request.param].is_file():
        pytest.skip(f"{FILES[request.param]} is not here: its licence keeps it out")
    mesh = trimesh.load(FILES[request.param], process=False)
    return request.param, np.float32(mesh.vertices), [tuple(f) for f in mesh.faces.tolist()]


def test_a_face_in_millimetres_with_another_axis_up_is_recognised(original, tmp_path):
    name, rest, polygons = original
    chosen = make_tiny_pack.make(tmp_path / name, len(rest), name, rest, polygons)
    mesh = face.MeshArrays("Hero", rest[:, [0, 2, 1]] * np.float32((1000, -1000, 1000)),
                           np.zeros((0, 2), np.int32), polygons)
    found = face.match(mesh, chosen)
    assert found.description == f"{name.upper()}, {len(rest):,} vertices, in millimetres, Z up"


def test_a_sculpted_face_in_another_order_is_matched_with_its_original(original):
    name, rest, polygons = original
    size = float(rest.std())
    sculpted = rest * np.float32((1.1, 0.95, 1)) + 0.05 * size * np.sin(rest[:, [1, 2, 0]] / size)
    order = np.random.default_rng(0).permutation(len(rest))
    place = np.argsort(order)
    renumbered = [tuple(int(place[i]) for i in polygon) for polygon in polygons]
    found = face_order.find(face_order.Reference(rest, name, polygons), sculpted[order],
                            renumbered, pack.face_hash(polygons), "Hero")
    assert found.proven
    np.testing.assert_array_equal(found.order, order)
