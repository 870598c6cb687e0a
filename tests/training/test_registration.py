import numpy as np
import trimesh
from scipy import sparse
from scipy.spatial.transform import Rotation

from training.registration import (
    LabelledLookup,
    Samples,
    Surface,
    fit_similarity,
    opposite,
    register,
)
from training.transfer import carry, extend


def ball(radii: list[float]) -> Surface:
    mesh = trimesh.creation.icosphere(3)
    points = np.asarray(mesh.vertices) * radii
    marks = sparse.csr_matrix((np.ones(51), (np.arange(51), np.arange(51))), shape=(51, 642))
    return Surface(points, np.asarray(mesh.faces), np.zeros(642, dtype=np.int64), marks)


def test_a_similarity_is_recovered_exactly():
    points = np.random.default_rng(0).normal(size=(20, 3))
    turn = Rotation.from_euler("xyz", [0.3, -0.5, 1.0]).as_matrix()
    pose = fit_similarity(points, 2.5 * points @ turn.T + [1.0, 2.0, 3.0])
    assert np.isclose(pose.scale, 2.5)
    np.testing.assert_allclose(pose.rotation, turn, atol=1e-12)
    np.testing.assert_allclose(pose.undo(pose.apply(points)), points, atol=1e-12)


def test_a_ball_registers_onto_an_ellipsoid_within_one_percent():
    registered = register(ball([1, 1, 1]), ball([2.0, 2.4, 1.8]))
    radius = np.linalg.norm(registered / [2.0, 2.4, 1.8], axis=1)
    np.testing.assert_allclose(radius, 1.0, atol=0.01)


def test_a_match_never_crosses_the_opening_even_when_the_other_lip_is_nearer():
    points = np.array([[0.0, 0.3, 0.0], [0.0, 0.1, 0.0]])
    forward = np.tile([0.0, 0.0, 1.0], (2, 1))
    samples = Samples(
        np.zeros((2, 3), int), np.eye(3)[:2], points, forward, np.array([1, 2]), np.zeros(2, bool)
    )
    match = LabelledLookup(samples).closest(np.zeros((1, 3)), forward[:1], np.array([1]), 1.0)
    assert match.sample.tolist() == [0]
    assert [opposite(label) for label in (0, 1, 2, 3, 4)] == [-1, 2, 1, 4, 3]


def test_extension_keeps_a_constant_and_fills_the_unknown_with_it():
    triangles = ball([1, 1, 1]).triangles
    known = np.arange(642) % 3 == 0
    filled = extend(known, np.full((642, 2), 7.0), triangles, 0.3)
    np.testing.assert_allclose(filled, 7.0, rtol=1e-3)


def test_a_smooth_field_is_carried_onto_another_mesh_of_the_same_shape():
    source, target = ball([1, 1, 1]), ball([1, 1, 1])
    field = np.stack([target.vertices[:, 1], np.ones(642), target.vertices[:, 0]], axis=1)
    felt = carry(source.vertices, source, target, field[None], 0.3)
    np.testing.assert_allclose(felt[0], field, atol=0.02)
