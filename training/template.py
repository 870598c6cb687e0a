"""The face to be rigged: its mesh in metres, its 51 landmarks, and where its eyeballs are."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import trimesh
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from backend.errors import SoliloquyError

from . import regions
from .registration import Floats, Ints, Surface, boundary_vertices, fit_similarity

# A face whose landmarks span this share of ICT-FaceKit's adult is taken to be in metres.
HUMAN_SIZE = (0.7, 1.4)
# Landmarks of the eyes this near an open edge are meant to be on it.
SNAP_M = 2.5e-3


@dataclass(frozen=True)
class Template:
    """The face to be rigged: all of its mesh, and its landmarks as barycentric points."""

    vertices: Floats  # (V, 3) metres
    triangles: Ints  # (F, 3)
    landmark_triangle: Ints  # (51,)
    landmark_weights: Floats  # (51, 3)
    metres_per_unit: float = 1.0  # of the file it was read from

    @property
    def landmark_vertices(self) -> Ints:
        """The vertex nearest each landmark (51,)."""
        corners = self.triangles[self.landmark_triangle]
        nearest: Ints = corners[np.arange(len(corners)), self.landmark_weights.argmax(axis=1)]
        return nearest

    def skin(self) -> Ints:
        """Vertices of the component that carries the landmarks (loose eyeballs are left out)."""
        graph = regions.edge_graph(self.vertices, self.triangles)
        reach = regions.distance_from(graph, self.landmark_vertices[:1])
        return np.flatnonzero(np.isfinite(reach))

    def eyeball_near(self, point: Floats) -> Ints:
        """Vertices of the component, not the skin, whose centre is nearest; none if all is skin."""
        graph = regions.edge_graph(self.vertices, self.triangles)
        _, part = connected_components(graph, directed=False)
        skin = part[self.landmark_vertices[0]]
        groups = [np.flatnonzero(part == name) for name in np.unique(part) if name != skin]
        if not groups:
            return np.zeros(0, dtype=np.int64)
        return min(groups, key=lambda g: float(((self.vertices[g].mean(0) - point) ** 2).sum()))


def load(mesh: Path, landmarks: Path, adult: Floats) -> Template:
    """Read a mesh file and its landmarks; `adult` (51, 3), metres, tells the mesh's unit.

    A face far from adult size (BIWI's has an area of 1 and no unit) is scaled to it.
    """
    for path in (mesh, landmarks):
        if not path.is_file():
            raise SoliloquyError("template", f"{path} is missing", "check --template, --landmarks")
    loaded = trimesh.load_mesh(mesh, process=False)
    if not isinstance(loaded, trimesh.Trimesh):
        raise SoliloquyError("template", f"{mesh} has no triangles", "give --template a mesh file")
    vertices = np.asarray(loaded.vertices, dtype=np.float64)
    triangles = np.asarray(loaded.faces, dtype=np.int64)
    where, weights = _landmarks(landmarks, triangles)
    marks = np.einsum("lk,lkd->ld", weights, vertices[triangles[where]])
    unit = metres_per_unit(marks, adult)
    found = Template(vertices * unit, triangles, where, weights, unit)
    return on_lid_edges(found)


def on_lid_edges(template: Template) -> Template:
    """The template with landmarks of an eye that lie just beside an open edge moved onto it.

    Where eye sockets are holes in the skin the lids end there: that is what must meet in a blink.
    """
    edge = boundary_vertices(template.triangles)
    if not len(edge):
        return template
    eyes = np.array(regions.RIGHT_EYE + regions.LEFT_EYE)
    corners = template.vertices[template.triangles[template.landmark_triangle[eyes]]]
    marks = np.einsum("lk,lkd->ld", template.landmark_weights[eyes], corners)
    distance, nearest = cKDTree(template.vertices[edge]).query(marks)
    near = distance < SNAP_M
    where, weights = template.landmark_triangle.copy(), template.landmark_weights.copy()
    where[eyes[near]], weights[eyes[near]] = at_vertices(edge[nearest[near]], template.triangles)
    return replace(template, landmark_triangle=where, landmark_weights=weights)


def metres_per_unit(marks: Floats, adult: Floats) -> float:
    """1 where landmarks (51, 3) are of adult size in metres, else what makes them so."""
    scale = fit_similarity(marks, adult).scale
    return 1.0 if HUMAN_SIZE[0] < scale < HUMAN_SIZE[1] else scale


def default_landmarks(mesh: Path) -> Path:
    """The landmarks51 file beside a mesh, .npz or .json."""
    found = [mesh.parent / f"landmarks51.{ending}" for ending in ("npz", "json")]
    return next((path for path in found if path.is_file()), found[0])


def _landmarks(path: Path, triangles: Ints) -> tuple[Ints, Floats]:
    """Triangle (51,) and weights (51, 3): .npz (face_index, barycentric) or .json (vertices)."""
    try:
        if path.suffix == ".json":
            return at_vertices(np.array(json.loads(path.read_text())["vertices"]), triangles)
        with np.load(path) as points:
            return points["face_index"].astype(np.int64), points["barycentric"].astype(float)
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise SoliloquyError(
            "template", f"{path} holds no 51 landmarks: {error}", "see --landmarks in docs/rig.md"
        ) from error


def at_vertices(marks: Ints, triangles: Ints) -> tuple[Ints, Floats]:
    """Landmarks (51,) that are vertices, as a triangle (51,) that has each and its weights."""
    has = [np.flatnonzero((triangles == mark).any(axis=1))[0] for mark in marks]
    where = np.array(has, dtype=np.int64)
    return where, (triangles[where] == marks[:, None]).astype(float)


def surface_of(template: Template) -> tuple[Surface, Ints]:
    """The template's labelled skin and the template vertex (Vs,) behind each of its vertices."""
    skin = template.skin()
    place = np.full(len(template.vertices), -1)
    place[skin] = np.arange(len(skin))
    triangles = place[template.triangles]
    triangles = triangles[(triangles >= 0).all(axis=1)]
    vertices = template.vertices[skin]
    corners = place[template.triangles[template.landmark_triangle]]
    rows = np.repeat(np.arange(len(corners)), 3)
    matrix = sparse.csr_matrix(
        (template.landmark_weights.ravel(), (rows, corners.ravel())),
        shape=(len(corners), len(skin)),
    )
    labels = regions.opening_labels(vertices, triangles, place[template.landmark_vertices])
    return Surface(vertices, triangles, labels, matrix), skin
