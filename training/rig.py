"""Carry ICT-FaceKit's 53 expression shapes onto another face and keep them as a rig.

The rig is a file of displacement fields in metres, region masks derived from those fields, and
pairs of touching inner-lip vertices; every corpus and both stages are built on it.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import sparse

from . import contact, eyes, ict, jaw, regions, rig_file
from .registration import Floats, Ints, Mask, Surface, edges_of, fit_similarity, register
from .template import Template, default_landmarks, load, surface_of
from .transfer import carry

# Thin enough to be unseen, thick enough that a lid's flat triangles clear the round eyeball.
LID_CLEARANCE_M = 4e-4
# Suits lips with edges of this length, such as FLAME's.
SMOOTHNESS, SMOOTH_EDGE_M = 0.3, 3e-3


def surface_of_ict(face: ict.IctFace) -> Surface:
    """ICT-FaceKit's labelled skin."""
    count = len(face.landmarks)
    matrix = sparse.csr_matrix(
        (np.ones(count), (np.arange(count), face.landmarks)), shape=(count, len(face.vertices))
    )
    labels = regions.opening_labels(face.vertices, face.triangles, face.landmarks)
    return Surface(face.vertices, face.triangles, labels, matrix)


def smoothness_for(surface: Surface) -> float:
    """How much to smooth carried fields: as far on a fine mesh as on a coarse one.

    The smoothing's reach is the fourth root of its weight, counted in edges.
    """
    edges = edges_of(surface.triangles)
    ends = surface.vertices[edges]
    length = float(np.median(np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1)))
    return SMOOTHNESS * max(1.0, (SMOOTH_EDGE_M / length) ** 4)


class Carried(NamedTuple):
    """ICT-FaceKit's shapes on another face."""

    names: tuple[str, ...]  # (K,)
    fields: Floats  # (K, V, 3) metres
    jaw_motion: Floats  # (K, 6) translation in metres and rotation vector of the lower teeth
    jaw_pivot: Floats  # (3,) metres


def carry_shapes(template: Template, face: ict.IctFace) -> Carried:
    """ICT-FaceKit's shapes on the template; eyeballs that are parts of their own only turn."""
    source, skin = surface_of(template)
    target = surface_of_ict(face)
    registered = register(source, target)
    felt = carry(registered, source, target, face.deltas, smoothness_for(source))
    pose = fit_similarity(source.landmarks @ source.vertices, target.landmarks @ target.vertices)
    fields = np.zeros((len(felt), *template.vertices.shape))
    fields[:, skin] = felt @ pose.rotation / pose.scale
    for ball in eyes.eyeballs(template, face):
        fields[:, ball.own] = eyes.turn(ball, face.names)
    teeth = pose.undo(face.lower_teeth)
    moved = face.lower_teeth_deltas @ pose.rotation / pose.scale
    pivot = teeth.mean(axis=0)
    return Carried(face.names, fields, jaw.rigid_motion(teeth - pivot, moved), pivot)


def close_openings(template: Template, face: ict.IctFace, fields: Floats) -> Floats:
    """Fields (K, V, 3) in which mouthClose and both blinks close their opening exactly.

    ICT-FaceKit's own mouthClose overshoots, and lids of another face rarely meet by luck.
    """
    rest, marks = template.vertices, template.landmark_vertices
    closed = fields.copy()
    row = {name: index for index, name in enumerate(face.names)}
    closed[row["mouthClose"]] = contact.close_lips(
        fields[row["mouthClose"]],
        fields[row["jawOpen"]],
        rest,
        contact.lip_contact(rest, template.triangles, marks),
    )
    for opening, ball in enumerate(eyes.eyeballs(template, face), start=1):
        name = f"eyeBlink_{ball.side}"
        rims = contact.rims_of(rest, template.triangles, marks, opening)
        closed[row[name]] = contact.close_lids(
            fields[row[name]], rest, rims, ball.points, LID_CLEARANCE_M
        )
        # Blinking moves skin only.
        closed[row[name], ball.own] = 0.0
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
    """Pairs (P, 2) of touching upper and lower lip vertices over the mouth's middle two thirds."""
    rest = template.vertices
    line = contact.lip_contact(rest, template.triangles, template.landmark_vertices)
    left, right = rest[line.upper[[0, -1]], 0]
    middle = np.abs(rest[line.upper, 0] - (left + right) / 2) < 0.36 * (right - left)
    return np.stack([line.upper[middle], line.lower[middle]], axis=1)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``python -m training rig``."""
    parser.add_argument("--template", type=Path, required=True, help="mesh to rig")
    parser.add_argument("--shapes", type=Path, required=True, help="ICT-FaceKit folder")
    parser.add_argument(
        "--landmarks", type=Path, help="51 landmarks, .npz or .json (default: landmarks51.* beside)"
    )
    parser.add_argument("--out", type=Path, required=True, help="rig .npz to write")


def run(args: argparse.Namespace) -> None:
    """Write the rig."""
    face = ict.load(args.shapes)
    landmarks = args.landmarks or default_landmarks(args.template)
    template = load(args.template, landmarks, face.vertices[face.landmarks] / 100.0)
    carried = carry_shapes(template, face)
    closed = carried._replace(fields=close_openings(template, face, carried.fields))
    write(args.out, template, closed)


def write(path: Path, template: Template, carried: Carried) -> None:
    """Write a rig file with its masks and lip pairs."""
    arrays = {
        "names": np.array(carried.names),
        "fields": carried.fields.astype(np.float32),
        "jaw_motion": carried.jaw_motion.astype(np.float32),
        "jaw_pivot": carried.jaw_pivot.astype(np.float32),
        "template": template.vertices.astype(np.float32),
        "metres_per_unit": np.array(template.metres_per_unit),
        "faces": template.triangles.astype(np.int32),
        "lip_pairs": lip_pairs_of(template).astype(np.int32),
        "landmarks": template.landmark_vertices.astype(np.int32),
    }
    rig_file.write(path, arrays | masks_of(template, carried.names, carried.fields))
    print(f"{path}: {len(carried.names)} shapes on {len(template.vertices)} vertices")
