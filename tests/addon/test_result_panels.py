"""The sub-panels draw in every state, with fields and buttons that exist."""

from types import SimpleNamespace

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import result_panel  # noqa: E402


class Layout:
    """Takes what a panel draws and notes the buttons; refuses what Blender would refuse."""

    def __init__(self):
        self.buttons, self.texts, self.enabled = [], [], True

    def row(self, **_options):
        return self

    column = box = row

    def label(self, text="", icon="NONE"):
        self.texts.append(text)

    def prop(self, data, name, **_options):
        assert name in data.bl_rna.properties, name

    def operator(self, name, **_options):
        module, function = name.split(".")
        getattr(bpy.ops, module).__getattribute__(function).get_rna_type()
        self.buttons.append(name)
        return SimpleNamespace()

    def menu(self, name, **_options):
        self.buttons.append(name)
        assert hasattr(bpy.types, name)

    def template_list(self, kind, _id, data, name, active_data, active, **_options):
        assert hasattr(bpy.types, kind) and hasattr(data, name) and hasattr(active_data, active)


def drawn():
    """What all sub-panels of the 3D View draw: one layout for each."""
    layouts = {}
    for panel in result_panel.CLASSES:
        if panel.bl_space_type == "VIEW_3D":
            layouts[panel.bl_label] = layout = Layout()
            panel.draw(SimpleNamespace(layout=layout, draw_result=panel.draw_result.__get__(
                SimpleNamespace()), draw_caches=panel.draw_caches.__get__(SimpleNamespace())),
                bpy.context)
    return layouts


def test_a_face_without_takes_is_told_so(spoken):
    assert all("This face has no takes yet" in layout.texts for layout in drawn().values())


def test_a_face_with_takes_shows_list_sliders_blinks_tools_and_exports(spoken, ball):
    bpy.ops.soliloquy.animate_from_audio()
    layouts = drawn()
    assert {"soliloquy.mix_takes", "soliloquy.keep_take", "soliloquy.delete_take",
            "soliloquy.share_sliders"} <= set(layouts["Takes"].buttons)
    assert {"soliloquy.bake", "soliloquy.push_down", "soliloquy.clear", "SOLILOQUY_MT_export",
            "soliloquy.generate_again", "soliloquy.redo_range"} <= set(layouts["Result"].buttons)
    assert set(layouts["Blinks"].buttons) == {"soliloquy.add_blinks", "soliloquy.remove_blinks"}


def test_a_face_with_a_point_cache_can_be_cleared(spoken, ball, tmp_path):
    spoken.soliloquy.storage, spoken.soliloquy.cache_folder = "CACHE", str(tmp_path)
    bpy.ops.soliloquy.animate_from_audio()
    assert drawn()["Result"].buttons == ["soliloquy.clear"]
