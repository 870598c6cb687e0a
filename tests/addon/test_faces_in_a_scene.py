"""Several faces, each with its own settings, also with vertices in another order."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import face_facts, vertex_order  # noqa: E402
from tests.addon.faces import SCALE, add_ball, opening_at  # noqa: E402


@pytest.fixture
def shuffled(spoken):
    """The ball in another order, chosen."""
    face_facts.forget()
    spoken.soliloquy.face = add_ball("Sorted", np.random.default_rng(3).permutation(42))
    return spoken.soliloquy.face


def press():
    return bpy.ops.soliloquy.animate_from_audio()


def facts_of(face):
    return face_facts.now(bpy.context, face, bpy.context.scene.soliloquy.model)


def test_a_face_is_told_in_words(ball):
    face_facts.forget()
    assert facts_of(ball).text == "TINY, 42 vertices, scale 10, Z up"


def test_a_reordered_face_speaks_once_its_vertices_are_matched(shuffled):
    with pytest.raises(RuntimeError, match="Press Match Vertices below the face"):
        press()
    assert bpy.ops.soliloquy.match_vertices() == {"FINISHED"}
    assert press() == {"FINISHED"}
    assert opening_at(shuffled, 20) > 0.01 * SCALE
    assert facts_of(shuffled).text.endswith("reordered")


def test_the_order_goes_with_the_vertices_when_blender_sorts_them_again(shuffled):
    bpy.ops.soliloquy.match_vertices()
    before = vertex_order.stored(shuffled.data)
    sort_vertices(shuffled, type="REVERSE")
    np.testing.assert_array_equal(vertex_order.stored(shuffled.data), before[::-1])
    assert press() == {"FINISHED"}
    assert opening_at(shuffled, 20) > 0.01 * SCALE


def test_a_matched_face_that_was_edited_is_asked_about_again(shuffled):
    vertex_order.store(shuffled.data, np.zeros(42, np.int32))
    with pytest.raises(RuntimeError, match="was edited after its vertices had been matched"):
        press()


def test_another_files_face_of_the_same_name_is_matched_by_itself(shuffled, tmp_path):
    bpy.ops.soliloquy.match_vertices()
    old = bpy.context.scene.soliloquy
    filepath, model = old.filepath, old.model
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    settings = bpy.context.scene.soliloquy
    settings.source, settings.filepath, settings.model = "FILE", filepath, model
    settings.face = add_ball("Sorted", np.random.default_rng(4).permutation(42))
    assert face_facts._known == {}
    assert bpy.ops.soliloquy.match_vertices() == {"FINISHED"}
    assert press() == {"FINISHED"}


def sort_vertices(face, **how):
    """Edit > Sort Elements."""
    bpy.context.view_layer.objects.active = face
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.mesh.sort_elements(elements={"VERT"}, **how)
    bpy.ops.object.mode_set(mode="OBJECT")


def test_a_face_that_was_sorted_after_a_look_at_it_is_matched_as_it_is_now(spoken, ball):
    face_facts.forget()
    assert facts_of(ball).problem == ""
    before = face_facts._key(ball, "tiny")
    sort_vertices(ball, type="RANDOMIZE", seed=3)
    assert face_facts._key(ball, "tiny") != before
    assert facts_of(ball).reordered
    sort_vertices(ball, type="RANDOMIZE", seed=8)
    assert bpy.ops.soliloquy.match_vertices() == {"FINISHED"}
    assert press() == {"FINISHED"}
    assert opening_at(ball, 20) > 0.01 * SCALE


def test_places_that_changed_are_looked_at_again(ball):
    face_facts.forget()
    assert facts_of(ball).text.endswith("scale 10, Z up")
    for vertex in ball.data.vertices:
        vertex.co *= 2
    assert facts_of(ball).text.endswith("scale 20, Z up")


def test_a_face_in_order_is_not_matched(ball):
    face_facts.forget()
    with pytest.raises(RuntimeError, match="'Ball' needs no matching"):
        bpy.ops.soliloquy.match_vertices()
    assert vertex_order.stored(ball.data) is None


def test_the_question_tells_the_residual(shuffled):
    facts = facts_of(shuffled)
    text = vertex_order.question("Sorted", 42, facts.order)
    assert "they lie 0.00 mm from it on average. The polygons agree" in text


def test_a_mirrored_face_moves_as_a_mirror_image(spoken, ball):
    spoken.soliloquy.style = "lively"
    press()
    plain = opening_at(ball, 20)
    other = add_ball("Mirrored")
    for vertex in other.data.vertices:
        vertex.co.x *= -1
    spoken.soliloquy.face = other
    face_facts.forget()
    assert facts_of(other).text == "TINY, 42 vertices, scale 10, Z up, mirrored"
    assert press() == {"FINISHED"}
    assert opening_at(other, 20) == pytest.approx(plain, abs=1e-3 * SCALE)


def test_a_face_with_own_settings_keeps_them_and_the_others_share_the_scenes(spoken, ball):
    spoken.soliloquy.seed = 3
    second = add_ball("Second")
    ball.soliloquy.own = True
    ball.soliloquy.seed = 7
    press()
    spoken.soliloquy.face = second
    press()
    seeds = {o.name: o.data.shape_keys.animation_data.action["soliloquy"]["seed"]
             for o in (ball, second)}
    assert seeds == {"Ball": 7, "Second": 3}


def test_own_settings_begin_as_the_scenes_and_come_back_as_they_were(spoken, ball):
    spoken.soliloquy.seed, spoken.soliloquy.steps = 5, 9
    ball.soliloquy.own = True
    assert (ball.soliloquy.seed, ball.soliloquy.steps) == (5, 9)
    ball.soliloquy.seed = 6
    ball.soliloquy.own = False
    ball.soliloquy.own = True
    assert ball.soliloquy.seed == 6
