"""Paint What Is Heard: from the voice to ranges in the sequencer."""

import math

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from backend import pack  # noqa: E402
from blender_addon import blender_compat, emotion_hearing, emotion_strips, session  # noqa: E402
from blender_addon._backend import errors, messages  # noqa: E402
from blender_addon.audio_source import PlacedSound  # noqa: E402
from blender_addon.emotion_ranges import Range  # noqa: E402
from blender_addon.job import Sound  # noqa: E402
from tests.addon import sequencer  # noqa: E402
from tests.data import make_tiny_pack  # noqa: E402


@pytest.fixture
def stage(ball, scene, tmp_path, write_wav):
    """The ball, a sound of 3 s from frame 10 that is neutral and then angry, and a model that hears
    it."""
    made = make_tiny_pack.make_emotional(tmp_path / "emotional")
    np.savez(made.path / "emotions.npz", amounts=np.array([0, 1], np.float32),
             prototypes=np.array([[[0], [0]], [[0], [0.5]], [[0], [-0.5]]], np.float32))
    pack.write(made.path, made.manifest)
    settings = scene.soliloquy
    settings.model, settings.source, settings.first_frame = str(made.path), "FILE", 10
    settings.filepath = str(write_wav(np.repeat(np.array([0, -0.98], np.float32), 24000)))
    return scene


def press():
    return bpy.ops.soliloquy.paint_heard("EXEC_DEFAULT")


def painted(scene):
    """Emotion, intensity and frames of each range."""
    return [(strip.soliloquy.emotion, strip.soliloquy.intensity,
             blender_compat.left_handle(strip), blender_compat.right_handle(strip))
            for strip in emotion_strips.of_scene(scene)]


def test_what_is_heard_lies_over_the_sound_without_a_gap(stage):
    assert press() == {"FINISHED"}
    (calm, angry) = painted(stage)
    assert calm[:3] == ("neutral", 1.0, 10) and angry[:2] == ("angry", 1.0)
    assert calm[3] == angry[2] == pytest.approx(55, abs=3) and angry[3] == 100
    assert session.CURRENT.message == "Heard: neutral 100%, angry 100%"
    assert "press Animate from Audio" in session.CURRENT.hint


def test_the_next_press_asks_for_what_was_heard(stage, ball):
    press()
    assert bpy.ops.soliloquy.animate_from_audio("EXEC_DEFAULT") == {"FINISHED"}
    lane = ball.data.shape_keys.soliloquy.takes[0].action["soliloquy"]["request"]
    assert '"name": "angry"' in lane and '"name": "neutral"' in lane


def test_earlier_ranges_for_everybody_give_way_and_those_of_one_face_stay(stage, ball):
    emotion_strips.paint(stage, Range("surprised", 1.0, 30, 90), None)
    emotion_strips.paint(stage, Range("surprised", 0.5, 30, 90), ball)
    press()
    left = sorted(row[:2] for row in painted(stage))
    assert left == [("angry", 1.0), ("neutral", 1.0), ("surprised", 0.5)]


def test_a_strip_in_a_sequencer_of_another_rate_is_heard_where_it_lies(stage):
    cut = sequencer.shown_scene(24)
    stage.soliloquy.source = "STRIP"
    sequencer.add_sound(cut.sequence_editor_create(), stage.soliloquy.filepath, 1, 12)
    press()
    (_, _, first, _), *_, (_, _, _, after) = painted(cut)
    assert (first, after) == (12, 12 + 72)


@pytest.mark.parametrize(("first_frame", "face_fps", "fps", "ends_s", "after_frame", "edges"), [
    (10.0, 30, 30, (1.5, 3.0), math.inf, [10, 55, 100]),
    (10.0, 24, 24, (1.0, 46 / 30), 10 + 36 + 1, [10, 34, 46]),  # a line of 36 frames
    (25 * 7 / 24, 25, 24, (1.0, 2.0), math.inf, [7, 31, 55]),  # 7 comes out a little below 7
    (0.4, 30, 30, (1.0, 2.0), math.inf, [0, 30, 61])])
def test_ranges_cover_the_sound_in_whole_frames_and_no_neighbour(
        first_frame, face_fps, fps, ends_s, after_frame, edges):
    spans = [messages.EmotionSpan("sad", 1.0, 0.0, ends_s[0]),
             messages.EmotionSpan("angry", 0.5, *ends_s)]
    placed = PlacedSound(Sound("a.wav"), "a", first_frame, None, after_frame)
    sad, angry = emotion_hearing.ranges(spans, placed, face_fps, fps)
    assert [sad.first, sad.after, angry.after] == edges and angry.first == sad.after


def test_a_sound_that_is_selected_stays_so_and_ranges_are_not(stage):
    strip = sequencer.add_sound(stage.sequence_editor_create(), stage.soliloquy.filepath, 1, 12)
    stage.soliloquy.source = "STRIP"
    press()
    assert strip.select and not any(each.select for each in emotion_strips.of_scene(stage))


def test_ranges_that_say_which_sound_is_meant_go_on_saying_it(stage):
    editor = stage.sequence_editor_create()
    path = stage.soliloquy.filepath
    first, second = (sequencer.add_sound(editor, path, 1, frame) for frame in (12, 102))
    first.select = second.select = False
    stage.soliloquy.source = "STRIP"
    emotion_strips.paint(stage, Range("surprised", 1.0, 20, 30), None)
    assert emotion_strips.sounds_beneath(stage) == [first]
    press()
    assert emotion_strips.sounds_beneath(stage) == [first]


def test_a_model_without_emotions_greys_it_out(stage, tiny_pack):
    stage.soliloquy.model = str(tiny_pack)
    reason = emotion_hearing.SOLILOQUY_OT_paint_heard.disabled_reason(bpy.context)
    assert reason.endswith("knows no emotions: choose one that does")
    with pytest.raises(RuntimeError, match="knows no emotions"):
        press()


def test_without_a_sound_it_says_so(stage):
    stage.soliloquy.filepath = ""
    reason = emotion_hearing.SOLILOQUY_OT_paint_heard.disabled_reason(bpy.context)
    assert reason == "Choose a sound file"


def test_a_damaged_sound_paints_nothing_and_leaves_no_file(stage, tmp_path):
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"no sound at all")
    stage.soliloquy.filepath = str(broken)
    with pytest.raises(RuntimeError, match=r"broken\.wav"):
        press()
    assert painted(stage) == [] and session.CURRENT.job is None
    assert not list(session.CURRENT.folder.glob("job-*"))


def test_a_sequencer_that_is_gone_by_then_is_named(stage):
    operator = type("Operator", (), {"_scene": "Gone"})()
    with pytest.raises(errors.RequestError, match="'Gone' was renamed or deleted"):
        emotion_hearing.SOLILOQUY_OT_paint_heard.done(operator, [])


def test_one_undo_step_takes_all_ranges_back(stage):
    bpy.context.preferences.edit.use_global_undo = True
    bpy.ops.ed.undo_push(message="before")
    press()
    bpy.ops.ed.undo_push(message="Paint What Is Heard")
    assert len(painted(stage)) == 2
    bpy.ops.ed.undo()
    assert painted(bpy.context.scene) == []
