import argparse
import json

import numpy as np
import pytest
import trimesh

from backend.errors import SoliloquyError
from tests.training.slit_face import slit_face
from training import contact, ict, rig

NAMES = ["jawOpen", "mouthClose", "eyeBlink_R", "eyeBlink_L", "browDown_L"]


def write_shapes(folder, face):
    """The slit face as if it were ICT-FaceKit: centimetres, lower lip falls with jawOpen."""
    y = face.vertices[:, 1]
    deltas = np.zeros((len(NAMES), len(y), 3))
    lower = y < -0.031
    lower[list(face.below)] = False
    lower[list(face.below.values())[:11]] = True
    deltas[0, lower, 1] = -2.0
    deltas[1, lower, 1] = 2.6
    lid = (y > 0.029) & (y < 0.04)
    deltas[2, lid & (face.vertices[:, 0] < 0), 1] = -0.3
    deltas[3, lid & (face.vertices[:, 0] > 0), 1] = -0.3
    deltas[4, y > 0.05, 1] = -0.5
    np.savez(
        folder / "ict_expressions.npz", names=NAMES, deltas=deltas, neutral=face.vertices * 100
    )
    marks = [0] * 17 + face.landmarks.tolist()
    index = {"expressions": NAMES, "idx_to_landmark_verts": marks}
    (folder / "vertex_indices.json").write_text(json.dumps(index))
    lines = ["f " + " ".join(f"{v + 1}/1" for v in t) for t in face.triangles]
    (folder / "generic_neutral_mesh.obj").write_text("\n".join(lines))


def write_template(folder, face):
    """The slit face with two loose eyeballs, as .ply and landmarks .npz."""
    balls = [trimesh.creation.icosphere(1, 0.006).apply_translation(c) for c in EYES]
    skin = trimesh.Trimesh(face.vertices, face.triangles, process=False)
    trimesh.util.concatenate([skin, *balls]).export(folder / "face.ply")
    index = np.array([np.flatnonzero((face.triangles == v).any(1))[0] for v in face.landmarks])
    weights = (face.triangles[index] == face.landmarks[:, None]).astype(float)
    np.savez(folder / "landmarks51.npz", face_index=index, barycentric=weights)


EYES = ([-0.03, 0.03, -0.03], [0.03, 0.03, -0.03])


@pytest.fixture(scope="module")
def rigged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rig")
    face = slit_face()
    write_shapes(folder, face)
    write_template(folder, face)
    (folder / "lender.npz").write_bytes(b"another's")
    (folder / "rig.npz").symlink_to(folder / "lender.npz")
    parser = argparse.ArgumentParser()
    rig.add_arguments(parser)
    options = ["--template", str(folder / "face.ply"), "--shapes", str(folder)]
    with pytest.MonkeyPatch.context() as patch:
        # What jawOpen moves of the little face stands for its teeth.
        patch.setattr(ict, "TEETH_VERTICES", slice(0, len(face.vertices)))
        rig.run(parser.parse_args([*options, "--out", str(folder / "rig.npz")]))
    assert (folder / "lender.npz").read_bytes() == b"another's"  # a borrowed rig is left alone
    with np.load(folder / "rig.npz") as arrays:
        return face, dict(arrays)


def test_fields_come_out_in_metres_on_the_template(rigged):
    face, arrays = rigged
    assert arrays["names"].tolist() == NAMES
    chin = int(np.argmin(np.abs(face.vertices - [0.0, -0.06, 0.0]).sum(axis=1)))
    np.testing.assert_allclose(arrays["fields"][0, chin], [0.0, -0.02, 0.0], atol=5e-4)


def test_the_upper_lip_takes_no_motion_from_the_lower(rigged):
    face, arrays = rigged
    middle = list(face.below.items())[3:8]
    assert np.abs(arrays["fields"][0][[u for u, _ in middle]]).max() < 2e-3
    assert arrays["fields"][0][[v for _, v in middle], 1].max() < -0.017


def test_jaw_open_with_mouth_close_leaves_the_lips_as_they_rest(rigged):
    _, arrays = rigged
    upper, lower = arrays["lip_pairs"].T
    both = arrays["fields"][0] + arrays["fields"][1]
    assert len(upper) >= 5
    np.testing.assert_allclose(both[upper, 1], both[lower, 1], atol=2e-4)


def test_the_jaw_falls_as_far_as_the_teeth_do_without_turning(rigged):
    _, arrays = rigged
    np.testing.assert_allclose(arrays["jaw_motion"][0], [0, -0.02, 0, 0, 0, 0], atol=1e-4)


def test_eyeballs_do_not_move(rigged):
    face, arrays = rigged
    assert not arrays["fields"][:, len(face.vertices) :].any()


def test_masks_name_the_parts_that_move(rigged):
    face, arrays = rigged
    assert arrays["mask_upper_face"][face.landmarks[2]]
    assert not arrays["mask_jaw"][face.landmarks[2]]
    assert not (arrays["mask_upper_lip"] & arrays["mask_lower_lip"]).any()
    assert arrays["mask_lips"][face.landmarks[31:]].all()


def test_a_point_driven_into_a_ball_is_put_back_on_its_surface():
    ball = np.asarray(trimesh.creation.icosphere(3, 0.012).vertices)
    rest = np.array([[0.0, 0.02, 0.01], [0.0, 0.001, 0.0]])
    pose = rest.copy()
    pose[0, 1] = 0.0
    put = contact.outside(pose, rest, ball, 0.001)
    assert np.isclose(np.linalg.norm(put[0]), 0.013, atol=1e-5)
    np.testing.assert_allclose(put[1], rest[1])


def test_a_missing_shapes_file_is_named(tmp_path):
    with pytest.raises(SoliloquyError, match=r"ict_expressions\.npz is missing"):
        ict.load(tmp_path)
