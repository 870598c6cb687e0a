"""The jaw as a rigid body, to first order in its angle, and how to read it off the skin."""

from __future__ import annotations

import numpy as np

from .registration import Floats, Ints

SKIN_POINTS = 150
# Size of the errors a network makes in one coordinate: below it the skin is not to be trusted.
NOISE_M = 3e-4


def motion_design(arms: Floats) -> Floats:
    """Matrix (3 N, 6) taking [t, w] to the displacements t + w x arm of arms (N, 3), raveled."""
    x, y, z = arms.T
    o = np.zeros_like(x)
    turn = np.stack([o, z, -y, -z, o, x, y, -x, o], axis=1).reshape(-1, 3, 3)
    shift = np.broadcast_to(np.eye(3), turn.shape)
    design: Floats = np.concatenate([shift, turn], axis=2).reshape(-1, 6)
    return design


def rigid_motion(arms: Floats, displacements: Floats) -> Floats:
    """Least-squares [t, w] (K, 6) of displacements (K, N, 3) of points at arms (N, 3)."""
    solver = np.linalg.pinv(motion_design(arms))
    motion: Floats = displacements.reshape(len(displacements), -1) @ solver.T
    return motion


def skin_that_tells(jaw_open: Floats) -> Ints:
    """Vertices (J,), evenly thinned, that jawOpen (V, 3) moves by more than a quarter of its most.

    Lips are among them on purpose: their motion tells a smile from a moving jaw.
    """
    travel = np.linalg.norm(jaw_open, axis=1)
    moved = np.flatnonzero(travel > 0.25 * travel.max())
    chosen: Ints = moved[np.linspace(0, len(moved) - 1, min(SKIN_POINTS, len(moved))).astype(int)]
    return chosen


def solver_for(fields: Floats, motion: Floats) -> Floats:
    """Linear map (6, 3 J) from skin displacements to jaw motion, learnt from the shapes.

    Ridge regression of motion (K, 6) on fields (K, J, 3), each shape at weight one. A rigid fit
    to the chin instead would take every smile and shrug for a turn of the jaw.
    """
    samples = fields.reshape(len(fields), -1)
    ridge = len(samples) * NOISE_M**2 * np.eye(samples.shape[1])
    solved: Floats = np.linalg.solve(samples.T @ samples + ridge, samples.T @ motion).T
    return solved
