"""Strength and smoothing of a take after it was made: live, undoable, and without loss.

Strength scales the curves of one region by an F-curve modifier, an Envelope that maps -1/s..1/s to
-1..1. Keyframes stay untouched, so 1.0 gives the very same values again; it shows in the Graph
Editor, it bakes, and it plays without this add-on. NLA influence cannot exaggerate (it ends at 1),
a driver would push the curve aside, and both would need a strip or a property for each region.
It is the envelope's own range that is set, not its control point's: Blender (seen in 5.0) may crash
when a control point changes, because its update takes the point for the modifier.

Blender 4.2 has no modifier that smooths, and none that adds one curve to another, so smoothing and
the strength of the emotion rewrite keyframes, and keep what they were on the Action for as long as
they are not what was made. What the artist changes meanwhile is kept as well: it is carried over as
a difference.
"""

from typing import Any, NamedTuple

import bpy
import numpy as np
import numpy.typing as npt

from . import emotion_strength, keyframes, smoothing

STRENGTH = "Soliloquy Strength"
_KEPT = "soliloquy_unsmoothed"
# Strength 0: so weak that single precision gives exactly 0.
_NONE = 1e-9
_REGION_OF = {keyframes.LOWER: "lower", keyframes.UPPER: "upper", keyframes.WHOLE: "whole",
              keyframes.BLINK: "blink"}
_SMOOTHED = (keyframes.LOWER, keyframes.UPPER)
Floats = npt.NDArray[np.float32]


def _rescale(sliders: "SoliloquySliders", _context: bpy.types.Context) -> None:
    for group, region in _REGION_OF.items():
        for curve in keyframes.our_curves(sliders.id_data, (group,)):
            scale(curve, getattr(sliders, region))


def _replay(sliders: "SoliloquySliders", context: bpy.types.Context) -> None:
    render = context.scene.render
    sigma_frames = sliders.smoothing_ms / 1000 * render.fps / render.fps_base
    play(sliders.id_data, _Manner(sigma_frames, sliders.emotion))


def _strength(name: str, description: str, most: float = 2.0, update: Any = _rescale) -> Any:
    return bpy.props.FloatProperty(name=name, description=description, default=1.0, min=0.0,
                                   max=most, soft_max=min(most, 1.5), step=5, update=update)


class SoliloquySliders(bpy.types.PropertyGroup):  # type: ignore[misc]
    """Action.soliloquy_sliders: how strong and how smooth a take plays."""

    lower: _strength("Lower Face", "Strength of mouth, jaw and cheeks; "  # type: ignore[valid-type]
                     "1 is what was made")
    upper: _strength("Upper Face", "Strength of brows and lids; "  # type: ignore[valid-type]
                     "1 is what was made")
    whole: _strength("Face", "Strength of the motion; 1 is what was made")  # type: ignore[valid-type]
    blink: _strength("Blink", "How far the eyes shut; 1 is shut", 1.0)  # type: ignore[valid-type]
    emotion: _strength("Emotion", "Strength of what is felt; 0 is neutral, "  # type: ignore[valid-type]
                       "1 is what was made", update=_replay)
    smoothing_ms: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Smoothing", default=0.0, min=0.0, max=300.0, soft_max=100.0, precision=0, step=500,
        update=_replay,
        description="Smooths the face over this many milliseconds, sharp lip closures too; "
                    "0 is what was made")


def scale(curve: bpy.types.FCurve, strength: float) -> None:
    """Play a curve `strength` times as strong."""
    found = next((modifier for modifier in curve.modifiers if modifier.name == STRENGTH), None)
    if strength == 1.0:
        if found is not None:
            curve.modifiers.remove(found)
        return
    envelope = found if found is not None else _new_envelope(curve)
    envelope.default_min, envelope.default_max = -1 / max(strength, _NONE), 1 / max(strength, _NONE)


def _new_envelope(curve: bpy.types.FCurve) -> bpy.types.FModifierEnvelope:
    envelope = curve.modifiers.new("ENVELOPE")
    envelope.name, envelope.reference_value = STRENGTH, 0.0
    envelope.control_points.add(0.0)  # from -1 to 1
    return envelope


class _Manner(NamedTuple):
    """How the original is played: smoothed by a Gaussian, and with so much of its emotion."""

    sigma_frames: float = 0.0
    emotion: float = 1.0

    def values(self, original: Floats, difference: Floats | None, frames: Floats) -> Floats:
        """The values (N,) at frames (N,)."""
        felt = emotion_strength.at(original, difference, self.emotion)
        return smoothing.at(felt, frames, self.sigma_frames)


def play(action: bpy.types.Action, manner: _Manner) -> None:
    """Play an action's face in another manner; no smoothing and all emotion give the original."""
    curves = keyframes.our_curves(action, _SMOOTHED)
    kept = keyframes.by_curve(_kept(action), curves) or {
        curve.data_path: keyframes.points_of(curve) for curve in curves}
    stored = action.get(_KEPT, {})
    before = _Manner(*(float(stored.get(name, default))
                       for name, default in _Manner()._asdict().items()))
    differences = keyframes.by_curve(emotion_strength.differences(action), curves)
    for curve in curves:
        if curve.data_path in kept:
            _rewrite(curve, kept[curve.data_path], differences.get(curve.data_path), before,
                     manner)
    if manner != _Manner():
        _keep(action, kept, manner)
    else:
        action.pop(_KEPT, None)


def _rewrite(curve: bpy.types.FCurve, original: Floats, difference: Floats | None,
             before: _Manner, after: _Manner) -> None:
    now = keyframes.points_of(curve)
    frames = keyframes.frames_of(original[:, 0], now[:, 0])
    edits = now[:, 1] - before.values(original, difference, frames)
    value = after.values(original, difference, frames)
    # Where there is no edit the sum is exact.
    played = (value + edits).astype(np.float32)
    # Straight lines need no handles, and this runs at every move of a slider.
    if not keyframes.is_linear(curve):
        _raise_handles(curve, played - now[:, 1])
    now[:, 1] = played
    curve.keyframe_points.foreach_set("co", now.ravel())
    curve.update()


def _raise_handles(curve: bpy.types.FCurve, rise: Floats) -> None:
    for name in ("handle_left", "handle_right"):
        flat = np.empty(len(rise) * 2, dtype=np.float32)
        curve.keyframe_points.foreach_get(name, flat)
        flat[1::2] += rise
        curve.keyframe_points.foreach_set(name, flat)


def _kept(action: bpy.types.Action) -> dict[str, Floats]:
    stored = action.get(_KEPT)
    if stored is None:
        return {}
    return {str(row["path"]): np.frombuffer(row["points"], dtype="<f4").reshape(-1, 2)
            for row in stored["curves"].values()}


def _keep(action: bpy.types.Action, points: dict[str, Floats], manner: _Manner) -> None:
    # By number, for Blender cuts the names of properties at 63 bytes.
    action[_KEPT] = {
        **manner._asdict(),
        "curves": {str(number): {"path": path, "points": rows.astype("<f4").tobytes()}
                   for number, (path, rows) in enumerate(points.items())}}


def copy(source: bpy.types.Action, target: bpy.types.Action) -> None:
    """Give a take the sliders of another."""
    for name in SoliloquySliders.__annotations__:
        value = getattr(source.soliloquy_sliders, name)
        if getattr(target.soliloquy_sliders, name) != value:  # each move rewrites curves
            setattr(target.soliloquy_sliders, name, value)


def draw(layout: Any, action: bpy.types.Action) -> None:
    """The sliders that act on this take."""
    column = layout.column(align=True)
    groups = {curve.group.name for curve in keyframes.our_curves(action)}
    for group in (keyframes.LOWER, keyframes.UPPER, keyframes.WHOLE):
        if group in groups:
            column.prop(action.soliloquy_sliders, _REGION_OF[group], slider=True)
    if emotion_strength.known(action):
        column.prop(action.soliloquy_sliders, "emotion", slider=True)
    if keyframes.LOWER in groups:
        column.prop(action.soliloquy_sliders, "smoothing_ms", slider=True)


CLASSES = (SoliloquySliders,)
