"""A sound strip in the sequencer -> the part of the file to animate."""

from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import audio_source, blender_compat  # noqa: E402
from blender_addon._backend import errors  # noqa: E402


@pytest.fixture
def add_strip(scene, write_wav, voice):
    """add_strip(channel=1, frame=10) -> a selected strip of 1.5 s (45 frames)."""
    path = str(write_wav(voice))
    editor = scene.sequence_editor_create()

    def add(channel=1, frame=10, name="Line"):
        try:
            strip = blender_compat.top_strips(editor).new_sound(
                name=name, filepath=path, channel=channel, frame_start=frame)
        except RuntimeError as problem:
            pytest.skip(f"this bpy has no sound strips: {problem}")
        strip.select = True
        return strip

    return add


def placed(strip, tmp_path):
    scene = bpy.context.scene
    return audio_source.from_strip(strip, scene, scene, str(tmp_path))


def test_a_whole_strip_is_its_whole_file(add_strip, tmp_path):
    sound, name, first = placed(add_strip(), tmp_path)
    assert (sound.start_s, sound.duration_s, sound.speed, sound.volume) == (0.0, None, 1.0, 1.0)
    assert (name, first) == ("Line", 10)


def test_a_trimmed_strip_is_a_part_of_its_file(add_strip, tmp_path):
    strip = add_strip()
    strip.frame_final_start, strip.frame_final_end = 25, 40
    strip.volume = 0.5
    sound, _, first = placed(strip, tmp_path)
    assert (sound.start_s, sound.duration_s, sound.volume) == (0.5, 0.5, 0.5)
    assert first == 25


def test_a_strip_moved_past_its_sound_is_refused(add_strip, tmp_path):
    strip = add_strip()
    strip.frame_final_end = 200
    strip.frame_final_start = 150
    with pytest.raises(errors.AudioError, match="'Line' shows no part of its sound"):
        placed(strip, tmp_path)


def test_a_packed_sound_is_unpacked_into_the_jobs_folder(add_strip, tmp_path, voice):
    strip = add_strip()
    original = Path(strip.sound.filepath).read_bytes()
    strip.sound.pack()
    folder = tmp_path / "job"
    folder.mkdir()
    sound = placed(strip, folder).sound
    assert sound.path.startswith(str(folder)) and sound.path.endswith(".wav")
    assert Path(sound.path).read_bytes() == original


@pytest.fixture
def retime(scene):
    """retime(strip, percent): give the strip another speed as the artist does, in a sequencer."""

    def make(strip, percent):
        window = bpy.context.window
        area = window.screen.areas[0]
        area.type = "SEQUENCE_EDITOR"
        if hasattr(bpy.context.workspace, "sequencer_scene"):
            bpy.context.workspace.sequencer_scene = scene
        scene.sequence_editor.active_strip = strip
        region = next(r for r in area.regions if r.type == "WINDOW")
        with bpy.context.temp_override(window=window, area=area, region=region, scene=scene):
            bpy.ops.sequencer.retiming_show()
            bpy.ops.sequencer.retiming_segment_speed_set(speed=percent)

    return make


def test_a_strip_at_another_speed_plays_its_part_of_the_file(add_strip, retime, tmp_path):
    strip = add_strip()
    retime(strip, 50)
    strip.frame_final_start, strip.frame_final_end = 40, 70
    sound, _, first = placed(strip, tmp_path)
    assert (sound.start_s, sound.duration_s) == pytest.approx((0.5, 0.5), abs=0.01)
    assert (sound.speed, first) == (pytest.approx(0.5, abs=0.01), 40)


def test_a_strip_at_another_speed_is_animated_for_as_long_as_it_is_heard(add_strip, retime, ball):
    retime(add_strip(), 50)
    assert bpy.ops.soliloquy.animate_from_audio() == {"FINISHED"}
    facts = ball.data.shape_keys.animation_data.action["soliloquy"]
    assert facts["first_frame"] == 10
    assert facts["last_frame"] == pytest.approx(99, abs=1)


def test_a_strip_whose_file_is_gone_is_refused(add_strip, tmp_path):
    strip = add_strip()
    strip.sound.filepath = "//gone.wav"
    with pytest.raises(errors.AudioError, match="There is no sound file"):
        placed(strip, tmp_path)


def test_of_several_selected_strips_the_active_one_counts(add_strip, scene):
    first, second = add_strip(1, name="A"), add_strip(2, name="B")
    scene.sequence_editor.active_strip = None
    assert audio_source.chosen_strip(bpy.context) is None
    scene.sequence_editor.active_strip = first
    assert audio_source.chosen_strip(bpy.context) == first
    first.select = False
    assert audio_source.chosen_strip(bpy.context) == second


def test_the_panel_says_how_many_strips_are_selected(add_strip, ball, scene):
    add_strip(1), add_strip(2)
    scene.sequence_editor.active_strip = None
    with pytest.raises(RuntimeError, match="2 sound strips are selected: select one"):
        bpy.ops.soliloquy.animate_from_audio()


def test_a_trimmed_strip_is_animated_where_it_is_heard(add_strip, ball):
    strip = add_strip()
    strip.frame_final_start, strip.frame_final_end = 40, 50
    assert bpy.ops.soliloquy.animate_from_audio() == {"FINISHED"}
    facts = ball.data.shape_keys.animation_data.action["soliloquy"]
    assert (facts["first_frame"], facts["last_frame"]) == (40, 49)
    assert facts["sound"] == "Line"


def test_a_strip_in_the_scene_that_the_workspace_shows(add_strip, ball):
    if not hasattr(bpy.context.workspace, "sequencer_scene"):
        pytest.skip("this Blender has one sequencer per scene only")
    add_strip()
    edit, shot = bpy.context.scene, bpy.data.scenes.new("Shot")
    shot.render.fps = 60
    bpy.context.window.scene = shot
    bpy.context.workspace.sequencer_scene = edit
    strip = audio_source.chosen_strip(bpy.context)
    assert strip.name == "Line"
    assert audio_source.from_strip(strip, edit, shot, "").first_frame == 20
