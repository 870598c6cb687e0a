"""The project's own head, driven by a pack of FLAME topology."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import compact_keys, face, face_check, head_transfer, shape_keys  # noqa: E402
from blender_addon._backend import pack  # noqa: E402
from blender_addon.head import drive  # noqa: E402
from tests.addon.faces import places_at, rest_places  # noqa: E402
from tests.data import make_tiny_pack  # noqa: E402

pytestmark = pytest.mark.skipif(not drive.FLAME_FILE.is_file(), reason="no correspondence stored")


@pytest.fixture(scope="module")
def flame(tmp_path_factory) -> pack.Pack:
    """A made-up pack of FLAME's size."""
    return make_tiny_pack.make(tmp_path_factory.mktemp("flame"), 5023, "flame")


@pytest.fixture
def head(scene):
    bpy.ops.soliloquy.add_head()
    return bpy.context.object


def test_the_head_is_recognised_in_any_size_and_pose(head, flame):
    head.data.transform(head.matrix_world.Scale(100, 4) @ head.matrix_world.Rotation(1, 4, "X"))
    fits = face.match(shape_keys.read_mesh(head), flame)
    assert len(fits.transfer.rest) == len(head.data.vertices)
    assert np.cbrt(np.linalg.det(fits.linear)) == pytest.approx(100, rel=1e-4)


def test_another_mesh_of_the_same_size_is_not_the_head(head, flame):
    mesh = shape_keys.read_mesh(head)
    turned = mesh._replace(faces=[face[::-1] for face in mesh.faces])
    with pytest.raises(face_check.FaceError, match="moves a 'flame' mesh of 5023"):
        face.match(turned, flame)


def test_a_mesh_of_another_model_names_that_model(flame, tmp_path, monkeypatch):
    """Of the shipped ones and those in SOLILOQUY_MODELS; where none fits it says what else to do"""
    make_tiny_pack.make(tmp_path / "other", 77, "other")
    monkeypatch.setenv("SOLILOQUY_MODELS", str(tmp_path))
    for count, hint in ((77, "Choose a model for such a mesh: other-test."),
                        (78, "Choose such a mesh, another model, or Add > Mesh > Soliloquy Head.")):
        mesh = face.MeshArrays("Hero", np.eye(3, dtype=np.float32).repeat(26, 0)[:count],
                               np.zeros((0, 2), np.int32), [])
        with pytest.raises(face_check.FaceError) as refused:
            face.match(mesh, flame)
        assert refused.value.hint == hint


def test_motion_reaches_the_head_as_the_correspondence_says(head, flame):
    fits = face.match(shape_keys.read_mesh(head), flame)
    random = np.random.default_rng(0)
    motion = np.tensordot(random.standard_normal((40, 6)),
                          random.standard_normal((6, 5023, 3)) * 1e-3, 1).astype(np.float32)
    np.testing.assert_allclose(face.displacements_on(fits, motion),
                               drive.drive(motion, drive.load()), atol=2e-5)


def test_motion_of_too_many_directions_is_carried_frame_by_frame(head, flame, monkeypatch):
    monkeypatch.setattr(compact_keys, "_FINE_KEYS", 3)
    fits = face.match(shape_keys.read_mesh(head), flame)
    motion = np.random.default_rng(0).standard_normal((10, 5023, 3)).astype(np.float32) * 1e-3
    np.testing.assert_array_equal(face.displacements_on(fits, motion),
                                  drive.drive(motion, drive.load()))


def test_the_head_speaks(head, flame, write_wav, voice):
    settings = bpy.context.scene.soliloquy
    settings.source, settings.filepath = "FILE", str(write_wav(voice))
    settings.model = str(flame.path)
    assert bpy.ops.soliloquy.animate_from_audio() == {"FINISHED"}
    moved = np.linalg.norm(places_at(head, 10) - rest_places(head), axis=1)
    assert moved.max() > 0.002
    assert head_transfer.find("biwi", len(moved), []) is None
