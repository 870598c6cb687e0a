import numpy as np

from tests.training.slit_face import MOUTH, SIZE, slit_face
from training import regions


def test_lips_that_touch_at_rest_get_different_labels():
    face = slit_face()
    labels = regions.opening_labels(face.vertices, face.triangles, face.landmarks)
    for upper, lower in face.below.items():
        assert labels[lower] == labels[upper] + 1
        assert labels[upper] in (1, 3, 5)


def test_mouth_corners_and_far_skin_stay_free():
    face = slit_face()
    labels = regions.opening_labels(face.vertices, face.triangles, face.landmarks)
    row, start, end = MOUTH
    assert labels[[row * SIZE + start, row * SIZE + end]].tolist() == [0, 0]
    assert labels[0] == 0


def test_distance_follows_the_skin_around_the_slit():
    face = slit_face()
    graph = regions.edge_graph(face.vertices, face.triangles)
    upper = MOUTH[0] * SIZE + 16
    distance = regions.distance_from(graph, np.array([upper]))
    assert distance[upper] == 0.0
    assert distance[face.below[upper]] > 2 * 5 * 0.005


def test_a_path_visits_its_stops_in_order():
    face = slit_face()
    graph = regions.edge_graph(face.vertices, face.triangles)
    path = regions.path_through(graph, np.array([0, 4, 4 + 3 * SIZE]))
    assert path[0] == 0 and path[-1] == 4 + 3 * SIZE and 4 in path


def test_a_landmark_on_the_wrong_lip_does_not_lead_the_rim_there():
    face = slit_face()
    graph = regions.edge_graph(face.vertices, face.triangles)
    right = regions.opening_labels(face.vertices, face.triangles, face.landmarks)
    misplaced = face.landmarks.copy()
    # BIWI's published landmarks have number 48, of the lower lip, on the upper one.
    misplaced[48] = next(up for up, low in face.below.items() if low == misplaced[48])
    upper, lower = regions.rims(graph, misplaced, 0)
    assert set(lower[1:-1]) <= set(face.below.values()) and not set(upper) & set(lower[1:-1])
    np.testing.assert_array_equal(
        regions.opening_labels(face.vertices, face.triangles, misplaced), right
    )
