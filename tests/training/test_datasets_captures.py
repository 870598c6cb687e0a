import struct

import numpy as np
import pytest

from tests.training import dataset_files as made
from training.datasets import captures, meshes
from training.datasets.captures import Source
from training.datasets.errors import DatasetError

FACE = made.motion(1, seed=8)[0]


def moving(frames, vertices=made.VERTICES, seed=0):
    """The face, and a little noise (T, V, 3)."""
    return FACE[:vertices] + made.motion(frames, vertices, seed) / 20


def obj(path, positions):
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [f"v {x!r} {y!r} {z!r}" for x, y, z in positions.astype(float).tolist()]
    path.write_text("\n".join(["# a face", "o head", *rows, "vn 0 0 1", "f 1 2 3", ""]))


def pc2(path, positions):
    header = struct.pack("<12siiffi", b"POINTCACHE2", 1, made.VERTICES, 1.0, 1.0, len(positions))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(header + positions.astype("<f4").tobytes())


def mdd(path, positions):
    times = (np.arange(len(positions)) / 24).astype(">f4").tobytes()
    header = struct.pack(">ii", len(positions), made.VERTICES)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(header + times + positions.astype(">f4").tobytes())


def objs(folder, positions):
    for number, frame in enumerate(positions, start=8):
        obj(folder / f"head_{number}.obj", frame)


def folder_of(root, clips, frames=12, fps=24.0):
    """Captures of these ids: motion as .npy, sounds, one template."""
    obj(root / "templates/anna.obj", FACE)
    for seed, clip in enumerate(clips):
        made.array(root / f"motion/{clip}.npy", moving(frames, seed=seed))
        made.sound(root / f"wav/{clip}.wav", frames / fps)


@pytest.mark.parametrize(("name", "save"), [
    ("anna_001.npy", made.array), ("anna_001.pc2", pc2), ("anna_001.mdd", mdd), ("anna_001", objs),
])  # fmt: skip
def test_every_kind_of_motion_reads_the_same(tmp_path, name, save):
    obj(tmp_path / "templates/anna.obj", FACE)
    save(tmp_path / "motion" / name, moving(12))
    made.sound(tmp_path / "wav/anna_001.flac", 0.5)
    dataset = captures.read(tmp_path, Source(24.0))
    assert dataset.faults == () and dataset.native_fps(dataset.clips[0]) == 24
    found = dataset.displacements(dataset.clips[0], 24)
    assert np.allclose(found, moving(12) - FACE, atol=1e-6)
    assert np.allclose(dataset.displacements(dataset.clips[0], 24, 9, 11), found[9:11])


def test_alembic_says_its_own_frame_rate(tmp_path):
    pytest.importorskip("alembic3d", reason="Alembic's reader is not installed")
    alembic(tmp_path / "motion/anna_001.abc", moving(12), 1 / 24)
    obj(tmp_path / "templates/anna.obj", FACE)
    made.sound(tmp_path / "wav/anna_001.wav", 0.5)
    dataset = captures.read(tmp_path, Source())
    assert dataset.native_fps(dataset.clips[0]) == pytest.approx(24, abs=1e-4)
    assert np.allclose(dataset.positions(dataset.clips[0], 24), moving(12), atol=1e-6)


def alembic(path, positions, step_s):
    """An archive of the face below a transform, and another mesh beside it."""
    import imath
    from alembic3d import Abc, AbcCoreAbstract, AbcGeom

    path.parent.mkdir(parents=True, exist_ok=True)
    top = Abc.OArchive(str(path)).getTop()
    for name, frames in (("face", positions), ("body", positions[:, :4])):
        parent = AbcGeom.OXform(top, f"{name}_at")
        mesh = AbcGeom.OPolyMesh(parent, name).getSchema()
        mesh.setTimeSampling(AbcCoreAbstract.TimeSampling(step_s, step_s))
        triangle = imath.IntArray(3)
        triangle[0], triangle[1], triangle[2] = 0, 1, 2
        counts = imath.IntArray(1)
        counts[0] = 3
        for frame in frames:
            points = imath.V3fArray(len(frame))
            for place, point in enumerate(frame.tolist()):
                points[place] = imath.V3f(*point)
            mesh.set(AbcGeom.OPolyMeshSchemaSample(points, triangle, counts))


def test_without_its_reader_alembic_names_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "alembic3d.Abc", None)
    (tmp_path / "a.abc").write_bytes(b"Ogawa")
    with pytest.raises(DatasetError, match=r"a\.abc: is Alembic.*pip install alembic3d==1\.8"):
        meshes.open_motion(tmp_path / "a.abc", 7, None)


def test_z_up_is_turned_so_that_the_face_looks_along_z():
    # In Blender a face looks along -y and its top is z.
    front, top, left = meshes.upright(np.array([[0, -1, 0], [0, 0, 1], [1, 0, 0]], np.float32))
    assert front.tolist() == [0, 0, 1] and top.tolist() == [0, 1, 0] and left.tolist() == [1, 0, 0]


def test_z_up_turns_motion_and_template_alike(tmp_path):
    folder_of(tmp_path, ["anna_001"])
    dataset = captures.read(tmp_path, Source(24.0, z_up=True))
    wanted = meshes.upright(moving(12) - FACE)
    assert np.allclose(dataset.displacements(dataset.clips[0], 24), wanted, atol=1e-6)


def test_names_say_subject_sentence_emotion_and_the_last_sentences_are_held_out(tmp_path):
    ids = [f"anna_{n:03d}" for n in range(1, 20)] + ["anna_take20_angry_3"]
    folder_of(tmp_path, ids)
    dataset = captures.read(tmp_path, Source(24.0))
    assert [len(dataset.split(name)) for name in ("train", "val", "test")] == [16, 2, 2]
    last = dataset.clips[-1]
    assert (last.subject, last.sentence, last.emotion, last.intensity, last.split, last.style) == (
        "anna", "take20", "angry", 3, "test", 0,
    )  # fmt: skip


def test_a_table_says_it_all_and_each_clip_may_have_its_own_rate(tmp_path):
    folder_of(tmp_path, ["take7"], frames=50, fps=50)
    (tmp_path / "clips.csv").write_text(
        "id,subject,sentence,split,emotion,intensity,fps\ntake7,anna,hello,test,happy,2,50\n"
    )
    clip = (dataset := captures.read(tmp_path, Source())).clips[0]
    assert (clip.subject, clip.split, clip.style, clip.emotion) == ("anna", "test", None, "happy")
    assert dataset.native_fps(clip) == 50


def test_a_name_that_says_nothing_is_named(tmp_path):
    folder_of(tmp_path, ["hello"])
    with pytest.raises(DatasetError, match=r"motion/hello: its name does not say who speaks"):
        captures.read(tmp_path, Source(24.0))


def test_bad_captures_are_one_line_each_and_the_others_read(tmp_path):
    ids = [f"anna_{n:03d}" for n in range(1, 7)]
    folder_of(tmp_path, ids)
    for clip in ids[:4]:
        (tmp_path / f"motion/{clip}.npy").unlink()
    pc2(tmp_path / "motion/anna_001.pc2", moving(12))
    path = tmp_path / "motion/anna_001.pc2"
    path.write_bytes(path.read_bytes()[:-4])
    (tmp_path / "motion/anna_002.mdd").write_bytes(b"\0\0")
    objs(tmp_path / "motion/anna_003", moving(3))
    obj(tmp_path / "motion/anna_003/8.obj", moving(1)[0])
    (tmp_path / "wav/anna_005.wav").unlink()
    dataset = captures.read(tmp_path, Source(24.0))
    assert [clip.id for clip in dataset.clips] == ["anna_006"]
    assert dataset.missing == ("motion/anna_004", "wav/anna_005.wav")
    lines = [str(fault) for fault in dataset.faults]
    assert "anna_001.pc2: is truncated: it says 12 frames" in lines[0]
    assert "anna_002.mdd: is damaged: it ends within its header" in lines[1]
    assert "anna_003: holds 4 .obj files, 3 frame numbers" in lines[2]


def test_an_obj_of_another_face_is_named_when_read(tmp_path):
    obj(tmp_path / "templates/anna.obj", FACE)
    objs(tmp_path / "motion/anna_001", moving(12))
    obj(tmp_path / "motion/anna_001/head_10.obj", moving(1, 3)[0])
    made.sound(tmp_path / "wav/anna_001.wav", 0.5)
    dataset = captures.read(tmp_path, Source(24.0))
    with pytest.raises(DatasetError, match=r"head_10\.obj: has 3 vertices, not 7"):
        dataset.positions(dataset.clips[0], 24)


def test_without_a_frame_rate_npy_is_a_fault(tmp_path):
    folder_of(tmp_path, ["anna_001"])
    fault = captures.read(tmp_path, Source()).faults[0]
    assert str(fault).endswith("anna_001.npy: does not say its frame rate. Give --fps.")


def test_templates_of_different_meshes_are_refused(tmp_path):
    folder_of(tmp_path, ["anna_001"])
    obj(tmp_path / "templates/ben.obj", made.motion(1, 9)[0])
    with pytest.raises(DatasetError, match=r"templates: its templates are not alike"):
        captures.read(tmp_path, Source(24.0))


@pytest.mark.parametrize("change", [
    lambda motion: motion + 1, lambda motion: motion * 100, lambda motion: motion[:, ::-1],
    meshes.upright,
])  # fmt: skip
def test_motion_exported_unlike_its_neutral_face_is_a_fault(tmp_path, change):
    folder_of(tmp_path, ["anna_001"])
    made.array(tmp_path / "motion/anna_001.npy", change(moving(12)))
    fault = str(captures.read(tmp_path, Source(24.0)).faults[0])
    assert "of the face's size away from its neutral face. Export both in the same place" in fault
