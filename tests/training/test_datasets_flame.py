import sys
import types

import numpy as np
import pytest
from scipy import sparse
from scipy.spatial.transform import Rotation

from tests.training.dataset_files import VERTICES, flame_arrays, pickled, pickled_by_python_2
from training.datasets import flame
from training.datasets.errors import DatasetError

STILL = np.zeros((1, 3), np.float32)
NO_SHAPE, NO_EXPRESSION = np.zeros((1, 300), np.float32), np.zeros((1, 100), np.float32)


def saved(tmp_path, arrays):
    np.savez(tmp_path / "flame.npz", **arrays)
    return flame.load(tmp_path / "flame.npz")


def test_at_rest_the_face_is_the_template(tmp_path):
    arrays = flame_arrays()
    face = saved(tmp_path, arrays).vertices(NO_SHAPE, NO_EXPRESSION, STILL)
    assert face.shape == (1, VERTICES, 3) and face.dtype == np.float32
    assert np.allclose(face[0], arrays["v_template"], atol=1e-6)


def test_shape_and_expression_add_their_own_columns(tmp_path):
    arrays, shape, expression = flame_arrays(), NO_SHAPE.copy(), NO_EXPRESSION.copy()
    shape[0, 299], expression[0, 1] = 2, 3
    face = saved(tmp_path, arrays).vertices(shape, expression, STILL)[0]
    wanted = arrays["v_template"] + 2 * arrays["shapedirs"][..., 299]
    assert np.allclose(face, wanted + 3 * arrays["shapedirs"][..., 301], atol=1e-6)


def test_fewer_expressions_than_the_model_has_are_enough(tmp_path):
    model = saved(tmp_path, flame_arrays())
    few = np.full((1, 50), 0.5, np.float32)
    padded = np.pad(few, ((0, 0), (0, 50)))
    assert np.allclose(
        model.vertices(NO_SHAPE, few, STILL), model.vertices(NO_SHAPE, padded, STILL), atol=1e-6
    )


def test_the_jaw_turns_its_vertices_about_its_joint(tmp_path):
    arrays = flame_arrays() | {"posedirs": np.zeros((VERTICES, 3, 36))}
    arrays["weights"] = np.eye(5)[[0, 1, 2, 2, 3, 4, 2]]
    jaw = np.array([[0.3, 0.1, 0.0]], np.float32)
    face = saved(tmp_path, arrays).vertices(NO_SHAPE, NO_EXPRESSION, jaw)[0]
    joint, rest = arrays["J_regressor"][2] @ arrays["v_template"], arrays["v_template"]
    wanted = (rest - joint) @ Rotation.from_rotvec(jaw[0]).as_matrix().T + joint
    assert np.allclose(face[[2, 3, 6]], wanted[[2, 3, 6]], atol=1e-6)
    assert np.allclose(face[[0, 1, 4, 5]], rest[[0, 1, 4, 5]], atol=1e-6)


def test_pose_correctives_follow_the_jaws_matrix_less_identity(tmp_path):
    arrays = flame_arrays() | {"weights": np.eye(5)[[0] * VERTICES]}
    jaw = np.array([[0.2, 0.0, 0.0]], np.float32)
    face = saved(tmp_path, arrays).vertices(NO_SHAPE, NO_EXPRESSION, jaw)[0]
    bent = (Rotation.from_rotvec(jaw[0]).as_matrix() - np.eye(3)).ravel()
    # Joints 1 to 4 have nine columns each; the jaw's are the second nine.
    wanted = arrays["v_template"] + arrays["posedirs"][..., 9:18] @ bent
    assert np.allclose(face, wanted, atol=1e-6)


def test_joints_move_with_the_shape(tmp_path):
    arrays = flame_arrays() | {"posedirs": np.zeros((VERTICES, 3, 36))}
    arrays["weights"] = np.eye(5)[[2] * VERTICES]
    shape, jaw = NO_SHAPE.copy(), np.array([[0.0, 0.4, 0.0]], np.float32)
    shape[0, 0] = 5
    face = saved(tmp_path, arrays).vertices(shape, NO_EXPRESSION, jaw)[0]
    shaped = arrays["v_template"] + 5 * arrays["shapedirs"][..., 0]
    joint = arrays["J_regressor"][2] @ shaped
    wanted = (shaped - joint) @ Rotation.from_rotvec(jaw[0]).as_matrix().T + joint
    assert np.allclose(face, wanted, atol=1e-6)


def test_frames_are_independent(tmp_path):
    model, rng = saved(tmp_path, flame_arrays()), np.random.default_rng(1)
    shape, expression, jaw = (
        rng.normal(size=(4, width)).astype(np.float32) for width in (300, 100, 3)
    )
    whole = model.vertices(shape, expression, jaw)
    alone = model.vertices(shape[2:3], expression[2:3], jaw[2:3])
    assert np.allclose(whole[2], alone[0], atol=1e-5)


def chumpy_modules(monkeypatch):
    """Classes that pickle like chumpy's."""
    for name in ("chumpy", "chumpy.ch", "chumpy.reordering"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    made = []
    for module, name in (("chumpy.ch", "Ch"), ("chumpy.reordering", "Select")):
        made.append(type(name, (), {"__module__": module, "__qualname__": name}))
        setattr(sys.modules[module], name, made[-1])
    return made


@pytest.mark.parametrize("write", [pickled, pickled_by_python_2])
def test_the_published_pickle_reads_without_chumpy_and_scipys_classes(tmp_path, monkeypatch, write):
    arrays = flame_arrays()
    ch, select = chumpy_modules(monkeypatch)
    template, basis = ch(), ch()
    template.x, basis.x = arrays["v_template"], arrays["shapedirs"]
    shapes = select()
    shapes.a, shapes.idxs = basis, np.arange(VERTICES * 3 * 400)
    shapes.preferred_shape = (VERTICES, 3, 400)
    published = arrays | {"v_template": template, "shapedirs": shapes}
    published["J_regressor"] = sparse.csc_matrix(arrays["J_regressor"])
    write(tmp_path / "generic_model.pkl", published)
    for name in ("chumpy", "chumpy.ch", "chumpy.reordering"):
        monkeypatch.delitem(sys.modules, name)
    found, same = flame.load(tmp_path / "generic_model.pkl"), saved(tmp_path, arrays)
    assert np.array_equal(found.template, same.template)
    assert np.array_equal(found.identities, same.identities)
    assert np.array_equal(found.regressor, same.regressor)
    assert found.parents == (0, 1, 1, 1)


def test_another_pickle_is_no_model(tmp_path):
    pickled(tmp_path / "a.pkl", {"v_template": np.zeros((4, 3))})
    with pytest.raises(DatasetError, match="it has no shapedirs, posedirs"):
        flame.load(tmp_path / "a.pkl")


def test_a_model_whose_arrays_do_not_fit_is_refused(tmp_path):
    with pytest.raises(DatasetError, match=r"its weights are \(7, 4\), not \(7, 5\)"):
        saved(tmp_path, flame_arrays() | {"weights": np.zeros((VERTICES, 4))})
