"""A face drawn by numpy alone: triangles into pixels with a depth buffer.

Evaluation runs where there is no screen and no OpenGL, and a face is ten thousand triangles.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..registration import vertex_normals

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Image = NDArray[np.uint8]

SMOOTHING = 2  # pixels drawn for each one shown, each way
PAPER = 1.0
INSIDE = np.array([0.23, 0.13, 0.12])  # back faces: the mouth, seen through open lips
SKIN = np.array([0.80, 0.73, 0.69])
KEY_LIGHT = np.array([-0.35, 0.45, 0.82])
FILL_LIGHT = np.array([0.75, 0.10, 0.65])


@dataclass(frozen=True)
class Camera:
    """A view along -z of a face turned by ``rotation``, without perspective."""

    rotation: Floats  # (3, 3)
    centre: Floats  # (3,) metres
    metres_per_pixel: float
    width: int
    height: int

    def project(self, vertices: Floats) -> Floats:
        """Vertices (V, 3) -> pixels right, pixels down, metres towards the viewer."""
        turned = (vertices - self.centre) @ self.rotation.T
        right = self.width / 2 + turned[:, 0] / self.metres_per_pixel
        down = self.height / 2 - turned[:, 1] / self.metres_per_pixel
        return np.column_stack([right, down, turned[:, 2]])


def portrait(shown: Floats, yaw_degrees: float, width: int, height: int) -> Camera:
    """The view that just holds the points (N, 3), turned about the vertical."""
    angle = np.radians(yaw_degrees)
    cos, sin = np.cos(angle), np.sin(angle)
    rotation = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    turned = shown @ rotation.T
    low, high = turned.min(axis=0), turned.max(axis=0)
    scale = 1.06 * max((high[0] - low[0]) / width, (high[1] - low[1]) / height)
    return Camera(rotation, (low + high) / 2 @ rotation, float(scale), width, height)


def render(camera: Camera, vertices: Floats, triangles: Ints, colours: Floats) -> Image:
    """Draw a mesh with colours (V, 3) in 0..1 -> image (height, width, 3)."""
    fine = Camera(
        camera.rotation,
        camera.centre,
        camera.metres_per_pixel / SMOOTHING,
        camera.width * SMOOTHING,
        camera.height * SMOOTHING,
    )
    normals = vertex_normals(vertices, triangles) @ camera.rotation.T
    lit = np.clip(colours * _light(normals)[:, None], 0, 1)
    image = np.full((fine.height * fine.width, 3), PAPER)
    drawn = _fragments(fine, fine.project(vertices), triangles)
    nearest_last = np.argsort(drawn.depth, kind="stable")
    seen = drawn.take(nearest_last)
    surface = np.einsum("nk,nkc->nc", seen.mix, lit[triangles[seen.triangle]])
    image[seen.pixel] = np.where(seen.facing[:, None], surface, INSIDE)
    parts = image.reshape(camera.height, SMOOTHING, camera.width, SMOOTHING, 3)
    return np.asarray(np.rint(255 * parts.mean(axis=(1, 3))), dtype=np.uint8)


def _light(normals: Floats) -> Floats:
    """Brightness (V,) under a key and a fill light."""
    key, fill = (np.clip(normals @ (lamp / np.linalg.norm(lamp)), 0, None)
                 for lamp in (KEY_LIGHT, FILL_LIGHT))  # fmt: skip
    brightness: Floats = 0.38 + 0.55 * key + 0.18 * fill
    return brightness


class _Fragments(NamedTuple):
    """Where triangles cover pixels (N,), with their corners' shares (N, 3)."""

    pixel: Ints
    depth: Floats
    triangle: Ints
    mix: Floats
    facing: NDArray[np.bool_]

    def take(self, rows: Ints) -> "_Fragments":
        return _Fragments(
            self.pixel[rows],
            self.depth[rows],
            self.triangle[rows],
            self.mix[rows],
            self.facing[rows],
        )


def _fragments(camera: Camera, points: Floats, triangles: Ints) -> _Fragments:
    """Triangles of about equal size at once: each tries every pixel of a square that holds it."""
    corners = points[triangles]
    first = np.floor(corners[:, :, :2].min(axis=1)).astype(np.int64)
    size = (np.ceil(corners[:, :, :2].max(axis=1)) - first).max(axis=1).astype(np.int64) + 1
    frame = np.array([camera.width, camera.height])
    shown = ((first < frame) & (first + size[:, None] > 0)).all(axis=1)
    side = 2 ** np.ceil(np.log2(np.maximum(size, 1))).astype(np.int64)
    found = [
        _cover(camera, corners, first, np.flatnonzero(shown & (side == length)), int(length))
        for length in np.unique(side[shown])
    ]
    return _Fragments(*(np.concatenate(column) for column in zip(*found, strict=True)))


def _cover(camera: Camera, corners: Floats, first: Ints, rows: Ints, side: int) -> _Fragments:
    """The pixels of ``side`` x ``side`` squares whose middles lie in their triangle."""
    step = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2)
    place = first[rows, None] + step  # (M, side * side, 2)
    mix, area = _shares(corners[rows][:, :, :2], place + 0.5)
    frame = np.array([camera.width, camera.height])
    inside = (mix >= 0).all(axis=2) & ((place >= 0) & (place < frame)).all(axis=2)
    inside &= np.abs(area)[:, None] > 1e-9
    row, spot = np.nonzero(inside)
    chosen = mix[row, spot]
    return _Fragments(
        place[row, spot, 1] * camera.width + place[row, spot, 0],
        (chosen * corners[rows][row, :, 2]).sum(axis=1),
        rows[row],
        chosen,
        area[row] < 0,  # pixels count downwards, so a face seen from the front turns clockwise
    )


def _shares(corners: Floats, at: Floats) -> tuple[Floats, Floats]:
    """Barycentric shares (M, P, 3) of points (M, P, 2) in triangles (M, 3, 2), and signed areas."""
    a, b, c = (corners[:, None, k] for k in range(3))
    area = _cross(b - a, c - a)
    safe = np.where(np.abs(area) > 1e-9, area, 1.0)
    second, third = _cross(at - a, c - a) / safe, _cross(b - a, at - a) / safe
    return np.stack([1 - second - third, second, third], axis=-1), area[:, 0]


def _cross(a: Floats, b: Floats) -> Floats:
    turned: Floats = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return turned
