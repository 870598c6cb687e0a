"""What is chosen in the sequencer, and the part of its file that a plain strip plays."""

from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import audio_source, blender_compat  # noqa: E402
from blender_addon._backend import errors  # noqa: E402
from tests.addon import sequencer  # noqa: E402


@pytest.fixture
def add_strip(scene, write_wav, voice):
    """add_strip(channel=1, frame=10) -> a selected strip of 1.5 s (45 frames)."""
    path, editor = write_wav(voice), scene.sequence_editor_create()
    return lambda channel=1, frame=10, name="Line": sequencer.add_sound(
        editor, path, channel, frame, name)


def placed(tmp_path):
    return audio_source.place(bpy.context, str(tmp_path))


def test_a_whole_strip_is_its_whole_file(add_strip, tmp_path):
    add_strip()
    sound, name, first, mixing, _after = placed(tmp_path)
    assert (sound.start_s, sound.duration_s, sound.speed, sound.volume) == (0.0, None, 1.0, 1.0)
    assert (name, first, mixing) == ("Line", 10, None)


def test_a_trimmed_strip_is_a_part_of_its_file(add_strip, tmp_path):
    strip = add_strip()
    blender_compat.set_handles(strip, 25, 40)
    strip.volume = 0.5
    sound, _, first, _, after = placed(tmp_path)
    assert (sound.start_s, sound.duration_s, sound.volume) == (0.5, 0.5, 0.5)
    assert (first, after) == (25, 41)


@pytest.mark.parametrize(("offset_s", "first", "start_s", "duration_s"), [
    (0.5, 25, 0.0, 1.0), (-0.5, 10, 0.5, None)])
def test_a_sound_that_is_moved_in_its_strip_ends_with_it(
        add_strip, tmp_path, offset_s, first, start_s, duration_s):
    add_strip().sound_offset = offset_s
    placed_sound = placed(tmp_path)
    sound = placed_sound.sound
    assert (placed_sound.first_frame, sound.start_s) == (first, pytest.approx(start_s))
    assert sound.duration_s == (duration_s and pytest.approx(duration_s))


def test_a_plain_strip_may_begin_before_frame_0(add_strip, tmp_path):
    add_strip(frame=-50)
    assert placed(tmp_path).first_frame == -50


def test_a_packed_sound_is_unpacked_into_the_jobs_folder(add_strip, tmp_path):
    strip = add_strip()
    original = Path(strip.sound.filepath).read_bytes()
    strip.sound.pack()
    folder = tmp_path / "job"
    folder.mkdir()
    sound = placed(folder).sound
    assert sound.path.startswith(str(folder)) and sound.path.endswith(".wav")
    assert Path(sound.path).read_bytes() == original


def test_a_path_relative_to_the_scene_file(add_strip, tmp_path):
    strip = add_strip()
    original = strip.sound.filepath
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    strip = next(iter(blender_compat.top_strips(bpy.context.scene.sequence_editor)))
    strip.sound.filepath = bpy.path.relpath(original)
    assert strip.sound.filepath.startswith("//")
    assert placed(tmp_path).sound.path == original


def test_a_strip_is_animated_where_it_is_heard(add_strip, ball):
    strip = add_strip()
    blender_compat.set_handles(strip, 40, 50)
    assert bpy.ops.soliloquy.animate_from_audio() == {"FINISHED"}
    facts = ball.data.shape_keys.animation_data.action["soliloquy"]
    assert (facts["first_frame"], facts["last_frame"]) == (40, 49)
    assert facts["sound"] == "Line"


def test_two_strips_are_one_line_on_the_face(add_strip, ball):
    add_strip(1, 10, "A"), add_strip(2, 70, "B")
    assert bpy.ops.soliloquy.animate_from_audio() == {"FINISHED"}
    facts = ball.data.shape_keys.animation_data.action["soliloquy"]
    assert (facts["first_frame"], facts["last_frame"]) == (10, 114)
    assert facts["sound"] == "A and 1 more"


def test_a_strip_in_the_scene_that_the_workspace_shows(add_strip, tmp_path):
    if bpy.app.version < (5, 0):
        pytest.skip("this Blender has one sequencer per scene only")
    add_strip()
    edit, shot = bpy.context.scene, bpy.data.scenes.new("Shot")
    shot.render.fps = 60
    bpy.context.window.scene = shot
    bpy.context.workspace.sequencer_scene = edit
    assert audio_source.chosen(bpy.context).name == "Line"
    assert placed(tmp_path).first_frame == 20


def in_a_meta(scene):
    """The selected strips go into a closed meta strip, which is returned; they stay selected."""
    sequencer.in_sequencer(scene, bpy.ops.sequencer.meta_make)
    return scene.sequence_editor.active_strip


def test_what_is_selected_in_a_closed_meta_is_not_spoken(add_strip, scene):
    inner = add_strip(1, 10, "Inner")
    meta = in_a_meta(scene)
    meta.select = False
    assert inner.select
    with pytest.raises(errors.AudioError, match="Select a sound strip"):
        audio_source.chosen(bpy.context)
    add_strip(2, 200, "Shown")
    assert audio_source.chosen(bpy.context).describe() == "Shown, 1.5 s, from frame 200"


def test_in_an_open_meta_what_is_selected_there_is_spoken(add_strip, scene):
    add_strip(1, 10, "Inner"), add_strip(2, 30, "Second")
    meta = in_a_meta(scene)
    sequencer.in_sequencer(scene, bpy.ops.sequencer.meta_toggle)
    scene.sequence_editor.strips_all["Inner"].select = False
    assert meta.select
    assert audio_source.chosen(bpy.context).name == "Second"


def moved_off(strip):
    blender_compat.set_handles(strip, 150, 200)


@pytest.mark.parametrize(("change", "line"), [
    (moved_off, "The strip 'Line' shows no part of its sound: move its handles over the sound"),
    (lambda strip: setattr(strip, "select", False),
     "Select a sound strip in the Video Sequencer, or choose a sound file"),
    (lambda strip: setattr(strip, "mute", True),
     "The strip 'Line' is muted: unmute it (Alt H)"),
    (lambda strip: setattr(strip, "volume", 0),
     "The volume of the strip 'Line' is 0: turn it up"),
    (lambda strip: setattr(bpy.context.scene.sequence_editor.channels[1], "mute", True),
     "The channel 'Channel 1' of the strip 'Line' is muted: unmute it"),
])
def test_the_button_says_why_a_strip_is_not_heard(add_strip, ball, change, line):
    change(add_strip())
    with pytest.raises(RuntimeError) as caught:
        bpy.ops.soliloquy.animate_from_audio()
    assert str(caught.value).strip().endswith(line)


def test_a_strip_whose_file_is_gone_is_refused(add_strip, tmp_path):
    add_strip().sound.filepath = "/no such/gone.wav"
    with pytest.raises(errors.AudioError, match=r"no sound file '/no such/gone.wav' of .* 'Line'"):
        placed(tmp_path)


def test_a_strip_without_a_sound_is_refused(add_strip, tmp_path):
    add_strip().sound = None
    with pytest.raises(errors.AudioError, match="The strip 'Line' has no sound"):
        placed(tmp_path)
