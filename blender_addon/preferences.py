"""Facts about this machine: where more models lie, and what to run them on."""

from dataclasses import dataclass

import bpy

from . import session

DEVICES = (
    ("auto", "Automatic", "The fastest device that is there"),
    ("cpu", "CPU", "The processor: works everywhere"),
    ("cuda", "CUDA", "An NVIDIA graphics card"),
    ("coreml", "Core ML", "An Apple processor"),
    ("directml", "DirectML", "A graphics card under Windows"),
)

SILENCE_LIMIT_S = 60.0


class SoliloquyPreferences(bpy.types.AddonPreferences):  # type: ignore[misc]
    """The extension's page in Blender's preferences."""

    bl_idname = __package__

    models_folder: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Models Folder", subtype="DIR_PATH",
        description="A folder with further model packs, beside those that come with Soliloquy")
    device: bpy.props.EnumProperty(  # type: ignore[valid-type]
        name="Device", items=DEVICES, description="What the worker computes on",
        update=lambda _self, _context: session.CURRENT.end_idle_worker())
    silence_limit_s: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Give Up After", subtype="TIME", unit="TIME_ABSOLUTE", min=5.0,
        default=SILENCE_LIMIT_S,
        description="Stop a worker that has given no sign of life for this long (seconds)")

    def draw(self, context: bpy.types.Context) -> None:
        """Device and folders, models, the worker and its log."""
        from . import preferences_panel

        for name in ("device", "models_folder", "silence_limit_s"):
            self.layout.prop(self, name)
        preferences_panel.draw(self.layout, context)


@dataclass(frozen=True)
class Machine:
    """The preferences as plain values."""

    models_folder: str = ""
    device: str = "auto"
    silence_limit_s: float = SILENCE_LIMIT_S


def machine(context: bpy.types.Context) -> Machine:
    """The user's preferences; the defaults where the add-on runs from a checkout."""
    addon = context.preferences.addons.get(__package__)
    if addon is None:
        return Machine()
    chosen = addon.preferences
    return Machine(bpy.path.abspath(chosen.models_folder), chosen.device, chosen.silence_limit_s)
