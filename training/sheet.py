"""A picture of every shape of a rig, for a person to judge: shaded, orange where the skin moves."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from . import regions, rig_file
from .registration import Floats, Ints, vertex_normals
from .rig_file import Rig

TILE_PX = (150, 180)
COLUMNS = 9
# Drawn this much larger and shrunk, so that edges are smooth.
OVERSAMPLING = 2
# The face fills this much of the tile, in heights from mouth to brow.
VIEW_HEIGHT, VIEW_BELOW = 2.25, 0.8
# Skin that moves this far is fully orange.
FULL_TINT_M = 0.012
SKIN, MOVED = np.array([205.0, 205.0, 210.0]), np.array([255.0, 160.0, 80.0])
LIGHT = np.array([0.35, 0.45, 0.82])
# A little from the side shows lips that pucker and jaws that thrust.
YAW_DEGREES = 14.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``python -m training sheet``."""
    parser.add_argument("--rig", type=Path, required=True, help="rig .npz")
    parser.add_argument("--out", type=Path, required=True, help="picture to write (.png)")


def run(args: argparse.Namespace) -> None:
    """Write the sheet."""
    rig = rig_file.read(args.rig)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    # 48 colours are plenty for two hues of skin, and a quarter of the bytes.
    sheet(rig).quantize(48, dither=Image.Dither.NONE).save(args.out, optimize=True)
    print(f"{args.out}: {len(rig.names)} shapes")


def sheet(rig: Rig) -> Image.Image:
    """The face at rest and each shape at weight 1, row by row, names below."""
    wide, high = TILE_PX
    rows = -(-(len(rig.names) + 1) // COLUMNS)
    page = Image.new("RGB", (wide * COLUMNS, high * rows), "white")
    tiles = [("at rest", np.zeros_like(rig.template)), *zip(rig.names, rig.fields, strict=True)]
    for number, (name, field) in enumerate(tiles):
        corner = (number % COLUMNS * wide, number // COLUMNS * high)
        page.paste(tile(rig, field), corner)
        ImageDraw.Draw(page).text((corner[0] + 4, corner[1] + high - 13), name, fill="black")
    return page


def tile(rig: Rig, field: npt.NDArray[np.float32]) -> Image.Image:
    """One pose, seen a little from its left, hidden parts covered by what is in front."""
    pose = turned(rig.template + field)
    frame = _frame(turned(rig.template.astype(float)), rig.landmarks)
    where = (pose[:, :2] - frame[:2]) * [1, -1] * frame[2]
    colours = shades(pose, rig.faces, np.linalg.norm(field, axis=1))
    size = (TILE_PX[0] * OVERSAMPLING, TILE_PX[1] * OVERSAMPLING)
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    depth = pose[rig.faces, 2].mean(axis=1)
    corners = where[rig.faces].reshape(-1, 6)
    for face in np.argsort(depth):
        if colours[face, 0] >= 0:
            draw.polygon(corners[face].tolist(), fill=tuple(colours[face].tolist()))
    return picture.resize(TILE_PX, Image.Resampling.BOX)


def turned(points: Floats) -> Floats:
    """Points (V, 3) as seen from YAW_DEGREES beside the nose: x right, y up, z to the viewer."""
    angle = np.radians(YAW_DEGREES)
    x, y, z = points.T
    return np.stack(
        [np.cos(angle) * x - np.sin(angle) * z, y, np.sin(angle) * x + np.cos(angle) * z], axis=1
    )


def shades(pose: Floats, faces: Ints, moved_m: Floats) -> Ints:
    """Colour of each triangle (F, 3), 0..255; -1 for those that look away."""
    normals = vertex_normals(pose, faces)[faces].mean(axis=1)
    light = 0.25 + 0.75 * np.clip(normals @ LIGHT, 0.0, 1.0)
    share = np.clip(moved_m[faces].mean(axis=1, keepdims=True) / FULL_TINT_M, 0.0, 1.0)
    colours: Ints = (light[:, None] * (SKIN + share * (MOVED - SKIN))).astype(np.int64)
    corners = pose[faces]
    away = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])[:, 2] <= 0
    colours[away] = -1
    return colours


def _frame(rest: Floats, landmarks: Ints) -> Floats:
    """Left and top edge of the view in metres, and pixels per metre (3,)."""
    marks = rest[landmarks]
    mouth, brows = marks[list(regions.OUTER_LIPS)].mean(0), marks[list(regions.BROWS)].mean(0)
    height = brows[1] - mouth[1]
    pixels = OVERSAMPLING * TILE_PX[1] / (VIEW_HEIGHT * height)
    # The eyes, not the nose: that juts out to the side of the view.
    middle = marks[list(regions.RIGHT_EYE + regions.LEFT_EYE), 0].mean()
    left = middle - 0.5 * OVERSAMPLING * TILE_PX[0] / pixels
    return np.array([left, mouth[1] + (VIEW_HEIGHT - VIEW_BELOW) * height, pixels])
