"""Carry ICT-FaceKit's 53 expression shapes onto another face and keep them as a rig.

The rig is a file of displacement fields in metres, region masks derived from those fields, and
pairs of touching inner-lip vertices; every corpus and both stages are built on it.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import trimesh
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from backend.errors import SoliloquyError

from . import contact, ict, jaw, regions
from .regions import LEFT_EYE, RIGHT_EYE
from .registration import Floats, Ints, Mask, Surface, fit_similarity, register
from .transfer import carry

# Thin enough to be unseen, thick enough that a lid's flat triangles clear the round eyeball.
LID_CLEARANCE_M = 4e-4


@dataclass(frozen=True)
class Template:
    """The face to be rigged: all of its mesh, and its landmarks as barycentric points."""

    vertices: Floats  # (V, 3) metres
    triangles: Ints  # (F, 3)
    landmark_triangle: Ints  # (51,)
    landmark_weights: Floats  # (51, 3)

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

    def loose_part_near(self, point: Floats) -> Ints:
        """Vertices of the component, not the skin, whose centre is nearest (an eyeball)."""
        graph = regions.edge_graph(self.vertices, self.triangles)
        _, part = connected_components(graph, directed=False)
        skin = part[self.landmark_vertices[0]]
        groups = [np.flatnonzero(part == name) for name in np.unique(part) if name != skin]
        return min(groups, key=lambda g: float(((self.vertices[g].mean(0) - point) ** 2).sum()))


def load_template(mesh: Path, landmarks: Path) -> Template:
    """Read a mesh file and its landmarks .npz (face_index (51,), barycentric (51, 3))."""
    for path in (mesh, landmarks):
        if not path.is_file():
            raise SoliloquyError("template", f"{path} is missing", "check --template, --landmarks")
    loaded = trimesh.load_mesh(mesh, process=False)
    if not isinstance(loaded, trimesh.Trimesh):
        raise SoliloquyError("template", f"{mesh} has no triangles", "give --template a mesh file")
    with np.load(landmarks) as points:
        return Template(
            np.asarray(loaded.vertices, dtype=np.float64),
            np.asarray(loaded.faces, dtype=np.int64),
            points["face_index"].astype(np.int64),
            points["barycentric"].astype(float),
        )


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


def surface_of_ict(face: ict.IctFace) -> Surface:
    """ICT-FaceKit's labelled skin."""
    count = len(face.landmarks)
    matrix = sparse.csr_matrix(
        (np.ones(count), (np.arange(count), face.landmarks)), shape=(count, len(face.vertices))
    )
    labels = regions.opening_labels(face.vertices, face.triangles, face.landmarks)
    return Surface(face.vertices, face.triangles, labels, matrix)


class Carried(NamedTuple):
    """ICT-FaceKit's shapes on another face."""

    fields: Floats  # (K, V, 3) metres
    jaw_motion: Floats  # (K, 6) translation in metres and rotation vector of the lower teeth
    jaw_pivot: Floats  # (3,) metres


def carry_shapes(template: Template, face: ict.IctFace) -> Carried:
    """ICT-FaceKit's shapes on the template; loose parts (eyeballs) get no motion."""
    source, skin = surface_of(template)
    target = surface_of_ict(face)
    registered = register(source, target)
    felt = carry(registered, source, target, face.deltas)
    pose = fit_similarity(source.landmarks @ source.vertices, target.landmarks @ target.vertices)
    fields = np.zeros((len(felt), *template.vertices.shape))
    fields[:, skin] = felt @ pose.rotation / pose.scale
    teeth = pose.undo(face.lower_teeth)
    moved = face.lower_teeth_deltas @ pose.rotation / pose.scale
    pivot = teeth.mean(axis=0)
    return Carried(fields, jaw.rigid_motion(teeth - pivot, moved), pivot)


def close_openings(template: Template, names: tuple[str, ...], fields: Floats) -> Floats:
    """Fields (K, V, 3) in which mouthClose and both blinks close their opening exactly.

    ICT-FaceKit's own mouthClose overshoots, and lids of another face rarely meet by luck.
    """
    rest, marks = template.vertices, template.landmark_vertices
    rims = [contact.rims_of(rest, template.triangles, marks, opening) for opening in range(3)]
    closed = fields.copy()
    row = {name: index for index, name in enumerate(names)}
    closed[row["mouthClose"]] = contact.close_lips(
        fields[row["mouthClose"]], fields[row["jawOpen"]], rest, rims[0]
    )
    for opening, name, eye in ((1, "eyeBlink_R", RIGHT_EYE), (2, "eyeBlink_L", LEFT_EYE)):
        ball = template.loose_part_near(rest[marks[list(eye)]].mean(axis=0))
        closed[row[name]] = contact.close_lids(
            fields[row[name]], rest, rims[opening], rest[ball], LID_CLEARANCE_M
        )
        # Blinking moves skin only.
        closed[row[name], ball] = 0.0
    return closed


def masks_of(template: Template, names: tuple[str, ...], fields: Floats) -> dict[str, Mask]:
    """Region masks (V,) from the shapes that move a vertex and its distance from the lips."""
    marks = template.landmark_vertices
    lips = regions.lip_band(template.vertices, template.triangles, marks)
    labels = regions.opening_labels(template.vertices, template.triangles, marks)

    def moved_by(prefixes: tuple[str, ...], fraction: float) -> Mask:
        rows = [row for row, name in enumerate(names) if name.startswith(prefixes)]
        travel = np.linalg.norm(fields[rows], axis=-1)
        return np.asarray((travel > fraction * travel.max(axis=1, keepdims=True)).any(axis=0))

    return {
        "mask_lips": lips,
        "mask_upper_lip": lips & (labels == regions.UPPER_LIP),
        "mask_lower_lip": lips & (labels == regions.LOWER_LIP),
        "mask_upper_face": moved_by(("brow", "eyeBlink", "eyeSquint", "eyeWide"), 0.1),
        "mask_eyes": moved_by(("eyeBlink", "eyeSquint", "eyeWide"), 0.15),
        "mask_jaw": moved_by(("jawOpen",), 0.15),
    }


def lip_pairs_of(template: Template) -> Ints:
    """Pairs (P, 2) of upper and lower inner-lip vertices over the mouth's middle two thirds."""
    rest, marks = template.vertices, template.landmark_vertices
    rims = contact.rims_of(rest, template.triangles, marks, 0)
    left, right = rest[rims.upper[[0, -1]], 0]
    middle = np.abs(rest[rims.upper, 0] - (left + right) / 2) < 0.36 * (right - left)
    upper = rims.upper[middle]
    gap = np.linalg.norm(rest[upper][:, None] - rest[rims.lower][None], axis=-1)
    return np.stack([upper, rims.lower[gap.argmin(axis=1)]], axis=1)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``python -m training rig``."""
    parser.add_argument("--template", type=Path, required=True, help="mesh to rig, metres")
    parser.add_argument("--shapes", type=Path, required=True, help="ICT-FaceKit folder")
    parser.add_argument(
        "--landmarks", type=Path, help="51 landmarks .npz (default: landmarks51.npz beside mesh)"
    )
    parser.add_argument("--out", type=Path, required=True, help="rig .npz to write")


def run(args: argparse.Namespace) -> None:
    """Write the rig."""
    landmarks = args.landmarks or args.template.parent / "landmarks51.npz"
    template = load_template(args.template, landmarks)
    face = ict.load(args.shapes)
    carried = carry_shapes(template, face)
    fields = close_openings(template, face.names, carried.fields)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        args.out,
        names=np.array(face.names),
        fields=fields.astype(np.float32),
        jaw_motion=carried.jaw_motion.astype(np.float32),
        jaw_pivot=carried.jaw_pivot.astype(np.float32),
        template=template.vertices.astype(np.float32),
        faces=template.triangles.astype(np.int32),
        lip_pairs=lip_pairs_of(template).astype(np.int32),
        landmarks=template.landmark_vertices.astype(np.int32),
        **masks_of(template, face.names, fields),
    )
    print(f"{args.out}: {len(face.names)} shapes on {len(template.vertices)} vertices")
