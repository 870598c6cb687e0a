"""Buttons that make a take again: the whole of it, or the marked frames alone."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from . import (
    audio_source,
    emotion_lane,
    keyframes,
    origin,
    placing,
    press,
    properties,
    redo_writing,
    redoing,
    regions,
    result,
    session,
    storage,
    writing,
)
from ._backend import errors, messages, motion, pack
from .job import Request
from .running import FINISHED, Result, Running
from .take_list import OnTakes
from .takes import Take
from .words import translated

_SEEDS = 2**31


def _facts(keys: bpy.types.Key | None) -> Any:
    action = result.chosen(keys) if keys is not None else None
    return action[keyframes.PROVENANCE] if action is not None else {}


def _next_seed(keys: bpy.types.Key) -> int:
    """A seed that no take of the face has."""
    seeds = [int(action[keyframes.PROVENANCE].get("seed", 0)) for action in result.actions(keys)]
    return (max(seeds) + 1) % _SEEDS


class _OfATake(OnTakes):
    """What both buttons do first."""

    repaint: bool

    def restored(self, context: bpy.types.Context, stored: Any,
                 chosen: pack.Pack) -> tuple[Request, audio_source.PlacedSound]:
        """The request that made a take, with the emotions painted now if those are wanted."""
        request, placed = origin.restored(stored, chosen)
        if self.repaint:
            face = properties.chosen_face(context)
            lane = emotion_lane.painted(context, face, chosen, placed)
            request = replace(request, emotions=lane)
        return request, placed


def _repaint() -> Any:
    return bpy.props.BoolProperty(
        name="Emotions as Painted Now", options={"SKIP_SAVE"},
        description="Feel what is painted in the sequencer now; otherwise what was painted when "
                    "the take was made")


class SOLILOQUY_OT_generate_again(_OfATake, Running, bpy.types.Operator):  # type: ignore[misc] # noqa: N801
    """Make the chosen take again as a new take: the same sound, model and settings"""

    bl_idname = "soliloquy.generate_again"
    bl_label = "Generate Again"

    new_seed: bpy.props.BoolProperty(  # type: ignore[valid-type]
        name="New Seed", default=True, options={"SKIP_SAVE"},
        description="Another performance; otherwise the very same")
    repaint: _repaint()  # type: ignore[valid-type]

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        """The take must say what it was made from."""
        reason = super().disabled_reason(context)
        return reason or origin.why_not_again(_facts(result.of_panel(context)))

    def start(self, context: bpy.types.Context) -> None:
        """Ask for the same again."""
        face, keys = properties.chosen_face(context), self.settled(context)
        stored, action = _facts(keys), result.chosen(keys)
        assert action is not None  # the button is grey without one
        chosen = origin.pack_of(context, stored)
        request, placed = self.restored(context, stored, chosen)
        seed = _next_seed(keys) if self.new_seed else int(stored["seed"])
        asked = replace(request, seed=seed, takes=1)
        where = press.begin_with(context, face, chosen, lambda _folder: (asked, placed),
                                 storage.compact)
        self._where = replace(where, instead_of=action.name)

    def done(self, made: list[Take]) -> Result:
        """Add the take to the list."""
        writing.write_all(made, self._where)
        text = translated("{face}: a take with seed {seed}", face=self._where.face,
                          seed=made[0].seed)
        session.CURRENT.tell(text)
        self.say("INFO", text)
        return FINISHED


class SOLILOQUY_OT_redo_range(_OfATake, Running, bpy.types.Operator):  # type: ignore[misc] # noqa: N801
    """Make the frames of the preview range again, the rest of the chosen take stays as it is"""

    bl_idname = "soliloquy.redo_range"
    bl_label = "Redo Preview Range"

    repaint: _repaint()  # type: ignore[valid-type]

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        """A range must be marked, and the take must say what it is made of."""
        reason = super().disabled_reason(context)
        keys = result.of_panel(context)
        if reason or keys is None:
            return reason
        if why := origin.why_not_again(_facts(keys)):
            return why
        if result.stored_codes(result.chosen(keys)) is None:
            return "This take does not say which codes it is made of: generate it again"
        if not context.scene.use_preview_range:
            return "Mark the frames with a preview range (P in the Timeline)"
        return ""

    def start(self, context: bpy.types.Context) -> None:
        """Ask the worker for the marked frames, with their neighbours pinned."""
        face, keys = properties.chosen_face(context), self.settled(context)
        action, stored = result.chosen(keys), _facts(keys)
        assert action is not None  # the button is grey without one
        seed = _next_seed(keys)
        # Its frames are those of the rate it was made at, whatever the scene's is now.
        self._fps = float(stored.get("fps", audio_source.scene_fps(context.scene)))
        self._action_name = action.name
        chosen = origin.pack_of(context, stored)
        request, placed = self.restored(context, stored, chosen)
        start_s, end_s = _marked_s(context.scene, keys, action, self._fps)
        known = redo_writing.known_of(keys, redo_writing.columns_of(action))
        self._facts = {"seed": seed, "redone_s": [start_s, end_s],
                       "request": origin.wishes(request)}

        def ask(folder: str) -> tuple[Request, audio_source.PlacedSound]:
            path = Path(folder) / "earlier.npz"
            marked = messages.Redo(str(path), start_s, end_s)
            asked = replace(request, seed=seed, takes=1, redo=marked, neutral=False)
            earlier = redoing.write_earlier(path, *_earlier(action, chosen))
            return asked, placed._replace(mixing=earlier)

        self._where = press.begin_with(
            context, face, chosen, ask,
            lambda *_job: lambda paths, fits: [redoing.prepare(
                paths[0], messages.Redo("", start_s, end_s), fits, known, regions.read(chosen))])

    def done(self, made: list[redoing.Redone]) -> Result:
        """Add the take with the redone part to the list."""
        face, action = writing.face_of(self._where), bpy.data.actions.get(self._action_name)
        if action is None:
            raise writing.FaceGone("take_gone", f"The take '{self._action_name}' was renamed or "
                                   "deleted during the job.", "Choose a take and press again.")
        error_mm = max(made[0].error_m * 1000, action[keyframes.PROVENANCE]["error_mm"])
        redo_writing.write(face, action, made[0], self._fps, {**self._facts, "error_mm": error_mm})
        text = translated("{face}: the marked frames anew, seed {seed}", face=face.name,
                          seed=self._facts["seed"])
        session.CURRENT.tell(text)
        self.say("INFO", text)
        return FINISHED


def _marked_s(scene: bpy.types.Scene, keys: bpy.types.Key, action: bpy.types.Action,
              fps: float) -> tuple[float, float]:
    """The preview range in seconds of the take; raises RequestError when it lies outside."""
    marked = np.array([scene.frame_preview_start, scene.frame_preview_end + 1])
    own = next((found.own_frames(marked) for found in placing.playing(keys)
                if found.action == action), marked)
    stored = action[keyframes.PROVENANCE]
    seconds = (own - stored["placed_at"]) / fps
    start_s, end_s = np.clip(seconds, 0.0, stored["audio_seconds"])
    if not start_s < end_s:
        raise errors.RequestError("redo_outside", "The preview range lies outside this take.",
                                  "Move it over the frames to make again.")
    return float(start_s), float(end_s)


def _earlier(action: bpy.types.Action,
             chosen: pack.Pack) -> tuple[motion.MotionInfo, motion.Codes, int]:
    """The take as the worker knows motions."""
    manifest, stored = chosen.manifest, action[keyframes.PROVENANCE]
    codes = result.stored_codes(action)
    assert codes is not None  # the button is grey without them
    info = motion.MotionInfo(manifest.fps, manifest.topology.name, manifest.name,
                             int(stored["seed"]), float(stored["audio_seconds"]))
    return info, codes, manifest.topology.vertex_count


def draw(layout: Any) -> None:
    """The buttons."""
    row = layout.row(align=True)
    row.operator("soliloquy.generate_again", text="Again, New Seed", icon="FILE_REFRESH")
    row.operator("soliloquy.generate_again", text="Same").new_seed = False
    layout.operator("soliloquy.redo_range", icon="PREVIEW_RANGE")


CLASSES = (SOLILOQUY_OT_generate_again, SOLILOQUY_OT_redo_range)
