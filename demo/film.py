"""Renders the demo's scene: a video with sound, and a strip of frames at telling moments."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import aud
import bpy
import numpy as np

# What the strip shows, in the order of the line: a phone and which of its occurrences.
MOMENTS = (
    ("pau", 0),
    ("ow", 0),
    ("m", 0),
    ("ay", 0),
    ("b", 0),
    ("p", 1),
    ("aw", 0),
    ("ae", 1),
)
# So far into each phone: the lips of a stop (p, b) are shut before they burst open.
SHARE = 0.35
CELL = (240, 300)
ZOOM = 1.5
SILENT_RMS = 0.01


def save(path: Path) -> None:
    """Save the scene with its sound inside, so that the file plays wherever it goes."""
    for sound in bpy.data.sounds:
        sound.pack()
    bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=True)


def video(path: Path) -> None:
    """Render the whole line with its sound; SystemExit if the file came out silent."""
    render = bpy.context.scene.render
    settings = render.image_settings
    if hasattr(settings, "media_type"):  # since Blender 5.0
        settings.media_type = "VIDEO"
    settings.file_format = "FFMPEG"
    render.ffmpeg.format, render.ffmpeg.codec = "MPEG4", "H264"
    render.ffmpeg.constant_rate_factor = "HIGH"
    render.ffmpeg.audio_codec, render.ffmpeg.audio_bitrate = "AAC", 160
    render.use_sequencer = True  # else Blender writes a sound track of silence
    render.filepath, render.use_file_extension = str(path), False
    bpy.ops.render.render(animation=True)
    loudness = float(np.sqrt(np.mean(np.square(aud.Sound(str(path)).data()))))
    if loudness < SILENT_RMS:
        raise SystemExit(f"{path} has no audible sound (RMS {loudness:.5f})")


def strip(head: bpy.types.Object, path: Path, phones: Path) -> None:
    """Render the face at MOMENTS, each with its phone below, side by side into one picture."""
    scene = bpy.context.scene

    def turn_to(time_s: float) -> Callable[[], None]:
        return lambda: scene.frame_set(1 + round(time_s * scene.render.fps))

    row(head, path, [(label, turn_to(time_s)) for label, time_s in moments(phones)])


def row(
    head: bpy.types.Object, path: Path, shots: Iterable[tuple[str, Callable[[], object]]]
) -> None:
    """Render the face after each shot has set the scene, its label below, into one picture."""
    scene = bpy.context.scene
    scene.render.use_sequencer = False
    scene.render.resolution_x, scene.render.resolution_y = CELL
    # The face fills each cell, the mouth below its middle.
    scene.camera.data.lens *= ZOOM
    scene.camera.data.shift_y = -0.17
    settings = scene.render.image_settings
    if hasattr(settings, "media_type"):
        settings.media_type = "IMAGE"
    settings.file_format = "PNG"
    caption = _caption(head)
    with TemporaryDirectory() as folder:
        pictures = []
        for number, (label, turn) in enumerate(shots):
            caption.data.body = label
            turn()
            scene.render.filepath = str(Path(folder) / f"{number}.png")
            bpy.ops.render.render(write_still=True)
            pictures.append(_pixels(scene.render.filepath))
    _write(np.concatenate(pictures, axis=1), path)


def moments(phones: Path) -> list[tuple[str, float]]:
    """Label and time in seconds of each of MOMENTS, from lines of "end phone"."""
    rows = [line.split() for line in phones.read_text(encoding="utf-8").splitlines()]
    ends = [0.0, *(float(end) for end, _ in rows)]
    places: dict[str, list[float]] = {}
    for (_, phone), start, end in zip(rows, ends, ends[1:], strict=False):
        places.setdefault(phone, []).append(start + SHARE * (end - start))
    return [("rest" if phone == "pau" else phone, places[phone][n]) for phone, n in MOMENTS]


def _caption(head: bpy.types.Object) -> bpy.types.Object:
    """A text under the face, in front of the camera and lit by itself."""
    camera = bpy.context.scene.camera
    data = bpy.data.curves.new("Caption", "FONT")
    data.align_x, data.size = "CENTER", 0.045
    text = bpy.data.objects.new("Caption", data)
    bpy.context.collection.objects.link(text)
    text.parent, text.location = camera, (0.0, -0.385, -3.2)
    material = bpy.data.materials.new("Caption")
    if material.node_tree is None:
        material.use_nodes = True
    shader = material.node_tree.nodes["Principled BSDF"]
    shader.inputs["Emission Color"].default_value = (1, 1, 1, 1)
    shader.inputs["Emission Strength"].default_value = 1.0
    data.materials.append(material)
    return text


def _pixels(path: str) -> np.ndarray:
    image = bpy.data.images.load(path)
    width, height = image.size
    pixels = np.empty(width * height * 4, dtype=np.float32)
    image.pixels.foreach_get(pixels)
    bpy.data.images.remove(image)
    return pixels.reshape(height, width, 4)


def _write(pixels: np.ndarray, path: Path) -> None:
    height, width, _ = pixels.shape
    image = bpy.data.images.new("Strip", width, height)
    image.pixels.foreach_set(np.ascontiguousarray(pixels).ravel())
    image.filepath_raw, image.file_format = str(path), "PNG"
    image.save()
