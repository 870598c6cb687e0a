"""Emotions painted in the sequencer: where ranges go, and what becomes of them."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import audio_source, blender_compat, emotion_strips  # noqa: E402
from blender_addon._backend import errors  # noqa: E402
from tests.addon import sequencer  # noqa: E402
from tests.addon.faces import add_ball  # noqa: E402


@pytest.fixture
def stage(ball, scene, emotional_pack):
    """The scene with a face whose model knows emotions, at frame 1."""
    scene.soliloquy.model = str(emotional_pack)
    return scene


@pytest.fixture
def line(stage, write_wav, voice):
    """A selected strip of 1.5 s from frame 10."""
    return sequencer.add_sound(stage.sequence_editor_create(), write_wav(voice), 2, 10)


def add(scene, emotion, marked=None, **more):
    """Paint an emotion over the frames from the first to the last one marked."""
    scene.use_preview_range = marked is not None
    if marked:
        scene.frame_preview_end = 100
        scene.frame_preview_start, scene.frame_preview_end = marked
    return bpy.ops.soliloquy.add_emotion("EXEC_DEFAULT", True, emotion=emotion, **more)


def painted(scene):
    """Emotion and frames (first, after) of each range."""
    return [(strip.soliloquy.emotion, blender_compat.left_handle(strip),
             blender_compat.right_handle(strip)) for strip in emotion_strips.of_scene(scene)]


def test_the_preview_range_is_painted_with_its_last_frame(stage):
    assert add(stage, "angry", (20, 39), intensity=0.8, fade_s=0.3) == {"FINISHED"}
    (strip,) = emotion_strips.of_scene(stage)
    assert painted(stage) == [("angry", 20, 40)]
    assert (strip.name, strip.soliloquy.fade_s) == ("angry 80%", pytest.approx(0.3))


def test_the_whole_sound_is_painted_when_the_playhead_is_outside(stage, line):
    add(stage, "angry")
    assert painted(stage) == [("angry", 10, 55)]


def test_from_the_playhead_on_another_emotion_begins(stage, line):
    add(stage, "angry")
    for frame, emotion in ((30, "surprised"), (20, "neutral"), (30, "angry")):
        stage.frame_set(frame)
        add(stage, emotion)
    assert painted(stage) == [("angry", 10, 20), ("neutral", 20, 30), ("angry", 30, 55)]


def test_a_file_is_painted_from_its_beginning_in_the_frames_of_the_sequencers_scene(stage):
    cut = sequencer.shown_scene(fps=24)
    stage.soliloquy.source, stage.soliloquy.first_frame = "FILE", 31
    add(stage, "angry")
    assert painted(cut) == [("angry", 24, 72)]


def test_a_range_inside_another_splits_it_and_both_parts_keep_its_settings(stage):
    add(stage, "angry", (10, 59), intensity=0.6)
    add(stage, "surprised", (30, 39))
    assert painted(stage) == [("angry", 10, 30), ("surprised", 30, 40), ("angry", 40, 60)]
    first, _, last = emotion_strips.of_scene(stage)
    assert last.soliloquy.intensity == first.soliloquy.intensity == pytest.approx(0.6)
    assert last.name == "angry 60% (2)" and last.mute


def test_ranges_of_another_face_are_not_painted_over(stage):
    add(stage, "angry", (10, 59))
    (strip,) = emotion_strips.of_scene(stage)
    strip.soliloquy.face = add_ball("Ben")
    add(stage, "surprised", (30, 39))
    assert painted(stage) == [("angry", 10, 60), ("surprised", 30, 40)]
    assert len({each.channel for each in emotion_strips.of_scene(stage)}) == 2


def test_a_range_of_a_removed_face_is_split_as_that_and_not_painted_over(stage):
    add(stage, "angry", (10, 59))
    (strip,) = emotion_strips.of_scene(stage)
    strip.soliloquy.face = ben = add_ball("Ben")
    emotion_strips.paint(stage, emotion_strips.Range("angry", 1.0, 30, 40), ben)
    bpy.data.objects.remove(ben)
    add(stage, "surprised", (15, 19))
    assert [(first, after) for _, first, after in painted(stage)] == [
        (10, 30), (15, 20), (30, 40), (40, 60)]
    assert [emotion_strips.lost_face(each) for each in emotion_strips.of_scene(stage)] == [
        "Ben", "", "Ben", "Ben"]


def test_ranges_lie_above_the_sound_on_a_channel_named_for_them(stage, line):
    add(stage, "angry", (20, 29))
    add(stage, "angry", (30, 39))
    assert {strip.channel for strip in emotion_strips.of_scene(stage)} == {3}
    assert stage.sequence_editor.channels[3].name == "Emotions"


def test_a_second_emotion_begins_as_half_of_the_range(stage):
    add(stage, "angry", (20, 39))
    (strip,) = emotion_strips.of_scene(stage)
    strip.soliloquy.other = "surprised"
    assert (strip.name, strip.soliloquy.share) == ("angry + surprised 100%", 0.5)


def test_adding_is_one_step_to_undo(stage):
    bpy.ops.ed.undo_push(message="before")
    add(stage, "angry", (20, 39))
    add(stage, "surprised", (30, 49))
    bpy.ops.ed.undo()
    assert painted(bpy.context.scene) == [("angry", 20, 40)]
    bpy.ops.ed.undo()
    assert painted(bpy.context.scene) == []


def test_ranges_survive_saving_and_reopening(stage, ball, tmp_path):
    add(stage, "angry", (20, 39), intensity=1.2)
    given = emotion_strips.of_scene(stage)[0].soliloquy
    given.other, given.share, given.face = "surprised", 0.3, ball
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    (strip,) = emotion_strips.of_scene(bpy.context.scene)
    kept = strip.soliloquy
    assert (kept.emotion, kept.other, kept.face.name) == ("angry", "surprised", "Ball")
    assert (kept.intensity, kept.share) == pytest.approx((1.2, 0.3))


def test_changing_acts_on_the_selected_ranges_or_the_one_under_the_playhead(stage):
    for first in (10, 20, 30):
        add(stage, "angry", (first, first + 9))
    one, two, three = emotion_strips.of_scene(stage)
    one.select, two.select, three.select = True, True, False
    bpy.ops.soliloquy.set_emotion(emotion="surprised")
    one.select = two.select = False
    stage.frame_set(35)
    bpy.ops.soliloquy.set_emotion(intensity=0.5)
    assert [strip.name for strip in (one, two, three)] == [
        "surprised 100%", "surprised 100% (2)", "angry 50%"]


def test_removing_and_clearing_leave_other_strips(stage, line):
    for first in (10, 20, 30):
        add(stage, "angry", (first, first + 9))
    stage.frame_set(25)
    emotion_strips.choose(stage, emotion_strips.of_scene(stage)[1])
    bpy.ops.soliloquy.remove_emotion()
    assert painted(stage) == [("angry", 10, 20), ("angry", 30, 40)]
    bpy.ops.soliloquy.clear_emotions()
    assert [strip.name for strip in blender_compat.all_strips(stage.sequence_editor)] == ["Line"]


def test_the_list_follows_the_playhead_and_choosing_in_it_keeps_the_sound_selected(stage, line):
    for first in (10, 20):
        add(stage, "angry", (first, first + 9))
    every = list(blender_compat.all_strips(stage.sequence_editor))
    one, two = emotion_strips.of_scene(stage)
    stage.soliloquy_emotions.active = every.index(one)
    assert (line.select, one.select, two.select) == (True, True, False)
    one.select = False
    stage.frame_set(22)
    assert every[stage.soliloquy_emotions.active] == two


def test_a_selected_range_means_the_sound_beneath_it(stage, line):
    add(stage, "angry", (20, 29))
    line.select = False
    assert [strip.name for strip in audio_source.chosen(bpy.context).strips] == ["Line"]


def grouped(scene, *ranges):
    """The ranges in a closed meta strip, which is returned, not selected, with them selected."""
    for strip in blender_compat.all_strips(scene.sequence_editor):
        strip.select = strip in ranges
    sequencer.in_sequencer(scene, bpy.ops.sequencer.meta_make)
    meta = scene.sequence_editor.active_strip
    meta.select = False
    return meta


def test_ranges_selected_in_a_closed_meta_are_not_meant_but_the_list_chooses_them(stage):
    for first in (10, 20):
        add(stage, "angry", (first, first + 9))
    hidden, shown = emotion_strips.of_scene(stage)
    shown.select = False
    grouped(stage, hidden)
    stage.frame_set(25)
    assert hidden.select
    assert emotion_strips.chosen(stage) == [shown]
    every = list(blender_compat.all_strips(stage.sequence_editor))
    stage.soliloquy_emotions.active = every.index(hidden)
    assert emotion_strips.chosen(stage) == [hidden]


def test_a_range_in_a_meta_means_the_sound_beneath_it(stage, line):
    add(stage, "angry", (20, 29))
    (strip,) = emotion_strips.of_scene(stage)
    grouped(stage, strip)
    emotion_strips.choose(stage, strip)
    assert audio_source.chosen(bpy.context).name == "Line"


def test_an_unknown_emotion_is_one_clear_line(stage):
    with pytest.raises(RuntimeError, match=r"no emotion 'bored'\. Choose one of: neutral, surpri"):
        add(stage, "bored", (20, 39))


def test_a_model_without_emotions_makes_the_button_grey_and_says_so(stage, tiny_pack):
    stage.soliloquy.model = str(tiny_pack)
    with pytest.raises(RuntimeError, match="knows no emotions: choose one that does"):
        add(stage, "angry", (20, 39))


def rendered(scene, path):
    """The brightest channel of a picture that is black where the sequencer does not show."""
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(camera)
    scene.camera, scene.render.engine, scene.cycles.samples = camera, "CYCLES", 1
    scene.render.resolution_x = scene.render.resolution_y = 8
    scene.render.filepath, scene.render.use_sequencer = str(path), True
    bpy.ops.render.render(write_still=True)
    return np.array(bpy.data.images.load(str(path)).pixels).reshape(-1, 4)


def test_a_range_never_hides_the_scene_from_a_render(stage, tmp_path):
    add(stage, "angry", (1, 39))
    emotion_strips.of_scene(stage)[0].mute = False
    picture = rendered(stage, tmp_path / "a.png")
    assert picture[:, :3].max() < 0.5  # the strip is bright red


def test_ranges_grouped_in_metas_never_hide_the_scene_and_still_count(stage, tmp_path, line):
    add(stage, "angry", (1, 39))
    add(stage, "surprised", (40, 50))
    one, two = emotion_strips.of_scene(stage)
    inner = grouped(stage, one)
    outer = grouped(stage, inner, two)
    assert (inner.mute, outer.mute) == (False, False)
    picture = rendered(stage, tmp_path / "a.png")
    # Blender's own picture of an empty scene is opaque, that of an empty sequencer is not.
    assert picture[:, 3].min() == 1
    assert (inner.mute, outer.mute, line.mute) == (True, True, False)
    assert [emotion_strips.is_on(stage, strip) for strip in (one, two)] == [True, True]


def test_a_meta_with_sound_and_ranges_is_not_muted(stage, line, tmp_path):
    add(stage, "angry", (1, 39))
    meta = grouped(stage, line, *emotion_strips.of_scene(stage))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    assert (meta.mute, line.mute) == (False, False)


def test_a_selected_meta_of_ranges_is_no_sound(stage, line):
    add(stage, "angry", (20, 29))
    grouped(stage, *emotion_strips.of_scene(stage)).select = True
    with pytest.raises(errors.AudioError, match="Select a sound strip in the Video Sequencer"):
        audio_source.chosen(bpy.context)
    line.select = True
    assert audio_source.chosen(bpy.context).name == "Line"


def test_a_saved_file_has_its_ranges_muted(stage, tmp_path):
    add(stage, "angry", (1, 39))
    emotion_strips.of_scene(stage)[0].mute = False
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    assert emotion_strips.of_scene(stage)[0].mute
