"""Strips in the sequencer -> the sound that the worker hears: clicks at known seconds must come out
at known frames, whatever the sequencer does to them."""


import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import audio_source, blender_compat  # noqa: E402
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


def retimed(scene, strip, frame, percent):
    """Give the part of a strip before a frame another speed, as the artist does."""
    scene.sequence_editor.active_strip = strip
    scene.frame_set(frame)
    sequencer.in_sequencer(
        scene, bpy.ops.sequencer.retiming_show,
        lambda: bpy.ops.sequencer.retiming_key_add(timeline_frame=frame),
        lambda: bpy.ops.sequencer.retiming_segment_speed_set(speed=percent))


def test_a_speed_that_changes_within_the_strip_is_honoured(add, heard, scene):
    strip = add(frame=1, at_s=(0.5, 1.5, 2.5))
    retimed(scene, strip, 31, 50)
    keys = [key.timeline_frame for key in strip.retiming_keys]
    frames = heard()[0]
    assert len(keys) == 3 and len(frames) == 3
    assert frames[0] == pytest.approx(1 + 30, abs=0.1)


def test_a_strip_in_a_meta_is_cut_to_the_meta(add, heard, scene):
    add(frame=10, at_s=(0.5, 1.5, 2.5))
    sequencer.in_sequencer(scene, bpy.ops.sequencer.meta_make)
    meta = scene.sequence_editor.active_strip
    meta.frame_final_start, meta.frame_final_end = 30, 70
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
