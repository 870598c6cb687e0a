"""How the Soliloquy head follows FLAME: a reference rest pose for packs, and the head's operator.

FLAME's template is registered onto our head once; what is kept is our own surface in FLAME's
vertex order, and weights and matrices. No licensed geometry is written.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from backend.errors import SoliloquyError

from . import jaw, lids, regions, rig_file
from .contact import UP, Rims, rims_of
from .head_operator import (
    SOURCES,
    Skin,
    interpolation,
    local_matrices,
    nearest_of,
    one_matrix_near,
    ride,
    smooth_matrices,
)
from .registration import Floats, Ints, Mask, Surface, fit_similarity, register
from .rig_file import Rig

LID_LIFT_M = 5e-4
# A blink draws the eyeball back, as it does in life; linear lids cut the corner over it.
EYE_RETREAT_M = 2e-3
# Half the distance between the eyes: lashes within it are this eye's.
EYE_REACH_M = 0.03
# All of the lips share one matrix; it is blended out between these distances from them.
LIP_BLEND_M = (0.008, 0.03)
# The cavity hangs on the lips for this far, then on jaw and skull.
CAVITY_BLEND_M = 0.014
# Height above the mouth's line where the cavity is all roof, and all floor.
CAVITY_FLOOR_M = (0.004, -0.008)
# Skin that FLAME's shapes move less than this stays put, so that noise cannot shake the skull.
STILL_M, MOVING_M = 3e-4, 1.5e-3
NECK_FADE_M = 0.06


@dataclass(frozen=True)
class Head:
    """The generated head: vertices (V, 3) metres, triangles, part per vertex, landmarks (51,)."""

    vertices: Floats
    triangles: Ints
    part: Ints
    part_names: tuple[str, ...]
    landmarks: Ints

    def of(self, *names: str) -> Mask:
        """Vertices (V,) of the named parts; a part the head lacks has none."""
        wanted = [index for index, name in enumerate(self.part_names) if name in names]
        return np.isin(self.part, wanted)


def _arrays(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise SoliloquyError("file", f"{path} is missing", "make it first, or correct the path")
    with np.load(path) as arrays:
        return dict(arrays)


def load_head(path: Path) -> Head:
    """Read a head .npz (faces (F, 4), a triangle's last corner is -1)."""
    arrays = _arrays(path)
    faces = arrays["faces"].astype(np.int64)
    quads = faces[faces[:, 3] >= 0]
    triangles = np.concatenate([faces[:, :3], quads[:, [0, 2, 3]]])
    return Head(
        arrays["vertices"].astype(float),
        triangles,
        arrays["part"].astype(np.int64),
        tuple(arrays["part_names"].tolist()),
        arrays["landmarks"].astype(np.int64),
    )


def surface_of(vertices: Floats, triangles: Ints, chosen: Mask, marks: Ints) -> Surface:
    """The chosen vertices as a labelled surface; landmarks (51,) are vertices of the whole."""
    place = np.full(len(vertices), -1)
    place[chosen] = np.arange(int(chosen.sum()))
    own = place[triangles]
    own = own[(own >= 0).all(axis=1)]
    spots = place[marks]
    matrix = sparse.csr_matrix(
        (np.ones(len(spots)), (np.arange(len(spots)), spots)),
        shape=(len(spots), int(chosen.sum())),
    )
    labels = regions.opening_labels(vertices[chosen], own, spots)
    return Surface(vertices[chosen], own, labels, matrix)


def flame_skin(rig: Rig) -> Mask:
    """FLAME's vertices (Vf,) without the loose eyeballs."""
    graph = regions.edge_graph(rig.rest, rig.faces)
    return np.asarray(np.isfinite(regions.distance_from(graph, rig.landmarks[:1])))


def reference_rest(rig: Rig, skin: Mask, registered: Floats) -> Floats:
    """Rest pose (Vf, 3) of our head in FLAME's order, laid over the template by a similarity.

    A FLAME mesh therefore fits the pack with scale 1. Each eyeball follows its lids' landmarks.
    """
    rest = np.zeros_like(rig.rest)
    rest[skin] = registered
    graph = regions.edge_graph(rig.rest, rig.faces)
    _, part = connected_components(graph, directed=False)
    for name in set(part[~skin]):
        ball = part == name
        centre = rig.rest[ball].mean(axis=0)
        eyes = (regions.RIGHT_EYE, regions.LEFT_EYE)
        eye = min(
            (rig.landmarks[list(marks)] for marks in eyes),
            key=lambda marks: float(((rig.rest[marks].mean(axis=0) - centre) ** 2).sum()),
        )
        pose = fit_similarity(rig.rest[eye], rest[eye])
        rest[ball] = pose.apply(rig.rest[ball])
    return fit_similarity(rest, rig.rest).apply(rest)


def skin_operator(rig: Rig, skin: Mask, registered: Floats, surface: Surface) -> Skin:
    """Operator rows for the head's skin."""
    source = surface_of(rig.rest, rig.faces, skin, rig.landmarks)
    driver = Surface(registered, source.triangles, source.labels, source.landmarks)
    weight = interpolation(surface, driver)
    scale = fit_similarity(source.landmarks @ source.vertices, source.landmarks @ registered).scale
    local = local_matrices(source.vertices, registered, source.triangles)
    matrices = smooth_matrices(local, source.triangles, scale)
    matrix = (weight @ matrices.reshape(-1, 9)).reshape(-1, 3, 3)
    graph = regions.edge_graph(surface.vertices, surface.triangles)
    marks = surface.landmarks.indices[list(regions.INNER_LIPS + regions.OUTER_LIPS)]
    matrix = one_matrix_near(matrix, regions.distance_from(graph, marks), *LIP_BLEND_M)
    fade = stillness(rig.fields[:, skin].astype(float), weight, surface.vertices)
    return Skin(weight, matrix * fade[:, None, None])


def stillness(fields: Floats, weight: sparse.csr_matrix, vertices: Floats) -> Floats:
    """Factor (V,) that is 0 on skin which no shape moves and at the neck's lower end, else 1."""
    travel = weight @ np.linalg.norm(fields, axis=-1).max(axis=0)
    height = vertices[:, 1] - vertices[:, 1].min()
    moving = regions.smoothstep(travel, STILL_M, MOVING_M)
    return moving * regions.smoothstep(height, 0.2 * NECK_FADE_M, NECK_FADE_M)


class Build:
    """Everything one correspondence is built from: rig, registration, head."""

    def __init__(self, rig: Rig, head: Head) -> None:
        self.rig, self.head = rig, head
        self.flame = np.flatnonzero(flame_skin(rig))
        skin = np.zeros(len(rig.rest), dtype=bool)
        skin[self.flame] = True
        self.source = surface_of(rig.rest, rig.faces, skin, rig.landmarks)
        self.on_skin = head.of("skin")
        self.surface = surface_of(head.vertices, head.triangles, self.on_skin, head.landmarks)
        self.registered = register(self.source, self.surface)
        self.skin = skin_operator(rig, skin, self.registered, self.surface)

    def rims(self, opening: int) -> Rims:
        """The head's rims as vertices of the head's skin."""
        marks = np.asarray(self.surface.landmarks.indices)
        return rims_of(self.surface.vertices, self.surface.triangles, marks, opening)


@dataclass
class Rows:
    """Skin-following rows for all parts of the head, and how far each vertex follows the jaw."""

    weight: sparse.lil_matrix  # (V, Vf)
    matrix: Floats  # (V, 3, 3)
    jaw_weight: Floats  # (V,)


def rows_of(build: Build) -> Rows:
    """Rows for skin, brows, lashes and the mouth's inside; all else stays at zero."""
    head, skin = build.head, build.skin
    count = len(head.vertices)
    rows = Rows(
        sparse.lil_matrix((count, len(build.rig.rest))),
        np.zeros((count, 3, 3)),
        head.of("teeth_lower", "tongue").astype(float),
    )
    _put(rows, np.flatnonzero(build.on_skin), skin, build.flame)
    upper_lids = np.concatenate([build.rims(1).upper, build.rims(2).upper])
    for part, carriers in (("brows", np.arange(len(skin.matrix))), ("lashes", upper_lids)):
        chosen = np.flatnonzero(head.of(part))
        if len(chosen):
            carrier = Skin(skin.weight[carriers], skin.matrix[carriers])
            on = build.surface.vertices[carriers]
            _put(rows, chosen, ride(head.vertices[chosen], on, carrier), build.flame)
    hang_cavity(rows, head)
    return rows


def _put(rows: Rows, chosen: Ints, skin: Skin, flame: Ints) -> None:
    entries = skin.weight.tocoo()
    rows.weight[chosen[entries.row], flame[entries.col]] = entries.data
    rows.matrix[chosen] = skin.matrix


def hang_cavity(rows: Rows, head: Head) -> None:
    """The mouth's inside: at the lips it follows them, further in its floor follows the jaw."""
    inside = np.flatnonzero(head.of("mouth_cavity"))
    if not len(inside):
        return
    graph = regions.edge_graph(head.vertices, head.triangles)
    distance, origin = nearest_of(graph, head.of("skin"))
    lips = regions.smoothstep(distance[inside], CAVITY_BLEND_M, 0.0)
    rows.weight[inside] = rows.weight[origin[inside]]
    rows.matrix[inside] = rows.matrix[origin[inside]] * lips[:, None, None]
    mouth = head.vertices[head.landmarks[list(regions.INNER_LIPS)], UP].mean()
    floor = regions.smoothstep(head.vertices[inside, UP] - mouth, *CAVITY_FLOOR_M)
    rows.jaw_weight[inside] = floor * (1.0 - lips)


class Readouts(NamedTuple):
    """Numbers read off FLAME (R, 3 N) at its vertices (N,), and the shape (R, V, 3) of each."""

    vertices: Ints
    solver: Floats
    shapes: Floats


def readouts_of(build: Build, rows: Rows) -> Readouts:
    """Jaw (six numbers) and lid closures (two) with the head's shapes for them."""
    jaw_index, jaw_solver, jaw_shapes = _jaw_readout(build, rows.jaw_weight)
    parts = [Readouts(jaw_index, jaw_solver, jaw_shapes)]
    for opening, name, eye in ((1, "eyeBlink_R", "eye_right"), (2, "eyeBlink_L", "eye_left")):
        parts.append(_lid_readout(build, rows, opening, build.rig.field(name), build.head.of(eye)))
    index = np.unique(np.concatenate([part.vertices for part in parts]))
    solvers = []
    for part in parts:
        spread = np.zeros((len(part.solver), len(index), 3))
        spread[:, np.searchsorted(index, part.vertices)] = part.solver.reshape(
            len(part.solver), -1, 3
        )
        solvers.append(spread.reshape(len(spread), -1))
    shapes = np.concatenate([part.shapes for part in parts])
    return Readouts(index, np.concatenate(solvers), shapes)


def _jaw_readout(build: Build, jaw_weight: Floats) -> Readouts:
    """The jaw's motion in the head's frame; its shapes are the rigid motions about the pivot."""
    rig, head = build.rig, build.head
    tell = jaw.skin_that_tells(rig.field("jawOpen"))
    solver = jaw.solver_for(rig.fields[:, tell].astype(float), rig.jaw_motion.astype(float))
    pose = fit_similarity(
        build.source.landmarks @ build.source.vertices, build.source.landmarks @ build.registered
    )
    turned = np.concatenate([pose.scale * pose.rotation @ solver[:3], pose.rotation @ solver[3:]])
    arms = head.vertices - pose.apply(rig.jaw_pivot[None].astype(float))[0]
    design = jaw.motion_design(arms).reshape(len(arms), 3, 6)
    shapes = np.einsum("v,vik->kvi", jaw_weight, design)
    return Readouts(tell, turned, shapes)


def _lid_readout(build: Build, rows: Rows, opening: int, blink: Floats, eye: Mask) -> Readouts:
    """One eye's closure; its shape moves lid and lashes by what their rows leave open."""
    rig, head, surface = build.rig, build.head, build.surface
    flame_rims = rims_of(rig.rest, rig.faces, rig.landmarks, opening)
    closure = lids.closure_readout(rig.rest, flame_rims, blink)
    solver = np.zeros((1, len(closure.vertices), 3))
    solver[0, :, UP] = closure.weights
    driven = np.einsum("vij,vj->vi", rows.matrix, rows.weight @ blink)
    on_skin = driven[build.on_skin]
    rims = build.rims(opening)
    swing = lids.swing_of(surface.vertices, on_skin, rims, head.vertices[eye])
    shape = np.zeros((len(head.vertices), 3))
    shape[build.on_skin] = lids.closing_shape(on_skin, surface, rims, swing, LID_LIFT_M)
    lash = head.of("lashes") & (np.abs(head.vertices[:, 0] - swing.centre[0]) < EYE_REACH_M)
    shape[lash] = swing.turn_lashes(head.vertices[lash], LID_LIFT_M) - driven[lash]
    shape[eye, 2] = -EYE_RETREAT_M
    return Readouts(closure.vertices, solver.reshape(1, -1), shape[None])


def packed(weight: sparse.lil_matrix) -> tuple[Ints, Floats]:
    """Rows as fixed-width arrays: index (V, S) and weight (V, S), zero-padded."""
    rows = weight.tocsr()
    row = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    column = np.arange(len(rows.indices)) - rows.indptr[row]
    index = np.zeros((rows.shape[0], SOURCES), dtype=np.int64)
    value = np.zeros((rows.shape[0], SOURCES))
    index[row, column], value[row, column] = rows.indices, rows.data
    return index, value


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``python -m training correspond``."""
    parser.add_argument("--rig", type=Path, required=True, help="rig .npz on FLAME topology")
    parser.add_argument("--head", type=Path, required=True, help="head .npz to be driven")
    parser.add_argument("--out-reference", type=Path, required=True, help="rest pose for packs")
    parser.add_argument("--out-head", type=Path, required=True, help="the add-on's operator")


def run(args: argparse.Namespace) -> None:
    """Write the reference and the head's operator."""
    rig, head = rig_file.read(args.rig), load_head(args.head)
    build = Build(rig, head)
    rest = reference_rest(rig, flame_skin(rig), build.registered)
    np.savez_compressed(
        args.out_reference, rest=rest.astype(np.float32), lip_pairs=rig.lip_pairs, **rig.masks
    )
    rows = rows_of(build)
    readouts = readouts_of(build, rows)
    index, weight = packed(rows.weight)
    write_operator(
        args.out_head,
        index=index,
        weight=weight,
        matrix=rows.matrix,
        readout_index=readouts.vertices,
        readout=readouts.solver,
        shapes=readouts.shapes,
    )
    print(f"{args.out_head}: {len(index)} head vertices follow {len(build.flame)} of FLAME's")


def write_operator(path: Path, **arrays: Floats | Ints) -> None:
    """Write the arrays that blender_addon/head/drive.py reads.

    Half precision errs by 1/2000 of a displacement, a tenth of the finest motion seen; FLAME's
    5,023 vertices fit 16 bits.
    """
    np.savez_compressed(
        path,
        **{
            name: value.astype(np.uint16 if value.dtype.kind in "iu" else np.float16)
            for name, value in arrays.items()
        },
    )
