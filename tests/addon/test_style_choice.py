"""Styles by name, and blends of two."""

from types import SimpleNamespace

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import models, style_choice  # noqa: E402
from tests.addon.faces import add_ball  # noqa: E402

STYLES = ("calm", "lively", "odd")


@pytest.mark.parametrize(("style", "other", "share", "wish"), [
    ("", "", 0.5, None), ("odd", "", 0.5, "odd"), ("", "lively", 0.3, "calm:0.7,lively:0.3"),
    (" odd ", " lively", 0.25, "odd:0.75,lively:0.25"), ("odd", "lively", 0.0, "odd"),
    ("odd", "lively", 1.0, "lively"), ("odd", "odd", 0.5, "odd"), ("", "calm", 0.5, None),
    ("odd:1,calm:3", "", 0.5, "odd:1,calm:3")])
def test_two_styles_and_a_share_become_a_blend(style, other, share, wish):
    settings = SimpleNamespace(style=style, style_other=other, style_share=share)
    assert style_choice.wish(settings, STYLES) == wish


def test_a_blend_reaches_the_take(spoken, ball):
    settings = spoken.soliloquy
    settings.style, settings.style_other, settings.style_share = "lively", "calm", 0.3
    assert bpy.ops.soliloquy.animate_from_audio() == {"FINISHED"}
    facts = ball.data.shape_keys.animation_data.action["soliloquy"]
    assert facts["style"] == "lively:0.7,calm:0.3"


def test_an_unknown_second_style_is_one_clear_line(spoken):
    spoken.soliloquy.style_other = "shy"
    with pytest.raises(RuntimeError, match=r"no style 'shy'\. Choose one of: calm, lively"):
        bpy.ops.soliloquy.animate_from_audio()


def test_a_model_tells_its_styles_and_emotions(scene, tiny_pack, emotional_pack):
    assert models.manners(bpy.context, str(tiny_pack)) == (("calm", "lively"), ())
    assert models.manners(bpy.context, str(emotional_pack)).emotions == (
        "neutral", "surprised", "angry")
    assert models.manners(bpy.context, "nobody") == ((), ())


def test_a_faces_own_settings_begin_with_the_scenes_blend(scene):
    scene.soliloquy.style_other, scene.soliloquy.style_share = "lively", 0.2
    face = add_ball("Ball")
    face.soliloquy.own = True
    assert (face.soliloquy.style_other, face.soliloquy.style_share) == (
        "lively", pytest.approx(0.2))
