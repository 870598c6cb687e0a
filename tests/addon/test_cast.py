"""Many strips and many faces in one press."""

import threading
import time

import pytest

bpy = pytest.importorskip("bpy")
pytest.importorskip("aud", reason="this bpy is built without sound")

from blender_addon import blender_compat, cast, emotion_strips, session  # noqa: E402
from tests.addon import sequencer  # noqa: E402
from tests.addon.faces import SCALE, add_ball, opening_at  # noqa: E402


@pytest.fixture
def play(ball, scene, write_wav, voice):
    """Anna says two lines, Ben one; the strips are named and placed as an editor would."""
    add_ball("Anna"), add_ball("Ben")
    strips = blender_compat.top_strips(scene.sequence_editor_create())
    path = str(write_wav(voice))
    for name, channel, frame in (("anna_01.wav", 1, 1), ("SH010-Ben", 2, 60), ("take3", 3, 130)):
        strips.new_sound(name, path, channel, frame)
    scene.sequence_editor.channels[3].name = "Anna"
    scene.soliloquy.source = "STRIP"
    bpy.ops.soliloquy.list_lines()
    return scene


def seen(scene):
    return [(line.name, line.face and line.face.name) for line in scene.soliloquy_cast.lines]


@pytest.mark.parametrize(("strip", "channel", "found"), [
    ("anna_01.wav", "Channel 1", "Anna"), ("sh010 anna marie 2", "", "Anna Marie"),
    ("hannah", "", ""), ("line", "Anna", "Anna"), ("ben", "Anna", "Ben")])
def test_a_strip_belongs_to_the_face_whose_name_it_or_its_channel_bears(strip, channel, found):
    assert cast.speaker(strip, channel, ["Anna", "Anna Marie", "Ben"]) == found


def test_lines_are_listed_with_their_faces_and_keep_what_the_artist_chose(play):
    assert seen(play) == [("anna_01.wav", "Anna"), ("SH010-Ben", "Ben"), ("take3", "Anna")]
    play.soliloquy_cast.lines[0].face = bpy.data.objects["Ben"]
    bpy.ops.soliloquy.list_lines()
    assert seen(play)[0] == ("anna_01.wav", "Ben")


def test_one_press_animates_every_line_on_its_face(play):
    play.soliloquy.seed = 4
    assert bpy.ops.soliloquy.animate_scene() == {"FINISHED"}
    anna, ben = bpy.data.objects["Anna"], bpy.data.objects["Ben"]
    assert [opening_at(face, frame) > 0.01 * SCALE for face, frame in
            ((anna, 10), (anna, 70), (ben, 70), (ben, 10), (anna, 140))] == [
                True, False, True, False, True]
    assert session.CURRENT.message == "Lines animated: 3 of 3"
    assert (play.soliloquy.source, play.soliloquy.face.name) == ("STRIP", "Ball")


def test_lines_in_a_meta_strip_are_said_by_their_faces(play):
    every = play.sequence_editor.strips_all
    for strip in every:
        strip.select = strip.name != "take3"
    sequencer.in_sequencer(play, bpy.ops.sequencer.meta_make)
    selected = [strip.select for strip in every]
    assert bpy.ops.soliloquy.animate_scene() == {"FINISHED"}
    assert session.CURRENT.message == "Lines animated: 3 of 3"
    firsts = {action["soliloquy"]["sound"]: action["soliloquy"]["first_frame"]
              for action in bpy.data.actions}
    assert firsts == {"anna_01.wav": 1, "SH010-Ben": 60, "take3": 130}
    assert [strip.select for strip in every] == selected


def test_a_line_whose_strip_was_renamed_says_nothing_else_that_is_selected(play, emotional_pack):
    play.soliloquy.model = str(emotional_pack)
    play.sequence_editor.strips_all["SH010-Ben"].name = "another"
    emotion_strips.paint(play, emotion_strips.Range("angry", 1.0, 1, 30), None)
    assert bpy.ops.soliloquy.animate_scene() == {"FINISHED"}
    assert session.CURRENT.message == "Lines animated: 2 of 3"
    assert "The strip 'SH010-Ben' was renamed or removed: press List" in session.CURRENT.hint
    assert bpy.data.objects["Ben"].data.shape_keys is None


def test_a_line_that_fails_is_named_and_the_others_are_animated(play, tmp_path):
    play.sequence_editor.strips_all["SH010-Ben"].sound.filepath = str(tmp_path / "gone.wav")
    strip = play.sequence_editor.strips_all["anna_01.wav"]
    strip.sound = strip.sound.copy()
    strip.sound.filepath = str(tmp_path / "voice.wav")
    third = play.sequence_editor.strips_all["take3"]
    third.sound = strip.sound
    assert bpy.ops.soliloquy.animate_scene() == {"FINISHED"}
    assert session.CURRENT.message == "Lines animated: 2 of 3"
    assert "SH010-Ben: There is no sound file" in session.CURRENT.hint
    assert bpy.data.objects["Ben"].data.shape_keys is None


def test_cancelling_keeps_what_is_written_and_begins_no_other_line(play):
    play.soliloquy.steps = 900

    def cancel_soon():
        while "Line 2" not in session.CURRENT.queue or session.CURRENT.job is None:
            time.sleep(0.005)
        session.CURRENT.job.cancel()

    thread = threading.Thread(target=cancel_soon)
    thread.start()
    assert bpy.ops.soliloquy.animate_scene() == {"FINISHED"}
    thread.join()
    assert session.CURRENT.message == "Lines animated: 1 of 3"
    assert bpy.data.objects["Ben"].data.shape_keys is None


def test_one_undo_takes_all_lines_back(play):
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.soliloquy.animate_scene("EXEC_DEFAULT", True)
    assert len(bpy.data.actions) == 3
    bpy.ops.ed.undo()
    assert len(bpy.data.actions) == 0


def test_the_button_says_what_is_missing(scene, play):
    for line in play.soliloquy_cast.lines:
        line.use = False
    assert cast.SOLILOQUY_OT_animate_scene.disabled_reason(bpy.context) == (
        "Choose a face beside a line")
    play.soliloquy_cast.lines.clear()
    assert cast.SOLILOQUY_OT_animate_scene.disabled_reason(bpy.context) == (
        "Press List the Lines first")
