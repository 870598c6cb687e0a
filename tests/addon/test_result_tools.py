"""Bake, push down, clear."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import keyframes, placing, result  # noqa: E402
from tests.addon.faces import places_at  # noqa: E402

FRAMES = range(4, 62, 4)


@pytest.fixture
def take(spoken, ball):
    """The Action of a pressed take."""
    bpy.ops.soliloquy.animate_from_audio()
    return ball.data.shape_keys.animation_data.action


def seen(face):
    return np.array([places_at(face, frame) for frame in FRAMES])


def add_blinks(face):
    """A layer of blinks that raise vertex 0 by 3 mm."""
    blink = np.zeros((len(face.data.vertices), 3), np.float32)
    blink[0, 2] = 0.03
    result.store_blink(face.data.shape_keys, blink)
    face.data.shape_keys.soliloquy.blink_interval_s = 1.0
    bpy.ops.soliloquy.add_blinks()


def test_baking_flattens_sliders_blinks_and_strips_and_looks_the_same(take, ball):
    take.soliloquy_sliders.lower, take.soliloquy_sliders.smoothing_ms = 0.7, 50
    add_blinks(ball)
    bpy.ops.soliloquy.push_down()
    before = seen(ball)
    assert bpy.ops.soliloquy.bake() == {"FINISHED"}
    np.testing.assert_allclose(seen(ball), before, atol=2e-5)
    data = ball.data.shape_keys.animation_data
    assert [found.action for found in placing.playing(ball.data.shape_keys)] == [data.action]
    assert data.action["soliloquy"]["baked"]
    assert not any(len(curve.modifiers) for curve in keyframes.our_curves(data.action))


def test_a_moved_and_slowed_strip_is_baked_as_it_plays(take, ball):
    bpy.ops.soliloquy.push_down()
    strip = ball.data.shape_keys.animation_data.nla_tracks[0].strips[0]
    strip.scale = 2.0
    before = seen(ball)
    bpy.ops.soliloquy.bake()
    np.testing.assert_allclose(seen(ball), before, atol=1e-4)


def test_pushing_down_looks_the_same_and_frees_the_action(take, ball):
    before = seen(ball)
    assert bpy.ops.soliloquy.push_down() == {"FINISHED"}
    data = ball.data.shape_keys.animation_data
    assert data.action is None
    assert [track.name for track in data.nla_tracks] == [take.name]
    np.testing.assert_array_equal(seen(ball), before)
    with pytest.raises(RuntimeError, match="No take is assigned"):
        bpy.ops.soliloquy.push_down()


def test_clearing_a_bare_mesh_leaves_it_bare(take, ball):
    add_blinks(ball)
    assert bpy.ops.soliloquy.clear() == {"FINISHED"}
    assert ball.data.shape_keys is None
    assert not bpy.data.actions


def test_clearing_leaves_the_artists_keys_action_and_tracks(spoken, ball):
    ball.shape_key_add(name="Basis")
    smile = ball.shape_key_add(name="Smile")
    smile.data[0].co.z += 1.0
    smile.value = 0.4
    smile.keyframe_insert("value", frame=10)
    theirs = ball.data.shape_keys.animation_data.action
    before = seen(ball)
    bpy.ops.soliloquy.animate_from_audio()
    bpy.ops.soliloquy.clear()
    keys = ball.data.shape_keys
    assert [key.name for key in keys.key_blocks] == ["Basis", "Smile"]
    assert keys.animation_data.action == theirs
    assert not keys.animation_data.nla_tracks
    assert list(bpy.data.actions) == [theirs]
    np.testing.assert_array_equal(seen(ball), before)


def test_clearing_keeps_what_the_artist_added_to_our_action(take, ball):
    smile = ball.shape_key_add(name="Smile")
    smile.value = 0.25
    smile.keyframe_insert("value", frame=20)
    assert ball.data.shape_keys.animation_data.action == take
    bpy.ops.soliloquy.clear()
    keys = ball.data.shape_keys
    assert [key.name for key in keys.key_blocks] == ["Basis", "Smile"]
    bpy.context.scene.frame_set(20)
    assert keys.key_blocks["Smile"].value == pytest.approx(0.25)
    assert not keyframes.is_ours(keys.animation_data.action)


def test_one_undo_brings_back_what_was_cleared(take, ball):
    before = seen(ball)
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.soliloquy.clear("EXEC_DEFAULT", True)
    bpy.ops.ed.undo()
    np.testing.assert_array_equal(seen(bpy.data.objects["Ball"]), before)


def mute_a_curve(data):
    keyframes.our_curves(data.action)[0].mute = True


def the_strip(data):
    bpy.ops.soliloquy.push_down()
    return data.nla_tracks[0].strips[0]


def repeat(data):
    the_strip(data).repeat = 2.5


def repeat_whole(data):
    the_strip(data).repeat = 2.0


def reverse(data):
    the_strip(data).use_reverse = True


def reverse_repeated(data):
    strip = the_strip(data)
    strip.repeat, strip.use_reverse, strip.scale = 1.5, True, 1.25


def animate_time(data):
    strip = the_strip(data)
    strip.use_animated_time = True
    for frame, own in ((6, 6), (58, 30)):
        strip.fcurves.find("strip_time").keyframe_points.insert(frame, own)


@pytest.mark.parametrize("change", [mute_a_curve, repeat, repeat_whole, reverse, reverse_repeated,
                                    animate_time])
def test_baking_keeps_what_is_seen_however_it_is_played(take, ball, change):
    change(ball.data.shape_keys.animation_data)
    frames = range(4, 180, 2)
    before = np.array([places_at(ball, frame) for frame in frames])
    assert bpy.ops.soliloquy.bake() == {"FINISHED"}
    after = np.array([places_at(ball, frame) for frame in frames])
    np.testing.assert_allclose(after, before, atol=2e-5)


def test_baking_leaves_blinks_that_do_not_play(take, ball):
    add_blinks(ball)
    keys = ball.data.shape_keys
    (track,), blinks = keys.animation_data.nla_tracks, keys.soliloquy.blinks
    track.mute = True
    bpy.ops.soliloquy.bake()
    assert keys.soliloquy.blinks == blinks
    assert [strip.action for strip in track.strips] == [blinks] and track.mute
    assert keyframes.BLINK not in {curve.group.name for curve in
                                   keyframes.our_curves(keys.animation_data.action)}


def test_keys_between_frames_are_pushed_down_where_they_are(take, ball):
    for curve in keyframes.our_curves(take):
        points = keyframes.points_of(curve)
        points[:, 0] += 0.75
        curve.keyframe_points.foreach_set("co", points.ravel())
        curve.update()
    before = seen(ball)
    bpy.ops.soliloquy.push_down()
    np.testing.assert_allclose(seen(ball), before, atol=1e-6)
