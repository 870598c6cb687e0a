"""Faces without unit, without eyeballs, or with landmarks as vertices; gaze; picture sheets."""

import argparse
import json
from pathlib import Path

import numpy as np
import pytest
import trimesh

from backend.errors import SoliloquyError
from blender_addon.head import drive
from tests.training.slit_face import slit_face
from training import eyes, head_rig, rig, rig_file, sheet, template
from training.registration import boundary_vertices


def write_face(folder: Path, scale: float) -> Path:
    """The slit face in some unit, with its landmarks as vertices in a .json."""
    face = slit_face()
    mesh = trimesh.Trimesh(face.vertices * scale, face.triangles, process=False)
    mesh.export(folder / "face.ply")
    marks = {"vertices": face.landmarks.tolist()}
    (folder / "landmarks51.json").write_text(json.dumps(marks))
    return folder / "face.ply"


def read_face(mesh: Path) -> template.Template:
    face = slit_face()
    return template.load(mesh, template.default_landmarks(mesh), face.vertices[face.landmarks])


def test_a_face_of_no_unit_is_scaled_to_an_adults(tmp_path: Path) -> None:
    found = read_face(write_face(tmp_path, 5.0))
    assert found.metres_per_unit == pytest.approx(0.2, rel=1e-5)
    np.testing.assert_allclose(found.vertices, slit_face().vertices, atol=1e-6)


def test_a_face_in_metres_keeps_its_size(tmp_path: Path) -> None:
    found = read_face(write_face(tmp_path, 1.1))
    assert found.metres_per_unit == 1.0
    assert np.ptp(found.vertices[:, 0]) == pytest.approx(1.1 * 0.16, rel=1e-5)


def test_landmarks_of_the_eyes_beside_an_open_edge_move_onto_it(tmp_path: Path) -> None:
    found = read_face(write_face(tmp_path, 1.0))
    edge = boundary_vertices(found.triangles)
    aside = found.landmark_weights.copy()
    aside[24] = [0.4, 0.3, 0.3]
    moved = template.on_lid_edges(
        template.Template(found.vertices, found.triangles, found.landmark_triangle, aside)
    )
    assert set(moved.landmark_vertices[[20, 21, 23, 24]]) <= set(edge.tolist())


def test_a_file_without_landmarks_is_named(tmp_path: Path) -> None:
    mesh = write_face(tmp_path, 1.0)
    (tmp_path / "landmarks51.json").write_text('{"points": []}')
    with pytest.raises(SoliloquyError, match=r"landmarks51\.json holds no 51 landmarks"):
        read_face(mesh)


def test_a_face_that_is_all_skin_has_no_eyeballs(tmp_path: Path) -> None:
    found = read_face(write_face(tmp_path, 1.0))
    assert len(found.eyeball_near(np.zeros(3))) == 0


def test_finer_meshes_are_smoothed_as_far_as_coarse_ones() -> None:
    face = slit_face()
    coarse, fine = (
        rig.smoothness_for(template.Surface(face.vertices * s, face.triangles, *_no_labels(face)))
        for s in (1.0, 0.3)
    )
    assert coarse == pytest.approx(rig.SMOOTHNESS)
    assert fine == pytest.approx(rig.SMOOTHNESS * 1.89**4, rel=0.01)


def _no_labels(face):
    return np.zeros(len(face.vertices), dtype=np.int64), None


def test_an_eyeball_turns_about_its_centre_towards_the_shapes_name() -> None:
    middle = np.array([0.03, 0.03, 0.0])
    ball = np.asarray(trimesh.creation.icosphere(3, 0.012).vertices) + middle
    # More vertices in front, as real eyeballs have, must not move the centre.
    front = ball[ball[:, 2] > 0.01]
    points = np.concatenate([ball, front])
    eye = eyes.Eyeball("L", np.arange(len(points)), points)
    out, down, other = eyes.turn(eye, ["eyeLookOut_L", "eyeLookDown_L", "eyeLookDown_R"])
    pupil = int(points[:, 2].argmax())
    assert out[pupil] == pytest.approx([0.012 * np.sin(np.radians(30)), 0, -0.0016], abs=1e-4)
    assert down[pupil, 1] == pytest.approx(-0.012 * np.sin(np.radians(25)), abs=1e-4)
    assert not other.any()
    np.testing.assert_allclose(eyes.centre_of(points), [0.03, 0.03, 0.0], atol=1e-9)


def test_the_heads_rig_moves_as_the_add_on_moves_the_head() -> None:
    rng = np.random.default_rng(0)
    stored = drive.Correspondence(
        rng.integers(0, 9, (5, 2)).astype(np.int32),
        *(rng.normal(size=shape).astype(np.float32) for shape in ((5, 2), (5, 3, 3))),
        rng.integers(0, 9, 4).astype(np.int32),
        *(rng.normal(size=shape).astype(np.float32) for shape in ((2, 12), (2, 5, 3))),
    )
    fields = rng.normal(size=(3, 9, 3)).astype(np.float32)
    ours = head_rig.driven(vars(stored), fields.astype(float))
    np.testing.assert_allclose(ours, drive.drive(fields, stored), rtol=1e-4, atol=1e-4)


def test_a_sheet_shows_every_shape_orange_where_it_moves(tmp_path: Path) -> None:
    face = slit_face()
    fields = np.zeros((2, len(face.vertices), 3), np.float32)
    fields[1, face.vertices[:, 1] > 0.03, 1] = 0.02
    np.savez(
        tmp_path / "rig.npz", names=["still", "browUp"], fields=fields, template=face.vertices,
        faces=face.triangles, landmarks=face.landmarks, lip_pairs=[[0, 1]],
        **{name: np.ones(len(face.vertices), bool) for name in rig_file.MASKS},
    )  # fmt: skip
    parser = argparse.ArgumentParser()
    sheet.add_arguments(parser)
    out = tmp_path / "docs" / "sheet.png"
    sheet.run(parser.parse_args(["--rig", str(tmp_path / "rig.npz"), "--out", str(out)]))
    assert out.stat().st_size < 60_000
    drawn = rig_file.read(tmp_path / "rig.npz")
    still, moved = (np.asarray(sheet.tile(drawn, field)).astype(int) for field in drawn.fields)
    orange = [(tile[..., 0] > tile[..., 2] + 40).mean() for tile in (still, moved)]
    assert orange[0] == 0.0 and orange[1] > 0.08
