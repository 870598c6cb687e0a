"""Is the corpus itself fit to learn from: do its lips meet, and does nothing pass through?

Lips touch at rest, so gaps are what a pose adds to the rest's. Depths under a surface are counted
beyond those of the rest pose, because scanned lips overlap a little inside the mouth.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree
from trimesh.triangles import closest_point, points_to_barycentric

from . import contact, lipsync, lipsync_pool, metrics, rig_file
from .corpus.clips import read_track
from .corpus.phones import BILABIALS, Phone
from .evaluate_corpus import some
from .metrics import Figure
from .regions import LEFT_EYE, RIGHT_EYE
from .registration import boundary_vertices, edges_of, vertex_normals
from .rig_file import Rig, RigFileError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CONTACT_M = 0.5e-3
# Lips reach this deep into each other at most; further inside is the other side of the lip.
DEEPEST_M = 5e-3
CANDIDATES = 8  # triangles by their centres: the nearest point lies on one of these
MOUTH, EYES = 0, (1, 2)


class Opening(NamedTuple):
    """Matching stations on an opening's two edges: upper (R, V) and lower (R, V) as matrices."""

    upper: sparse.csr_matrix
    lower: sparse.csr_matrix

    def gap(self, motion: Floats) -> Floats:
        """Vertical distance of the edges (T, R), metres; of a displacement, what it adds."""
        up = motion[:, :, 1].T
        found: Floats = (self.upper @ up - self.lower @ up).T
        return found


class Walls(NamedTuple):
    """What lips and lids must not pass: points (N,), the wall's triangles (M, 3)."""

    points: Ints
    triangles: Ints


class Face(NamedTuple):
    """A rig with what its openings are measured on."""

    rig: Rig
    mouth: Opening
    eyes: list[Opening]
    lips: Walls
    eyeballs: list[Walls]


class Clip(NamedTuple):
    """What one clip shows; depths and gaps in metres."""

    contacts: list[bool]  # one for each p b m
    widest_m: list[float]  # the gap of the best frame of each p b m, at its widest station
    lip_overlap_m: float
    lip_depth_m: float
    lid_overlap_m: float
    eyeball_depth_m: float
    heard: lipsync.Heard


def rows(work: Path, rig: Path, fps: float, clips: int) -> dict[str, list[Figure]]:
    """The figures of the test split's motion played on a rig; raises RigFileError."""
    face = read_face(rig)
    found = []
    for clip in some(work, clips):
        track = read_track(work / "corpus", clip)
        if track.weights.shape[1] != len(face.rig.names):
            message = f"{rig} has {len(face.rig.names)} shapes, the corpus {track.weights.shape[1]}"
            raise RigFileError(message, "give a rig of the same shapes")
        found.append(measure(face, track.weights, track.phones, fps))
    return {"ground truth": figures(found, face)}


def read_face(path: Path) -> Face:
    """A rig with its rims, lips and eyeballs; raises RigFileError."""
    rig = rig_file.read(path)
    with np.load(path, allow_pickle=False) as file:
        marks = file["landmarks"].astype(np.int64)
    rest = rig.template.astype(np.float64)
    openings = [opening(rest, contact.rims_of(rest, rig.faces, marks, k)) for k in range(3)]
    lips = Walls(
        np.flatnonzero(rig.masks["mask_lower_lip"]), _within(rig, rig.masks["mask_upper_lip"])
    )
    return Face(rig, openings[MOUTH], [openings[k] for k in EYES], lips, eyeballs_of(rig, marks))


def opening(rest: Floats, rims: contact.Rims) -> Opening:
    """Stations at the lower edge's vertices, corners left out, and the upper edge above them."""
    lower = rims.lower[1:-1]
    x, at = rest[lower, 0], rest[rims.upper, 0]
    right = np.clip(np.searchsorted(at, x), 1, len(at) - 1)
    share = np.clip((x - at[right - 1]) / np.maximum(at[right] - at[right - 1], 1e-9), 0, 1)
    station, shape = np.arange(len(lower)), (len(lower), len(rest))
    both = np.concatenate([1 - share, share])
    ends = np.concatenate([rims.upper[right - 1], rims.upper[right]])
    upper = sparse.csr_matrix((both, (np.tile(station, 2), ends)), shape=shape)
    return Opening(upper, sparse.csr_matrix((np.ones(len(lower)), (station, lower)), shape=shape))


def eyeballs_of(rig: Rig, marks: Ints) -> list[Walls]:
    """Each eye's lid vertices and the loose part behind them; none where the mesh has none."""
    part, skin = _parts(rig), _parts(rig)[marks[0]]
    lids, found = np.flatnonzero(rig.masks["mask_eyes"] & (part == skin)), []
    for eye in (RIGHT_EYE, LEFT_EYE):
        middle = rig.template[marks[list(eye)]].mean(axis=0)
        width = float(np.ptp(rig.template[marks[list(eye)], 0]))
        for name in set(part) - {skin}:
            if np.linalg.norm(rig.template[part == name].mean(axis=0) - middle) < width:
                near = np.linalg.norm(rig.template[lids] - middle, axis=1) < 1.5 * width
                found.append(Walls(lids[near], _within(rig, part == name)))
    return found


def _parts(rig: Rig) -> Ints:
    """The number of the connected part that each vertex belongs to (V,)."""
    edges, count = edges_of(rig.faces), len(rig.template)
    ones = np.ones(len(edges))
    joined = sparse.coo_matrix((ones, (edges[:, 0], edges[:, 1])), shape=(count, count))
    part: Ints = connected_components(joined, directed=False)[1].astype(np.int64)
    return part


def _within(rig: Rig, mask: NDArray[np.bool_]) -> Ints:
    """The triangles whose corners all lie in a mask."""
    chosen: Ints = rig.faces[mask[rig.faces].all(axis=1)]
    return chosen


def measure(face: Face, weights: rig_file.Array, phones: Sequence[Phone], fps: float) -> Clip:
    """One clip's contacts, depths and lip sync; weights (T, S) in the rig's order."""
    motion = face.rig.displacements(weights).astype(np.float64)
    gaps = face.mouth.gap(motion)
    spans = [(p.start_s, p.end_s) for p in phones if p.name in BILABIALS]
    best = [_best_frame(gaps, span, fps) for span in spans]
    poses = face.rig.template + motion
    aperture = metrics.aperture_m(motion.astype(np.float32), face.rig.lip_pairs)
    return Clip(
        [widest < CONTACT_M for widest in best],
        best,
        float(-gaps.min()),
        deepest(face.lips, poses, face.rig.template),
        max(float(-eye.gap(poses).min()) for eye in face.eyes),
        max((deepest(ball, poses, face.rig.template) for ball in face.eyeballs), default=0.0),
        lipsync.score(aperture, fps, phones),
    )


def _best_frame(gaps: Floats, span_s: tuple[float, float], fps: float) -> float:
    """The widest station's gap where it is narrowest, within a phone and a frame to each side."""
    first, last = int(np.floor(span_s[0] * fps)) - 1, int(np.ceil(span_s[1] * fps)) + 1
    return float(gaps[max(0, first) : last + 1].max(axis=1).min())


def deepest(walls: Walls, poses: Floats, rest: rig_file.Array) -> float:
    """How far a point gets behind its wall in any of the poses (T, V, 3) beyond rest, metres.

    A wall is a sheet that ends somewhere: a point nearest to its border is past it, not behind it.
    At rest that counts as behind too, since a point just past the border soon lies beside it.
    """
    before = depth(walls, rest.astype(np.float64), past_border=True)
    # A point that lies deep at rest is on the far side: the back of an eye socket, say.
    watched = before < DEEPEST_M / 2
    return max(float((depth(walls, pose, False) - before)[watched].max()) for pose in poses)


def depth(walls: Walls, pose: Floats, past_border: bool) -> Floats:
    """How far each point (N,) lies behind the nearest point of its wall, metres; 0 in front."""
    near = _nearest(walls, pose)
    corners = walls.triangles[near.triangle]
    mix = np.nan_to_num(points_to_barycentric(pose[corners], near.point))  # type: ignore[no-untyped-call]
    inner = (mix * ~np.isin(corners, boundary_vertices(walls.triangles))).sum(axis=1) > 1e-6
    # At an edge the flat normal of either triangle may be wrong about the side; smooth ones not.
    normal = (mix[:, :, None] * vertex_normals(pose, walls.triangles)[corners]).sum(axis=1)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    behind = ((near.point - pose[walls.points]) * normal).sum(-1)
    counted = (behind > 0) & (behind < DEEPEST_M) & (inner | past_border)
    return np.where(counted, behind, 0.0)


class _Nearest(NamedTuple):
    triangle: Ints  # (N,) row of the wall's triangles
    point: Floats  # (N, 3) on it


def _nearest(walls: Walls, pose: Floats) -> _Nearest:
    """The point of the wall nearest to each of its points, sought on the triangles about it."""
    points, corners = pose[walls.points], pose[walls.triangles]
    count = min(CANDIDATES, len(corners))
    _, close = cKDTree(corners.mean(axis=1)).query(points, k=range(1, count + 1))
    many = np.repeat(points, count, axis=0)
    on = closest_point(corners[close].reshape(-1, 3, 3), many)  # type: ignore[no-untyped-call]
    on = on.reshape(len(points), count, 3)
    best = np.square(points[:, None] - on).sum(-1).argmin(axis=1)
    row = np.arange(len(points))
    return _Nearest(close[row, best], on[row, best])


def figures(clips: Sequence[Clip], face: Face) -> list[Figure]:
    """All clips together, each figure beside what it was measured on."""
    hits = [hit for clip in clips for hit in clip.contacts]
    widest = [widest for clip in clips for widest in clip.widest_m]
    spoken = lipsync_pool.pool([clip.heard for clip in clips]).score
    rims = f"lip rims ({face.mouth.lower.shape[0]} stations)"
    lids = f"lid rims ({sum(eye.lower.shape[0] for eye in face.eyes)} stations)"
    return [
        Figure("p b m in contact", float(np.mean(hits)), "share under 0.5 mm", rims, len(hits)),
        Figure("gap on p b m, 98 %", 1e3 * float(np.percentile(widest, 98)), "mm", rims),
        _depth("lips overlap", clips, "lip_overlap_m", rims),
        _depth("lips pass", clips, "lip_depth_m", "mask_lower_lip in mask_upper_lip"),
        _depth("lids overlap", clips, "lid_overlap_m", lids),
        _depth("lids in eyeball", clips, "eyeball_depth_m", f"{len(face.eyeballs)} eyeballs"),
        *(Figure(name, value, "", "lip_pairs") for name, value in _sync(spoken).items()),
    ]


def _depth(name: str, clips: Sequence[Clip], field: str, mask: str) -> Figure:
    return Figure(name, 1e3 * max(getattr(clip, field) for clip in clips), "mm at most", mask)


def _sync(score: lipsync.Score) -> dict[str, float]:
    kept = ("auc", "auc_nah", "corr", "lag_ms", "closure", "closure_ch")
    values = dataclasses.asdict(score)
    return {name: float(values[name]) for name in kept}
