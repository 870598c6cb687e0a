"""Every format read back: by Blender's importer where there is one, else by its definition."""

import csv
import struct

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from tests.addon import export_formats  # noqa: E402
from tests.addon.faces import imported, opening_at, places_at  # noqa: E402

FIRST, LAST = 6, 58  # the line, and rest four frames before and after


@pytest.fixture
def export(spoken, ball, tmp_path):
    """export(kind, ending) -> the file of the talking ball."""
    bpy.ops.soliloquy.animate_from_audio()

    def write(kind, ending):
        path = tmp_path / f"talk{ending}"
        assert bpy.ops.soliloquy.export(filepath=str(path), kind=kind) == {"FINISHED"}
        assert [found.name for found in tmp_path.glob("*talk*")] == [path.name]
        return path

    return write


def seen(face):
    return np.array([places_at(face, frame) for frame in range(FIRST, LAST + 1)])


def test_pc2_holds_every_vertex_of_every_frame(export, ball):
    content = export("PC2", ".pc2").read_bytes()
    sign, version, vertices, start, rate, frames = struct.unpack("<12siiffi", content[:32])
    assert (sign, version, vertices, start, rate, frames) == (
        b"POINTCACHE2\0", 1, 42, 0.0, 1.0, LAST - FIRST + 1)
    places = np.frombuffer(content[32:], dtype="<f4").reshape(frames, vertices, 3)
    np.testing.assert_array_equal(places, seen(ball))


def test_pc2_plays_in_a_mesh_cache_modifier(export, ball):
    path, true = export("PC2", ".pc2"), seen(ball)
    copy = bpy.data.objects.new("Copy", ball.data.copy())
    copy.shape_key_clear()
    bpy.context.scene.collection.objects.link(copy)
    cache = copy.modifiers.new("Cache", "MESH_CACHE")
    cache.cache_format, cache.filepath, cache.frame_start = "PC2", str(path), FIRST
    cache.interpolation = "NONE"
    np.testing.assert_allclose(seen(copy), true, atol=1e-6)


def test_mdd_holds_times_and_places(export, ball):
    content = export("MDD", ".mdd").read_bytes()
    frames, vertices = struct.unpack(">2i", content[:8])
    assert (frames, vertices) == (LAST - FIRST + 1, 42)
    numbers = np.frombuffer(content[8:], dtype=">f4")
    np.testing.assert_allclose(numbers[:frames], np.arange(frames) / 30, rtol=1e-6)
    np.testing.assert_array_equal(numbers[frames:].reshape(frames, vertices, 3), seen(ball))


def test_point_caches_leave_modifiers_out_and_put_them_back(export, ball):
    modifier = ball.modifiers.new("Subdivision", "SUBSURF")
    content = export("PC2", ".pc2").read_bytes()
    assert struct.unpack("<i", content[16:20]) == (42,)
    assert modifier.show_viewport


def test_the_table_has_the_values_that_play(export, ball):
    action = ball.data.shape_keys.animation_data.action
    action.soliloquy_sliders.lower = 0.5
    rows = list(csv.DictReader(export("CSV", ".csv").read_text("utf-8").splitlines()))
    assert [int(row["frame"]) for row in rows] == list(range(FIRST, LAST + 1))
    bpy.context.scene.frame_set(20)
    key = ball.data.shape_keys.key_blocks["Soliloquy lower 01"]
    assert float(rows[20 - FIRST]["Soliloquy lower 01"]) == pytest.approx(key.value, abs=1e-5)
    assert float(rows[20 - FIRST]["seconds"]) == pytest.approx(14 / 30, abs=1e-5)


@pytest.mark.skipif(not bpy.app.build_options.alembic, reason="this Blender has no Alembic")
def test_alembic_plays_the_same_places(export, ball):
    path, true = export("ALEMBIC", ".abc"), seen(ball)
    copy = imported(bpy.ops.wm.alembic_import, path)
    moved = np.array([places_at(copy, frame) for frame in (8, 20, 33, 50)])
    np.testing.assert_allclose(moved, true[[2, 14, 27, 44]], atol=1e-5)


@pytest.mark.skipif(not bpy.app.build_options.usd, reason="this Blender has no USD")
def test_usd_plays_the_same_places(export, ball):
    path, true = export("USD", ".usdc"), seen(ball)
    copy = imported(bpy.ops.wm.usd_import, path)
    moved = np.array([places_at(copy, frame) for frame in (8, 20, 33, 50)])
    np.testing.assert_allclose(moved, true[[2, 14, 27, 44]], atol=1e-4)


@pytest.mark.skipif("gltf" not in dir(bpy.ops.export_scene), reason="this Blender has no glTF")
def test_gltf_opens_the_mouth_at_the_same_frames(export, ball):
    path = export("GLTF", ".glb")
    true = [opening_at(ball, frame) for frame in (8, 20, 33, 50)]
    copy = imported(bpy.ops.import_scene.gltf, path)
    # The importer counts from frame 0 and turns the axes back.
    seen_here = [opening_at(copy, frame) for frame in (8, 20, 33, 50)]
    np.testing.assert_allclose(seen_here, true, atol=1e-3)


def hide_by_eye(face):
    face.hide_set(True)


def hide_by_monitor(face):
    face.hide_viewport = True


def forbid_to_select(face):
    face.hide_select = True


def exclude(face):
    hidden = bpy.data.collections.new("Hidden")
    bpy.context.scene.collection.children.link(hidden)
    hidden.objects.link(face)
    bpy.context.scene.collection.objects.unlink(face)
    bpy.context.view_layer.layer_collection.children["Hidden"].exclude = True


def state(face):
    layer = bpy.context.view_layer
    layer.update()
    seen = face.name in layer.objects
    return (face.hide_viewport, face.hide_select, seen, seen and face.hide_get(),
            [collection.name for collection in face.users_collection])


@pytest.mark.parametrize("hide", [hide_by_eye, hide_by_monitor, forbid_to_select, exclude])
@pytest.mark.parametrize(("kind", "ending"), [("PC2", ".pc2"), ("GLTF", ".glb"), ("USD", ".usdc")])
def test_a_hidden_face_is_exported_as_any_and_stays_hidden(export, ball, hide, kind, ending):
    export_formats.need(kind)
    content = export(kind, ending).read_bytes()
    hide(ball)
    before = state(ball)
    assert export(kind, ending).read_bytes() == content
    assert state(ball) == before


def test_a_folder_that_does_not_exist_is_one_clear_line(export, tmp_path):
    with pytest.raises(RuntimeError, match="could not be written"):
        bpy.ops.soliloquy.export(filepath=str(tmp_path / "no" / "where.csv"), kind="CSV")


def test_nothing_is_exported_while_no_take_plays(export):
    bpy.ops.soliloquy.play_take(index=0)
    with pytest.raises(RuntimeError, match="No take plays"):
        bpy.ops.soliloquy.export(filepath="/x.csv", kind="CSV")


@pytest.mark.parametrize(("kind", "ending"), [("USD", ".usdc"), ("GLTF", ".glb")])
def test_what_begins_before_frame_0_is_refused_by_formats_that_would_cut_it(spoken, ball, tmp_path,
                                                                            kind, ending):
    export_formats.need(kind)
    spoken.soliloquy.first_frame = -30
    bpy.ops.soliloquy.animate_from_audio()
    with pytest.raises(RuntimeError, match="begins at frame -34, this format at 0"):
        bpy.ops.soliloquy.export(filepath=str(tmp_path / f"a{ending}"), kind=kind)
