"""Strips for tests: sounds with clicks at known seconds, and where a mix has them."""

import wave
from typing import Any

import bpy
import numpy as np
import pytest

from blender_addon import blender_compat

RATE_HZ = 16000


def clicks(seconds: float, at_s: Any, rate_hz: int = RATE_HZ, peak: float = 0.5) -> Any:
    """A sound (N,) of silence, with a 5 ms click at each of the seconds `at_s`."""
    samples = np.zeros(round(seconds * rate_hz))
    click = peak * np.sin(np.arange(round(0.005 * rate_hz)) * 2 * np.pi * 2000 / rate_hz)
    for start in at_s:
        first = round(start * rate_hz)
        samples[first:first + len(click)] = click
    return samples


def clicks_in(path: Any, threshold: float = 0.05) -> Any:
    """The seconds at which clicks begin in a wav file, to a fraction of a millisecond."""
    with wave.open(str(path), "rb") as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
        rate_hz = file.getframerate()
    loud = np.flatnonzero(np.abs(samples) > threshold)
    first = np.diff(loud, prepend=-rate_hz) > 0.1 * rate_hz
    return loud[first] / rate_hz


def peaks_in(path: Any) -> Any:
    """The peak of each click in a wav file."""
    with wave.open(str(path), "rb") as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
        rate_hz = file.getframerate()
    firsts = (clicks_in(path, 0.01) * rate_hz).astype(int)
    return np.array([np.abs(samples[first:first + rate_hz // 10]).max() for first in firsts])


def add_sound(editor: Any, path: Any, channel: int = 1, frame: int = 1, name: str = "Line") -> Any:
    """A selected sound strip; skips the test in 4.2's module, which was built without sound."""
    if bpy.app.version < (4, 3) and not bpy.app.build_options.audaspace:
        pytest.skip("the module of Blender 4.2 was built without sound")
    strip = blender_compat.top_strips(editor).new_sound(
        name=name, filepath=str(path), channel=channel, frame_start=frame)
    strip.select = True
    return strip


def shown_scene(fps: int) -> Any:
    """A scene other than the window's that the sequencer shows; skips the test before 5.0, where
    `WorkSpace.sequencer_scene` came and until which there is no such scene."""
    if bpy.app.version < (5, 0):
        pytest.skip("until 5.0 the sequencer shows the window's own scene")
    scene = bpy.data.scenes.new("Cut")
    scene.render.fps = fps
    bpy.context.workspace.sequencer_scene = scene
    return scene


def in_sequencer(scene: Any, *calls: Any) -> None:
    """Call each of `calls` as if the artist did it in the window's Video Sequencer."""
    window = bpy.context.window
    area = window.screen.areas[0]
    area.type = "SEQUENCE_EDITOR"
    if hasattr(bpy.context.workspace, "sequencer_scene"):
        bpy.context.workspace.sequencer_scene = scene
    region = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=area, region=region, scene=scene):
        for call in calls:
            call()


def render_movie(scene: Any, path: Any, frames: int) -> Any:
    """A movie of a grey picture with the sound of the scene's strips, which are then removed; not
    as MKV, in which Blender's reader finds a place in the middle only within 60 ms."""
    strips, render = blender_compat.top_strips(scene.sequence_editor), scene.render
    length = {"length": frames} if bpy.app.version >= (5, 0) else {"frame_end": 1 + frames}
    strips.new_effect(name="Grey", type="COLOR", channel=9, frame_start=1, **length)
    scene.frame_start, scene.frame_end, render.filepath = 1, frames, str(path)
    render.resolution_x = render.resolution_y = 64
    render.use_file_extension = False
    if hasattr(render.image_settings, "media_type"):
        render.image_settings.media_type = "VIDEO"
    render.image_settings.file_format = "FFMPEG"
    render.ffmpeg.format, render.ffmpeg.codec = "QUICKTIME", "QTRLE"
    sound = any(strip.type == "SOUND" for strip in strips)
    render.ffmpeg.audio_codec = "PCM" if sound else "NONE"
    bpy.ops.render.render(animation=True)
    for strip in list(strips):
        strips.remove(strip)
    return path
