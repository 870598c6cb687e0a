import argparse

import numpy as np
import pytest
import trimesh
from scipy import sparse
from scipy.spatial.transform import Rotation

from blender_addon.head import drive
from tests.training.slit_face import slit_face
from training import contact, correspondence, head_operator, jaw, lids, rig_file

SCALE = 1.3
NAMES = ["jawOpen", "eyeBlink_R", "eyeBlink_L"]
EYES = np.array([[-0.03, 0.03, -0.02], [0.03, 0.03, -0.02]])


def with_eyes(face):
    """The slit face's vertices and triangles with two loose eyeballs of 42 vertices."""
    vertices, triangles = [face.vertices], [face.triangles]
    for centre in EYES:
        ball = trimesh.creation.icosphere(1, 0.018)
        triangles.append(np.asarray(ball.faces) + sum(map(len, vertices)))
        vertices.append(np.asarray(ball.vertices) + centre)
    return np.concatenate(vertices), np.concatenate(triangles)


def fields_of(face, count):
    """jawOpen lowers all below the mouth by 5 mm; a blink brings the upper rim down by 2 mm."""
    fields = np.zeros((3, count, 3))
    upper = np.array(list(face.below))
    low = face.vertices[:, 1] < -0.029
    low[upper[:11]] = False
    fields[0, np.flatnonzero(low), 1] = -0.005
    for row, rim in ((1, upper[11:18]), (2, upper[18:])):
        fields[row, rim, 1] = -0.002
    return fields


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("correspondence")
    face = slit_face()
    vertices, triangles = with_eyes(face)
    fields = fields_of(face, len(vertices))
    motion = np.zeros((3, 6))
    motion[0, 1] = -0.005
    upper, lower = np.array(list(face.below.items())).T
    np.savez(
        folder / "rig.npz", names=NAMES, fields=fields, template=vertices, faces=triangles,
        landmarks=face.landmarks, jaw_motion=motion, jaw_pivot=np.zeros(3),
        lip_pairs=np.stack([upper[3:8], lower[3:8]], axis=1),
        **{mask: np.ones(3, bool) for mask in rig_file.MASKS},
    )  # fmt: skip
    skin = len(face.vertices)
    np.savez(
        folder / "head.npz", vertices=vertices * SCALE, landmarks=face.landmarks,
        faces=np.column_stack([triangles, np.full(len(triangles), -1)]),
        part=np.repeat([0, 1, 2], [skin, 42, 42]), part_names=["skin", "eye_right", "eye_left"],
    )  # fmt: skip
    parser = argparse.ArgumentParser()
    correspondence.add_arguments(parser)
    files = ["--rig", "rig.npz", "--head", "head.npz", "--out-reference", "reference.npz"]
    files += ["--out-head", "flame.npz"]
    correspondence.run(
        parser.parse_args([f if f.startswith("--") else str(folder / f) for f in files])
    )
    driven = drive.drive(fields, drive.load(folder / "flame.npz"))
    return face, vertices, driven, dict(np.load(folder / "reference.npz"))


def test_a_head_one_third_larger_moves_one_third_further(built):
    face, _, driven, _ = built
    chin = int(np.argmin(np.abs(face.vertices - [0.0, -0.035, 0.0]).sum(axis=1)))
    np.testing.assert_allclose(driven[0, chin], [0.0, -0.005 * SCALE, 0.0], atol=1e-4)


def test_the_upper_lip_stays_while_the_lower_falls(built):
    face, _, driven, _ = built
    middle = list(face.below.items())[3:8]
    assert np.abs(driven[0][[upper for upper, _ in middle]]).max() < 1e-3
    assert driven[0][[lower for _, lower in middle], 1].max() < -0.004


def test_an_eyeball_only_draws_back_in_a_blink(built):
    face, _, driven, _ = built
    balls = driven[:, len(face.vertices) :]
    assert not balls[..., :2].any()
    np.testing.assert_allclose(balls[..., 2].min(), -correspondence.EYE_RETREAT_M, rtol=1e-2)
    assert balls[..., 2].max() <= 0.0


def test_the_reference_fits_the_template_without_scaling(built):
    _, vertices, _, reference = built
    np.testing.assert_allclose(reference["rest"], vertices, atol=1e-3)
    assert reference["lip_pairs"].shape == (5, 2)


def test_a_turned_and_doubled_ball_has_that_turn_times_two_at_every_vertex():
    ball = trimesh.creation.icosphere(2)
    wanted = 2.0 * Rotation.from_euler("xyz", [0.2, 0.7, -0.4]).as_matrix()
    points = np.asarray(ball.vertices)
    found = head_operator.local_matrices(points, points @ wanted.T, np.asarray(ball.faces))
    np.testing.assert_allclose(found, np.broadcast_to(wanted, found.shape), atol=5e-3)


def test_a_stretch_beyond_the_limits_is_clipped():
    tamed = head_operator.tame(np.diag([10.0, 1.0, 0.01])[None], 1.0)
    np.testing.assert_allclose(tamed[0], np.diag([1.7, 1.0, 0.6]), atol=1e-12)


def test_weights_across_an_opening_are_dropped_and_rows_sum_to_one():
    weight = sparse.csr_matrix([[0.5, 0.3, 0.2]])
    kept = head_operator.keep_apart(weight, np.array([1]), np.array([2, 1, 0]))
    np.testing.assert_allclose(kept.toarray(), [[0.0, 0.6, 0.4]])


def test_a_small_turn_of_the_jaw_is_recovered_from_the_skin():
    rng = np.random.default_rng(0)
    arms = rng.normal(scale=0.05, size=(40, 3))
    motion = np.array([0.001, -0.002, 0.0, 0.01, 0.0, 0.005])
    moved = (jaw.motion_design(arms) @ motion).reshape(1, 40, 3)
    np.testing.assert_allclose(jaw.rigid_motion(arms, moved)[0], motion, atol=1e-12)


def test_the_learnt_jaw_solver_tells_a_turn_from_a_smile():
    rng = np.random.default_rng(1)
    arms = rng.normal(scale=0.05, size=(40, 3))
    motion = np.zeros((7, 6))
    motion[:6] = np.eye(6) * [0.02, 0.02, 0.02, 0.3, 0.3, 0.3]
    fields = (motion @ jaw.motion_design(arms).T).reshape(7, 40, 3)
    fields[6] = rng.normal(scale=0.01, size=(40, 3))
    found = fields.reshape(7, -1) @ jaw.solver_for(fields, motion).T
    np.testing.assert_allclose(found, motion, atol=1e-4)


def test_lid_closure_is_one_at_a_blink_and_zero_when_both_lids_rise():
    face = slit_face()
    rims = contact.rims_of(face.vertices, face.triangles, face.landmarks, 1)
    blink = np.zeros_like(face.vertices)
    blink[rims.upper[1:-1], 1] = -0.004
    closure = lids.closure_readout(face.vertices, rims, blink)
    assert np.isclose(closure.weights @ blink[closure.vertices, 1], 1.0)
    assert np.isclose(closure.weights.sum(), 0.0, atol=1e-9)


def test_a_lid_swings_down_to_the_lower_rim_and_keeps_off_the_eyeball():
    rest = np.array([[-0.01, 0.0, 0.02], [0.0, 0.01, 0.02], [0.0, -0.01, 0.02], [0.01, 0, 0.02]])
    rims = contact.Rims(np.array([0, 1, 3]), np.array([0, 2, 3]))
    swing = lids.swing_of(rest, np.zeros_like(rest), rims, np.zeros((1, 3)))
    moved = rest[1:2] + swing.turn(rest[1:2], np.ones(1), 0.0, settle=False)
    np.testing.assert_allclose(moved, rest[2:3], atol=1e-12)


def test_driving_is_linear_in_the_displacements():
    rng = np.random.default_rng(2)
    made = drive.Correspondence(
        index=rng.integers(0, 9, (4, 2)), weight=rng.random((4, 2), dtype=np.float32),
        matrix=rng.random((4, 3, 3), dtype=np.float32), readout_index=np.array([1, 5]),
        readout=rng.random((2, 6), dtype=np.float32),
        shapes=rng.random((2, 4, 3), dtype=np.float32),
    )  # fmt: skip
    frames = rng.random((70, 9, 3), dtype=np.float32)
    twice = drive.drive(2.0 * frames, made)
    assert twice.shape == (70, made.vertex_count, 3)
    np.testing.assert_allclose(twice, 2.0 * drive.drive(frames, made), rtol=1e-5)
