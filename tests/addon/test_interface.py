"""What holds for every button and field: it explains itself and can be found."""

import inspect

import pytest

bpy = pytest.importorskip("bpy")


def ours(base):
    """All registered classes of the add-on that derive from a type of Blender's."""
    from blender_addon import registration

    return [cls for cls in registration.CLASSES if issubclass(cls, base)]


@pytest.fixture
def operators(addon):
    return ours(bpy.types.Operator)


def test_every_operator_has_a_name_and_a_tooltip(operators):
    assert len(operators) > 8
    for cls in operators:
        assert cls.bl_label and (cls.bl_rna.description or cls.__doc__), cls
        assert "INTERNAL" not in getattr(cls, "bl_options", set()), cls


def test_every_button_of_the_tab_is_in_a_menu_and_so_found_by_search(operators):
    from blender_addon import menus

    elsewhere = {"add_head", "export",  # Add > Mesh; the menu of exports
                 "install_model", "remove_model", "look_at_worker", "open_logs"}  # preferences
    named = {cls.bl_idname.removeprefix("soliloquy.") for cls in operators}
    assert {name for name in menus.ENTRIES if name} >= {
        name for name in named - elsewhere if "emotion" not in name}
    for holder in ("VIEW3D_MT_object", "SEQUENCER_MT_strip"):
        assert menus.draw_entry in getattr(bpy.types, holder)._dyn_ui_initialize()


def test_every_operator_that_may_be_grey_says_why(operators):
    silent = [cls.__name__ for cls in operators if "poll" in vars(cls)
              and not hasattr(cls, "disabled_reason")
              and "poll_message_set" not in inspect.getsource(cls.poll)]
    assert silent == []


def test_every_operator_and_panel_fills_in_what_its_base_leaves_open(addon):
    from blender_addon import emotion_operators, result_panel, running

    found = []
    for base, names in ((running.Running, ("start", "done")),
                        (emotion_operators._OnEmotions, ("execute",)),
                        (result_panel._Result, ("draw_result",))):
        heirs = [cls for kind in (bpy.types.Operator, bpy.types.Panel) for cls in ours(kind)
                 if issubclass(cls, base)]
        found.append(len(heirs))
        assert [(cls, name) for cls in heirs for name in names
                if getattr(cls, name) is getattr(base, name)] == []
    assert min(found) >= 4


def test_every_field_has_a_tooltip(addon):
    bare = [f"{cls.__name__}.{prop.identifier}"
            for base in (bpy.types.PropertyGroup, bpy.types.Operator, bpy.types.AddonPreferences)
            for cls in ours(base) for prop in cls.bl_rna.properties
            if prop.identifier in annotated(cls) and not prop.description
            and prop.type not in {"POINTER", "COLLECTION"}]
    assert bare == []


def annotated(cls):
    """The fields of a class, also those from plain classes that it derives from."""
    return {name for base in inspect.getmro(cls) if base.__module__.startswith("blender_addon")
            for name in getattr(base, "__annotations__", {})}


def test_every_panel_lies_in_the_soliloquy_tab(addon):
    assert {(cls.bl_category, cls.bl_region_type) for cls in ours(bpy.types.Panel)} == {
        ("Soliloquy", "UI")}


def test_labels_fit_the_sidebar_at_its_usual_width():
    from blender_addon.wrapping import SIDEBAR_LETTERS, wrapped

    lines = wrapped("The vertices of 'Hero' are not in the order of 'gldi-flame' (fit error 97%)")
    assert max(map(len, lines)) <= SIDEBAR_LETTERS
    assert " ".join(lines).startswith("The vertices of 'Hero' are not in")
    path = "/home/anna/.config/blender/5.2/extensions/.user/soliloquy/logs/worker-12.log"
    assert max(map(len, wrapped(f"Its log: {path}"))) <= SIDEBAR_LETTERS
    assert "".join(wrapped(path)) == path and wrapped("") == []


def test_what_is_composed_is_translated_whole_before_its_values_are_filled_in(addon, monkeypatch):
    from types import SimpleNamespace

    from blender_addon import words

    german = {"Lines animated: {done} of {total}": "{total} Zeilen, {done} davon belebt"}
    app = SimpleNamespace(translations=SimpleNamespace(pgettext_iface=lambda t: german.get(t, t)))
    monkeypatch.setattr(words.bpy, "app", app)
    told = words.translated("Lines animated: {done} of {total}", done=2, total=3)
    assert told == "3 Zeilen, 2 davon belebt"
    assert words.translated("Take {2}") == "Take {2}"
