"""Seconds and frames: where a strip's sound lies in its file and on the timeline.

Frames are Blender's, fps is the scene's fps / fps_base. Pure arithmetic; knows no Blender.
"""

import math
from dataclasses import dataclass

_ROUNDING_FRAMES = 1e-4


@dataclass(frozen=True)
class StripTimes:
    """A sound strip's own numbers, in frames of the sequencer's scene.

    `content_start` is where the untrimmed sound would begin, `content_frames` how long it lasts
    as it is played, `skipped_frames` what a hard trim cut off the file's beginning.
    """

    content_start: float
    content_frames: float
    left_handle: float
    right_handle: float
    skipped_frames: float = 0.0
    sound_offset_s: float = 0.0


@dataclass(frozen=True)
class AudibleSpan:
    """The part of the file a strip plays, in file seconds, and the frame where it begins."""

    start_s: float
    duration_s: float
    first_frame: float


def heard_frames(times: StripTimes, fps: float) -> tuple[float, float] | None:
    """The frame where a strip is first heard, and the one after the last, or None when its handles
    show nothing of the sound."""
    sound_starts = times.content_start + times.sound_offset_s * fps
    first = max(times.left_handle, sound_starts)
    after = min(times.right_handle, sound_starts + times.content_frames)
    return (first, after) if after - first >= _ROUNDING_FRAMES else None


def audible_span(times: StripTimes, fps: float) -> AudibleSpan | None:
    """The audible part of the file of a strip that plays at its own speed, or None as above."""
    heard = heard_frames(times, fps)
    if heard is None:
        return None
    first, after = heard
    played_frames = first - times.content_start - times.sound_offset_s * fps
    return AudibleSpan(start_s=(played_frames + times.skipped_frames) / fps,
                       duration_s=(after - first) / fps, first_frame=first)


def frame_in_scene(frame: float, from_fps: float, to_fps: float) -> float:
    """The frame of another scene shown at the same second; both count from frame 0."""
    return frame if from_fps == to_fps else frame / from_fps * to_fps


def first_key_frame_up(first_frame: float) -> int:
    """The first whole frame at or after the beginning of the sound."""
    return math.ceil(first_frame - _ROUNDING_FRAMES)


def fade_frames_nearest(fps: float, fade_s: float = 0.12) -> int:
    """Frames in which the face eases out of and back to rest around a line, at least 1."""
    return max(1, round(fade_s * fps))
