"""The sub-panel of styles and emotions draws in every state."""

from types import SimpleNamespace

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import emotion_panel, emotion_strips  # noqa: E402
from blender_addon.emotion_ranges import Range  # noqa: E402
from tests.addon.faces import add_ball  # noqa: E402
from tests.addon.test_result_panels import Layout  # noqa: E402


class Sidebar(Layout):
    """Notes the fields as well."""

    def __init__(self):
        super().__init__()
        self.fields = []

    def prop(self, data, name, **options):
        super().prop(data, name, **options)
        self.fields.append(name)

    def label(self, text="", **_options):
        super().label(text)

    def split(self, **_options):
        return self

    @property
    def text(self):
        return " ".join(self.texts)


@pytest.fixture
def stage(ball, scene, emotional_pack):
    scene.soliloquy.model = str(emotional_pack)
    return scene


def drawn():
    layout = Sidebar()
    panel = emotion_panel.SOLILOQUY_PT_view_emotion
    panel.draw(SimpleNamespace(layout=layout), bpy.context)
    return layout


def test_before_anything_is_painted_one_is_added_or_what_is_heard(stage):
    assert drawn().buttons == ["SOLILOQUY_MT_add_emotion",
                               "soliloquy.paint_heard"]
    assert drawn().fields == ["style", "style_other", "emotion_slider"]


def test_the_chosen_range_shows_its_fields(stage):
    emotion_strips.paint(stage, Range("angry", 1.0, 20, 40), None)
    assert drawn().buttons == ["SOLILOQUY_MT_add_emotion", "soliloquy.remove_emotion",
                               "soliloquy.clear_emotions", "soliloquy.paint_heard"]
    assert drawn().fields[2:-1] == ["emotion", "intensity", "other", "fade_s", "face"]
    emotion_strips.of_scene(stage)[0].soliloquy.other = "surprised"
    assert "share" in drawn().fields


def test_a_face_with_takes_can_have_a_range_redone(stage, ball, write_wav, voice):
    stage.soliloquy.source, stage.soliloquy.filepath = "FILE", str(write_wav(voice))
    bpy.ops.soliloquy.animate_from_audio()
    assert drawn().buttons[-1] == "soliloquy.redo_range"


def test_a_row_shows_colour_emotions_frames_and_intensity(stage):
    strip = emotion_strips.paint(stage, Range("angry", 1.0, 20, 40, "surprised", 0.3), None)
    layout = Sidebar()
    emotion_panel.SOLILOQUY_UL_emotions.draw_item(None, None, layout, None, strip, 0, None, "")
    assert layout.fields == ["use", "color", "intensity"]
    assert layout.texts == ["angry + surprised 20-39"]


def test_only_ranges_are_listed_in_order_of_time(stage):
    editor = stage.sequence_editor_create()
    emotion_strips.paint(stage, Range("angry", 1.0, 50, 60), None)
    other = emotion_strips.paint(stage, Range("angry", 1.0, 20, 40), None)
    other.soliloquy.property_unset("emotion")
    emotion_strips.paint(stage, Range("surprised", 1.0, 5, 10), None)
    name = "strips_all" if hasattr(editor, "strips_all") else "sequences_all"
    shown, order = emotion_panel.SOLILOQUY_UL_emotions.filter_items(
        SimpleNamespace(bitflag_filter_item=1), None, editor, name)
    every = list(getattr(editor, name))
    ordered = [every[order.index(place)] for place in range(3) if shown[order.index(place)]]
    assert [strip.soliloquy.emotion for strip in ordered] == ["surprised", "angry"]


def test_an_emotion_of_another_model_is_named(stage):
    emotion_strips.paint(stage, Range("bored", 1.0, 20, 40), None)
    assert "The model has no emotion 'bored'. Choose one of: neutral, surprised," in drawn().text


def test_a_model_without_emotions_says_so_and_keeps_its_styles(stage, tiny_pack):
    stage.soliloquy.model, stage.soliloquy.style = str(tiny_pack), "shy"
    layout = drawn()
    assert "knows no emotions: choose one that does" in layout.text and not layout.buttons
    assert "The model has no style 'shy'. Choose one of: calm, lively" in layout.text


def test_the_panel_says_that_a_ranges_face_was_removed(stage):
    strip = emotion_strips.paint(stage, Range("angry", 1.0, 20, 40), add_ball("Ben"))
    assert "removed" not in drawn().text
    bpy.data.objects.remove(bpy.data.objects["Ben"])
    assert "'Ben' was removed, so nobody feels this: choose another face" in drawn().text
    strip.soliloquy.face = None
    assert "removed" not in drawn().text
