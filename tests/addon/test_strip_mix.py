"""Strips in the sequencer -> the sound that the worker hears: clicks at known seconds must come out
at known frames, whatever the sequencer does to them."""


import re
from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import audio_source, blender_compat, strip_mix  # noqa: E402
from blender_addon._backend import errors  # noqa: E402
from tests.addon import sequencer  # noqa: E402


@pytest.fixture
def add(scene, write_wav):
    """add(channel=1, frame=1, name="Line", at_s=(0.5, 1.5, 2.5)) -> a selected strip of 3 s."""
    editor = scene.sequence_editor_create()

    def make(channel=1, frame=1, name="Line", at_s=(0.5, 1.5, 2.5), **more):
        path = write_wav(sequencer.clicks(3, at_s, **more), name=f"{name} ä 話.wav",
                         rate_hz=more.get("rate_hz", 16000))
        return sequencer.add_sound(editor, path, channel, frame, name)

    return make


@pytest.fixture
def heard(tmp_path):
    """heard() -> (the frames at which the chosen sound clicks, its file, its first frame)."""

    def hear():
        context = bpy.context
        scenes = list(bpy.data.scenes)
        placed = audio_source.place(context, str(tmp_path))
        shares = list(placed.mixing or ())
        assert shares == sorted(shares) and (not shares or shares[-1] == 1.0)
        assert list(bpy.data.scenes) == scenes
        fps = audio_source.scene_fps(context.scene)
        frames = placed.first_frame + sequencer.clicks_in(placed.sound.path) * fps
        return frames, placed.sound.path, placed.first_frame

    return hear


def test_two_strips_with_a_gap_are_one_sound(add, heard):
    add(frame=10, at_s=(0.5,)), add(frame=130, name="Next", at_s=(1.0,))
    frames, _, first = heard()
    assert first == 10
    np.testing.assert_allclose(frames, [25, 160], atol=0.02)


def test_overlapping_strips_are_heard_together(add, heard):
    add(1, 10, "A", (0.5, 2.0)), add(2, 40, "B", (0.5, 2.0))
    np.testing.assert_allclose(heard()[0], [25, 55, 70, 100], atol=0.02)


def test_the_panel_says_what_will_be_spoken(add):
    add(1, 10, "A")
    assert audio_source.chosen(bpy.context).describe() == "A, 3.0 s, from frame 10"
    add(2, 82, "B")
    assert audio_source.chosen(bpy.context).describe() == "2 strips, 5.4 s, from frame 10"
    assert audio_source.chosen(bpy.context).name == "A and 1 more"


def test_a_strip_that_is_not_selected_is_not_heard(add, heard):
    add(1, 10, "A", (0.5,)), add(2, 40, "B", (0.5,)), add(3, 10, "Music", (1.2,))
    bpy.context.scene.sequence_editor.strips_all["Music"].select = False
    np.testing.assert_allclose(heard()[0], [25, 55], atol=0.02)


@pytest.mark.parametrize(("fps", "base", "percent"), [(30, 1.0, 50), (24, 1.001, 50),
                                                      (60, 1.0, 200), (25, 1.0, 80)])
def test_a_speed_that_changes_within_the_strip_is_honoured(add, heard, scene, fps, base, percent):
    scene.render.fps, scene.render.fps_base = fps, base
    strip = add(frame=1)
    change_speed_after(scene, strip, 1 + fps, percent)
    content = np.array([0.5, 1.5, 2.5]) * fps / base
    expected = 1 + np.where(content < fps, content, fps + (content - fps) * 100 / percent)
    # Blender's retiming keys lie on whole frames, so it plays up to one frame off itself.
    np.testing.assert_allclose(heard()[0], expected, atol=max(1.0, 0.02 * fps))


@pytest.mark.parametrize(("before", "after"), [(25, 30), (60, 24)])
def test_a_trimmed_strip_whose_scene_got_another_rate_is_heard_as_blender_plays_it(
        add, heard, scene, tmp_path, before, after):
    scene.render.fps = before
    strip = add(frame=30, at_s=(0.5, 1.5, 2.5))
    blender_compat.set_handles(strip, 30 + before // 3 + 1, 30 + 3 * before)
    scene.render.fps = after
    bpy.context.view_layer.update()
    end = round(blender_compat.right_handle(strip))
    strip_mix._mix_down(scene, 0, end, str(tmp_path / "whole.wav"))
    played = sequencer.clicks_in(tmp_path / "whole.wav") * after
    assert len(played) == 3
    np.testing.assert_allclose(heard()[0], played, atol=0.05)


def change_speed_after(scene, strip, frame, percent):
    """Give the part of a strip after a frame another speed, as the artist does."""
    scene.sequence_editor.active_strip = strip
    sequencer.in_sequencer(
        scene, bpy.ops.sequencer.retiming_show,
        lambda: bpy.ops.sequencer.retiming_key_add(timeline_frame=frame))
    last = strip.retiming_keys[-1]
    last.timeline_frame = round(frame + (last.timeline_frame - frame) * 100 / percent)


def test_a_strip_in_a_meta_is_cut_to_the_meta(add, heard, scene):
    add(frame=10, at_s=(0.5, 1.5, 2.5))
    sequencer.in_sequencer(scene, bpy.ops.sequencer.meta_make)
    meta = scene.sequence_editor.active_strip
    blender_compat.set_handles(meta, 30, 70)
    assert audio_source.chosen(bpy.context).span == (30, 70)
    np.testing.assert_allclose(heard()[0], [55], atol=0.02)


def test_animated_volume_is_honoured(add, heard, scene):
    strip = add(frame=1, at_s=(0.5, 1.5, 2.5))
    for frame, volume in ((1, 0.0), (91, 1.0)):
        strip.volume = volume
        strip.keyframe_insert("volume", frame=frame)
    for curve in blender_compat.curves_of(scene.animation_data.action):
        for point in curve.keyframe_points:
            point.interpolation = "LINEAR"
    _, path, _ = heard()
    loudness = sequencer.peaks_in(path)
    np.testing.assert_allclose(loudness / loudness[1], np.array([15, 45, 75]) / 45, atol=0.05)


def test_the_scene_is_all_that_plays_in_its_range(add, heard, scene):
    add(1, 10, "A", (0.5, 2.0)).select = False
    add(2, 40, "B", (0.5, 2.0)).mute = True
    scene.soliloquy.source, scene.frame_start, scene.frame_end = "SCENE", 20, 60
    assert audio_source.chosen(bpy.context).span == (20, 61)
    np.testing.assert_allclose(heard()[0], [25], atol=0.02)
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 60, 900
    assert audio_source.chosen(bpy.context).span == (60, 100)
    np.testing.assert_allclose(heard()[0], [70], atol=0.02)


def test_a_scene_without_sound_says_so(scene):
    scene.soliloquy.source = "SCENE"
    with pytest.raises(errors.AudioError, match="'Scene' has no sound in the frames 1 to 250"):
        audio_source.chosen(bpy.context)


def test_a_scene_strip_is_heard_with_the_sound_of_its_scene(add, heard, scene):
    add(1, 10, "A", (0.5, 2.0)).select = False
    edit = bpy.data.scenes.new("Edit")
    edit.render.fps = 30
    strip = edit.sequence_editor_create().strips.new_scene("Shot", scene, 1, 101)
    strip.select, strip.scene_input = True, "SEQUENCER"
    bpy.context.window.scene = edit
    if hasattr(bpy.context.workspace, "sequencer_scene"):
        bpy.context.workspace.sequencer_scene = edit
    offset = 101 - scene.frame_start
    np.testing.assert_allclose(heard()[0], np.array([25, 70]) + offset, atol=0.02)


@pytest.fixture
def movie(scene, write_wav, tmp_path):
    """A movie of 3 s that clicks at 0.5 and 2 s, made by Blender; skips where it cannot."""
    editor = scene.sequence_editor_create()
    path = write_wav(sequencer.clicks(3, (0.5, 2.0)), name="in the movie.wav")
    sequencer.add_sound(editor, path, 1, 1)
    return sequencer.render_movie(scene, tmp_path / "shot ä.mov", 90)


def test_a_movie_strip_alone_is_heard(movie, heard, scene):
    strip = scene.sequence_editor.strips.new_movie("Shot", str(movie), 1, 31)
    strip.select = True
    blender_compat.set_handles(strip, 61, round(blender_compat.right_handle(strip)))
    # 2 s, or a frame more: versions of Blender count a movie's last frame differently.
    assert re.fullmatch(r"Shot, 2\.[01] s, from frame 61",
                        audio_source.chosen(bpy.context).describe())
    np.testing.assert_allclose(heard()[0], [91], atol=1)


def test_a_movie_beside_its_own_sound_is_not_heard_twice(movie, scene):
    strips = scene.sequence_editor.strips
    strips.new_movie("Shot", str(movie), 1, 31).select = True
    strips.new_sound("Shot.001", str(movie), 2, 31).select = True
    assert audio_source.chosen(bpy.context).name == "Shot.001"


def test_the_sound_strip_of_a_movie_is_mixed(movie, heard, scene):
    """What Blender makes of a movie that is dropped: picture and sound, both selected."""
    strips = scene.sequence_editor.strips
    strips.new_movie("Shot", str(movie), 1, 31).select = True
    strips.new_sound("Shot.001", str(movie), 2, 31).select = True
    frames, path, first = heard()
    assert (Path(path).name, first) == ("mix.wav", 31)
    np.testing.assert_allclose(frames, [46, 91], atol=0.5)


def test_a_movie_without_sound_is_refused(scene, tmp_path):
    scene.sequence_editor_create()
    path = sequencer.render_movie(scene, tmp_path / "mute.mov", 10)
    strips = blender_compat.top_strips(scene.sequence_editor)
    strips.new_movie("Mute", str(path), 1, 1).select = True
    placed = audio_source.place(bpy.context, str(tmp_path))
    silent = ("strip 'Mute' has no sound that Blender can read"
              if bpy.app.build_options.audaspace else "This Blender cannot mix sound")
    with pytest.raises(errors.AudioError, match=silent):
        list(placed.mixing)


def test_a_movie_that_changes_its_speed_is_refused(movie, scene, tmp_path):
    strip = scene.sequence_editor.strips.new_movie("Shot", str(movie), 1, 31)
    strip.select = True
    change_speed_after(scene, strip, 61, 50)
    with pytest.raises(errors.AudioError, match="'Shot' changes its speed"):
        audio_source.place(bpy.context, str(tmp_path))


def test_strips_that_begin_before_frame_0_are_refused_when_they_must_be_mixed(add, tmp_path):
    add(1, -20, "A"), add(2, 10, "B")
    with pytest.raises(errors.AudioError, match="'A and 1 more' begins at frame -20"):
        audio_source.place(bpy.context, str(tmp_path))


def test_a_scene_whose_audio_is_muted_is_named_when_its_strips_must_be_mixed(add, scene, tmp_path):
    add(1, 10, "A"), add(2, 40, "B")
    scene.use_audio = False
    with pytest.raises(errors.AudioError, match="audio of the scene 'Scene' is muted") as caught:
        audio_source.place(bpy.context, str(tmp_path))
    assert caught.value.hint == "Tick Play Audio under Playback in the Timeline."


def test_a_mix_in_short_parts_is_that_in_one(add, heard, monkeypatch):
    add(1, 10, "A"), add(2, 40, "B", rate_hz=44100)
    monkeypatch.setattr(strip_mix, "_FIRST_PART_S", 9.0)
    whole = Path(heard()[1]).read_bytes()
    monkeypatch.setattr(strip_mix, "_FIRST_PART_S", 0.1)
    monkeypatch.setattr(strip_mix, "_LONGEST_PART_S", 0.1)
    parts = Path(heard()[1]).read_bytes()
    assert len(parts) == len(whole)
    difference = np.frombuffer(parts[44:], "<i2").astype(int) - np.frombuffer(whole[44:], "<i2")
    assert np.abs(difference).max() < 0.05 * 32768


def test_a_dropped_mix_leaves_nothing(add, tmp_path, monkeypatch):
    add(1, 10, "A"), add(2, 40, "B")
    monkeypatch.setattr(strip_mix, "_samples", lambda *_: None)
    mixing = audio_source.place(bpy.context, str(tmp_path)).mixing
    next(mixing)
    assert len(bpy.data.scenes) == 2
    mixing.close()
    assert [scene.name for scene in bpy.data.scenes] == ["Scene"]


def test_a_scene_deleted_while_it_is_mixed_is_one_clear_line(add, tmp_path, monkeypatch):
    add(1, 10, "A"), add(2, 40, "B")
    monkeypatch.setattr(strip_mix, "_FIRST_PART_S", 1.0)
    monkeypatch.setattr(strip_mix, "_LONGEST_PART_S", 1.0)
    mixing = audio_source.place(bpy.context, str(tmp_path)).mixing
    next(mixing)
    bpy.context.scene.name = "Renamed"
    with pytest.raises(errors.AudioError, match="The scene 'Scene' or its strips were renamed"):
        next(mixing)
