"""From painted ranges to the worker's message and the face's keys."""

import json
from dataclasses import replace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from backend import messages  # noqa: E402
from backend.messages import EmotionSpan  # noqa: E402
from blender_addon import batch, blender_compat, emotion_strips, result, worker  # noqa: E402
from blender_addon.emotion_ranges import Range  # noqa: E402
from tests.addon import sequencer  # noqa: E402
from tests.addon.faces import SCALE, add_ball, places_at, rest_places  # noqa: E402

SURPRISED_M = 0.02


@pytest.fixture
def stage(spoken, emotional_pack):
    """The ball with a voice of 1.5 s from frame 10, its model knows emotions."""
    spoken.soliloquy.model = str(emotional_pack)
    return spoken


@pytest.fixture
def asked(monkeypatch):
    """What the worker was asked for, in order."""
    sent, send = [], worker.Worker.send

    def recorded(self, message):
        sent.append(message)
        send(self, message)

    monkeypatch.setattr(worker.Worker, "send", recorded)
    return sent


def paint(scene, emotion="surprised", first=20, after=40, face=None, **more):
    given = replace(Range(emotion, 1.0, first, after), **more)
    return emotion_strips.paint(scene, given, face)


def press(**arguments):
    return bpy.ops.soliloquy.animate_from_audio("EXEC_DEFAULT", **arguments)


def brow_m(face, frames=range(10, 55)):
    """How far the highest vertex in front is lifted at frames, in the pack's metres."""
    rest = rest_places(face)
    brow = np.where(rest[:, 1] < -1e-3, rest[:, 2], -1).argmax()
    return np.array([places_at(face, frame)[brow, 2] - rest[brow, 2] for frame in frames]) / SCALE


def test_a_painted_range_changes_the_keys_there_and_not_beyond_its_cross_fade(stage, ball):
    press()
    heard = brow_m(ball)
    paint(stage, fade_s=0.2)
    press()
    change = brow_m(ball) - heard
    frames = np.arange(10, 55)
    inside, fading = (frames >= 23) & (frames < 37), 3
    np.testing.assert_allclose(change[inside], SURPRISED_M, atol=1e-3)
    far = (frames <= 20 - fading) | (frames >= 40 + fading)
    assert far.sum() > 15 and np.abs(change[far]).max() < 2e-4
    assert change[10] == pytest.approx(SURPRISED_M / 2, abs=2e-3)


def test_an_intensity_scales_what_is_done_to_the_face(stage, ball):
    for intensity in (0.5, 1.0):
        paint(stage, first=0, after=90, intensity=intensity)
        press()
        assert brow_m(ball).max() == pytest.approx(intensity * SURPRISED_M, abs=1e-3)


@pytest.mark.parametrize(("fps", "fps_base"), [(24, 1.0), (24, 1.001)])
def test_the_worker_hears_of_seconds_of_the_sound_of_an_offset_strip(
        stage, write_wav, voice, asked, fps, fps_base):
    stage.render.fps, stage.render.fps_base = fps, fps_base
    strip = sequencer.add_sound(stage.sequence_editor_create(), write_wav(voice), 1, 50)
    blender_compat.set_handles(strip, 62, round(blender_compat.right_handle(strip)))
    stage.soliloquy.source = "STRIP"
    paint(stage, first=70, after=80)
    press()
    (span,) = asked[-1].emotions
    frame_s = fps_base / fps  # Blender keeps fps_base in single precision
    assert span.start_s == pytest.approx(8 * frame_s, rel=1e-7)
    assert span.end_s == pytest.approx(18 * frame_s, rel=1e-7)
    assert asked[-1].start_s == pytest.approx(12 * frame_s, rel=1e-7)


def test_ranges_in_another_scenes_sequencer_are_read_at_that_scenes_rate(stage, asked):
    cut = sequencer.shown_scene(24)
    paint(cut, first=16, after=24)  # 20 to 30 at the face's 30 fps, the sound begins at 10
    press()
    (span,) = asked[-1].emotions
    assert (span.start_s, span.end_s) == pytest.approx((1 / 3, 2 / 3), abs=1e-9)


def test_blends_and_intensities_arrive_exactly(stage, asked):
    strip = paint(stage, "surprised", 25, 40, intensity=0.8)
    strip.soliloquy.other, strip.soliloquy.share, strip.soliloquy.fade_s = "angry", 0.3, 0.4
    paint(stage, "angry", 40, 90, intensity=1.5)
    press()
    lane = (EmotionSpan("surprised", 0.8, 0.5, 1.0, 0.4, 0.7),
            EmotionSpan("angry", 0.8, 0.5, 1.0, 0.4, 0.3),
            EmotionSpan("angry", 1.5, 1.0, 80 / 30, 0.8, 1.0))
    assert asked[-1].emotions == lane
    assert messages.decode(messages.encode(asked[-1])).emotions == lane


def test_each_line_of_a_scene_feels_what_is_painted_over_it(stage, ball, write_wav, voice, asked):
    editor, wav = stage.sequence_editor_create(), write_wav(voice)
    for name, frame in (("Ball 01", 10), ("Ball 02", 60)):
        sequencer.add_sound(editor, wav, 1, frame, name)
    paint(stage, "angry", 40, 80)
    paint(stage, "surprised", 80, 90)
    bpy.ops.soliloquy.list_lines()
    assert bpy.ops.soliloquy.animate_scene() == {"FINISHED"}
    felt = [[span.name for span in job.emotions] for job in asked if hasattr(job, "emotions")]
    assert felt == [["angry"], ["angry", "surprised"]]


def test_a_range_of_a_face_that_was_removed_counts_for_nobody_until_it_is_for_another(
        stage, ball, asked):
    strip = paint(stage, "angry", 10, 30, add_ball("Ben"))
    bpy.data.objects.remove(bpy.data.objects["Ben"])
    assert strip.soliloquy.face is None
    press()
    assert asked[-1].emotions == ()
    for face in (ball, None):
        strip.soliloquy.face = face
        press()
        assert [span.name for span in asked[-1].emotions] == ["angry"]


def test_ranges_switched_off_or_of_another_face_do_not_count(stage, ball, asked):
    paint(stage, "angry", 10, 20).soliloquy.use = False
    paint(stage, "angry", 20, 30, add_ball("Ben"))
    paint(stage, "surprised", 30, 40, ball)
    press()
    assert [span.name for span in asked[-1].emotions] == ["surprised"]
    for strip in emotion_strips.of_scene(stage):
        stage.sequence_editor.channels[strip.channel].mute = True
    press()
    assert asked[-1].emotions == ()


def test_a_range_in_a_meta_strip_ends_with_it(stage, asked):
    paint(stage, "angry", 20, 40)
    sequencer.in_sequencer(stage, bpy.ops.sequencer.meta_make)
    meta = next(iter(blender_compat.top_strips(stage.sequence_editor)))
    blender_compat.set_handles(meta, 25, 40)
    press()
    assert (asked[-1].emotions[0].start_s, asked[-1].emotions[0].end_s) == (0.5, 1.0)
    bpy.ops.soliloquy.clear_emotions()
    assert not emotion_strips.of_scene(stage) and len(blender_compat.top_strips(meta)) == 0


def test_an_emotion_that_the_model_does_not_know_is_one_clear_error(stage, ball, asked):
    paint(stage, "bored")
    with pytest.raises(RuntimeError, match=r"no emotion 'bored'\. Choose one of: neutral, surpri"):
        press()
    assert not asked and ball.data.shape_keys is None


def test_a_model_without_emotions_speaks_as_if_nothing_was_painted(stage, tiny_pack, asked):
    paint(stage)
    stage.soliloquy.model = str(tiny_pack)
    assert press() == {"FINISHED"} and asked[-1].emotions == ()


def test_generating_again_feels_the_same_whatever_is_painted_now(stage, ball, asked):
    paint(stage, intensity=0.7)
    press()
    felt, lane = brow_m(ball), asked[-1].emotions
    paint(stage, "angry", 0, 90)
    bpy.ops.soliloquy.generate_again(new_seed=False)
    assert asked[-1].emotions == lane and lane[0].intensity == 0.7
    np.testing.assert_allclose(brow_m(ball), felt, atol=1e-5)


def test_redoing_a_range_feels_the_same(stage, ball, asked):
    paint(stage)
    press()
    stage.use_preview_range = True
    stage.frame_preview_end, stage.frame_preview_start = 40, 30
    bpy.ops.soliloquy.redo_range()
    assert [span.name for span in asked[-1].emotions] == ["surprised"]
    assert brow_m(ball, [34])[0] == pytest.approx(SURPRISED_M, abs=1e-3)


def test_a_range_can_be_redone_with_what_is_painted_now(stage, ball, asked):
    press()
    heard = brow_m(ball)
    paint(stage, first=0, after=90)
    stage.use_preview_range = True
    stage.frame_preview_end, stage.frame_preview_start = 44, 30
    bpy.ops.soliloquy.redo_range(repaint=True)
    change, frames = brow_m(ball) - heard, np.arange(10, 55)
    inside, far = (frames > 36) & (frames < 40), (frames < 22) | (frames > 52)
    np.testing.assert_allclose(change[inside], SURPRISED_M, atol=1e-3)
    assert np.abs(change[far]).max() < 2e-4
    lane = asked[-1].emotions
    bpy.ops.soliloquy.clear_emotions()
    bpy.ops.soliloquy.generate_again()
    assert asked[-1].emotions == lane and len(lane) == 1


def test_a_take_says_what_was_painted(stage, ball):
    paint(stage)
    press()
    facts = result.chosen(ball.data.shape_keys)["soliloquy"]
    assert json.loads(facts["request"])["emotions"] == [
        {"name": "surprised", "intensity": 1.0, "start_s": 1 / 3, "end_s": 1.0, "fade_s": 0.8,
         "weight": 1.0}]


def test_a_script_gives_emotions_as_the_command_line_spells_them(stage, asked):
    paint(stage)
    press(emotions="angry:0.5@0.2-0.8; neutral@0.8-1")
    assert asked[-1].emotions == (EmotionSpan("angry", 0.5, 0.2, 0.8),
                                  EmotionSpan("neutral", 1.0, 0.8, 1.0))
    with pytest.raises(RuntimeError, match="'angry:' is not understood"):
        press(emotions="angry:")


@pytest.fixture
def command(stage, tmp_path):
    """command(*more) -> run batch.py on the saved stage, on which 'surprised' is painted."""
    paint(stage)
    settings, path = stage.soliloquy, str(tmp_path / "stage.blend")
    plain = [f"--scene={path}", f"--audio={settings.filepath}", "--object=Ball", "--frame=10",
             f"--model={settings.model}", f"--out={tmp_path / 'out.blend'}"]
    bpy.ops.wm.save_as_mainfile(filepath=path)
    return lambda *more: batch.main([*plain, *more])


def test_a_batch_feels_what_is_painted_in_its_scene(command, asked):
    assert command() == 0
    assert [(span.name, span.end_s) for span in asked[-1].emotions] == [("surprised", 1.0)]


def test_a_batch_is_told_emotions_as_the_backend_is(command, asked):
    assert command("--emotion=angry:0.5", "--emotion", "neutral@1-1.5") == 0
    assert asked[-1].emotions == (EmotionSpan("angry", 0.5), EmotionSpan("neutral", 1.0, 1.0, 1.5))


def test_a_list_of_lines_has_a_column_for_emotions(command, asked, tmp_path):
    jobs = tmp_path / "jobs.csv"
    jobs.write_text("seed,emotion\n1,angry:0.5; neutral@1-1.5\n2,\n")
    assert command(f"--jobs={jobs}") == 0
    assert [[span.name for span in job.emotions] for job in asked if hasattr(job, "emotions")] == [
        ["angry", "neutral"], ["surprised"]]


def test_a_batch_with_an_unknown_emotion_is_one_line_and_exit_code_2(command, capfd):
    assert command("--emotion=bored") == 2
    assert "no emotion 'bored'. Choose one of: neutral" in capfd.readouterr().err
