"""What the artist had on the face stays: keys, values, drivers, Actions, NLA."""

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import blender_compat  # noqa: E402
from tests.addon.faces import opening_at, places_at  # noqa: E402


def press():
    return bpy.ops.soliloquy.animate_from_audio()


@pytest.fixture
def smile(spoken, ball):
    """The ball with the artist's own key "Smile" that lifts vertex 0 by 1 at value 1."""
    ball.shape_key_add(name="Basis")
    key = ball.shape_key_add(name='Smi"le')
    key.data[0].co.z += 1.0
    return key


def animate(face, first=0.0, last=1.0, name="Artist"):
    """The artist's Action: Smile from `first` at frame 1 to `last` at frame 101."""
    key = next(k for k in face.data.shape_keys.key_blocks if k.name.startswith("Smi"))
    for frame, value in ((1, first), (101, last)):
        key.value = value
        key.keyframe_insert("value", frame=frame)
    action = face.data.shape_keys.animation_data.action
    action.name = name
    for curve in blender_compat.curves_of(action):
        for point in curve.keyframe_points:
            point.interpolation = "LINEAR"
    return action


def smile_at(face, frame):
    """The evaluated value of the artist's key."""
    bpy.context.scene.frame_set(frame)
    graph = bpy.context.evaluated_depsgraph_get()
    keys = face.data.shape_keys.evaluated_get(graph)
    return next(k for k in keys.key_blocks if k.name.startswith("Smi")).value


def test_keys_and_their_values_stay(smile, ball):
    smile.value = 0.3
    rest = [tuple(point.co) for point in smile.points]
    press()
    key = ball.data.shape_keys.key_blocks['Smi"le']
    assert key.value == pytest.approx(0.3)
    assert [tuple(point.co) for point in key.points] == rest
    assert not key.mute
    assert ball.data.shape_keys.key_blocks[0].name == "Basis"


def test_the_active_key_stays(smile, ball):
    ball.active_shape_key_index = 1
    press()
    assert ball.active_shape_key.name == 'Smi"le'


def test_an_assigned_action_plays_on_beside_ours(smile, ball):
    theirs = animate(ball)
    press()
    data = ball.data.shape_keys.animation_data
    assert data.action == theirs
    assert smile_at(ball, 51) == pytest.approx(0.5, abs=1e-3)
    smile_free = opening_at(ball, 20)
    assert smile_free > 0.05
    assert len(blender_compat.curves_of(theirs)) == 1


def test_a_second_press_beside_an_artists_action_does_not_double(smile, ball):
    animate(ball)
    press()
    once = opening_at(ball, 20)
    press()
    assert opening_at(ball, 20) == pytest.approx(once, abs=1e-4)
    assert smile_at(ball, 51) == pytest.approx(0.5, abs=1e-3)


def test_nla_tracks_stay_and_play(smile, ball):
    theirs = animate(ball)
    data = ball.data.shape_keys.animation_data
    track = data.nla_tracks.new()
    track.name = "Mine"
    strip = track.strips.new("Mine", 1, theirs)
    blender_compat.set_slot(strip, theirs)
    data.action = None
    press()
    assert data.nla_tracks[0].name == "Mine"
    assert data.nla_tracks[0].strips[0].action == theirs
    assert smile_at(ball, 51) == pytest.approx(0.5, abs=1e-3)
    assert opening_at(ball, 20) > 0.05


def test_drivers_stay_and_drive(smile, ball):
    curve = smile.driver_add("value")
    curve.driver.expression = "0.25"
    press()
    assert [d.data_path for d in ball.data.shape_keys.animation_data.drivers] == [
        'key_blocks["Smi\\"le"].value']
    assert smile_at(ball, 20) == pytest.approx(0.25)
    assert opening_at(ball, 20) > 0.05


def test_an_action_on_the_object_stays(spoken, ball):
    ball.location.x = 1.0
    ball.keyframe_insert("location", frame=1)
    theirs = ball.animation_data.action
    press()
    assert ball.animation_data.action == theirs
    assert {a.name for a in bpy.data.actions} == {theirs.name, "Soliloquy voice 0"}


def test_our_action_edited_by_the_artist_plays_on_after_the_next_press(smile, ball):
    press()
    ours = ball.data.shape_keys.animation_data.action
    key = ball.data.shape_keys.key_blocks['Smi"le']
    for frame, value in ((1, 0.0), (101, 1.0)):
        key.value = value
        key.keyframe_insert("value", frame=frame)
    for curve in blender_compat.curves_of(ours):
        for point in curve.keyframe_points:
            point.interpolation = "LINEAR"
    press()
    assert ball.data.shape_keys.animation_data.action != ours
    assert smile_at(ball, 51) == pytest.approx(0.5, abs=1e-3)


def test_undo_gives_back_the_artists_state(smile, ball):
    animate(ball)
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.soliloquy.animate_from_audio("EXEC_DEFAULT", True)
    bpy.ops.ed.undo()
    keys = bpy.data.objects["Ball"].data.shape_keys
    assert [key.name for key in keys.key_blocks] == ["Basis", 'Smi"le']
    assert keys.animation_data.action.name == "Artist"
    assert len(keys.animation_data.nla_tracks) == 0
    assert len(bpy.data.actions) == 1


def test_an_error_in_the_middle_of_writing_leaves_no_trace(smile, ball, monkeypatch):
    from blender_addon import placing

    theirs = animate(ball)
    before = places_at(ball, 20)

    def fail(*_arguments):
        raise RuntimeError("in the middle")

    monkeypatch.setattr(placing, "add_track", fail)
    with pytest.raises(RuntimeError, match="in the middle"):
        press()
    keys = ball.data.shape_keys
    assert [key.name for key in keys.key_blocks] == ["Basis", 'Smi"le']
    assert keys.animation_data.action == theirs
    assert list(bpy.data.actions) == [theirs]
    assert (places_at(ball, 20) == before).all()


def test_an_error_on_a_bare_mesh_leaves_it_bare(spoken, ball, monkeypatch):
    from blender_addon import placing

    def fail(*_arguments):
        raise RuntimeError("in the middle")

    monkeypatch.setattr(placing, "switch_on", fail)
    with pytest.raises(RuntimeError, match="in the middle"):
        press()
    assert ball.data.shape_keys is None
    assert len(bpy.data.actions) == 0


def test_modifiers_and_the_armature_stay_and_work_on_top(spoken, ball):
    """The ball hangs on a bone that turns half round, and is subdivided."""
    rig = bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    spoken.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    rig.data.edit_bones.new("Head").tail = (0.0, 0.0, 1.0)
    bpy.ops.object.mode_set(mode="OBJECT")
    ball.vertex_groups.new(name="Head").add(list(range(42)), 1.0, "REPLACE")
    ball.modifiers.new("Armature", "ARMATURE").object = rig
    press()
    upright = places_at(ball, 20)
    rig.pose.bones["Head"].rotation_mode = "XYZ"
    rig.pose.bones["Head"].rotation_euler.y = 3.141592653589793
    turned = places_at(ball, 20)
    assert [modifier.name for modifier in ball.modifiers] == ["Armature"]
    assert abs(turned[:, 2] - upright[:, 2]).max() < 1e-4  # about the bone, which stands upright
    assert abs(turned[:, 0] + upright[:, 0]).max() < 1e-4
    ball.modifiers.new("Subdivision", "SUBSURF")
    assert len(places_at(ball, 20)) > 42
