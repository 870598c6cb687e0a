"""Lid closure as one number per eye, and the head's own way of closing over a round eyeball."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from . import regions
from .contact import UP, Rims
from .registration import Floats, Ints, Surface

# A lid moves as a whole this far from its rim, and not at all this far, in eye widths.
LID_EDGE, LID_LENGTH = 0.06, 0.38


class ClosureReadout(NamedTuple):
    """closure = weights . vertical displacement of the vertices; 0 at rest, 1 at a full blink."""

    vertices: Ints  # (N,)
    weights: Floats  # (N,)


def closure_readout(rest: Floats, rims: Rims, blink: Floats) -> ClosureReadout:
    """How far the lids have come together, averaged along the eye, scaled by the blink (V, 3).

    Exactly linear, and blind to a brow that lifts both lids.
    """
    vertices = np.concatenate([rims.lower, rims.upper])
    weights = np.concatenate([_even(rest, rims.lower), -_even(rest, rims.upper)])
    return ClosureReadout(vertices, weights / (weights @ blink[vertices, UP]))


def _even(rest: Floats, rim: Ints) -> Floats:
    """Weights (R,) of a rim's vertices such that the sum is the mean over the eye's width."""
    share = np.abs(np.gradient(rest[rim, 0]))
    weights: Floats = share / share.sum()
    return weights


def closing_shape(
    driven_blink: Floats, surface: Surface, rims: Rims, eyeball: Floats, clearance: float
) -> Floats:
    """What the driven blink (V, 3) lacks so that the upper lid glides down to the lower one.

    The lid turns about the centre of its eyeball (B, 3), so it keeps its distance from it;
    clearance in metres is added to that distance, and by it the rims overlap.
    """
    graph = regions.edge_graph(surface.vertices, surface.triangles)
    above = regions.distance_from(graph, rims.upper)
    below = regions.distance_from(graph, rims.lower)
    width = float(np.ptp(surface.vertices[rims.upper, 0]))
    edge, length = LID_EDGE * width, LID_LENGTH * width
    follow = regions.smoothstep(above, length, edge) * (above <= below)
    centre = eyeball.mean(axis=0)
    glide = _glide(driven_blink, surface.vertices, rims, centre, follow, clearance)
    # Beyond the lid proper the driven skin takes over.
    own = regions.smoothstep(above, 2.4 * length, 1.2 * length) * (above <= below)
    shape: Floats = own[:, None] * (glide - driven_blink)
    return shape


def _glide(
    driven: Floats, rest: Floats, rims: Rims, centre: Floats, follow: Floats, clearance: float
) -> Floats:
    """Displacements (V, 3) of skin that turns, as far as it follows, until the rims meet."""
    radius, angle = _polar(rest - centre)
    _, posed_angle = _polar(rest + driven - centre)
    x = rest[:, 0]
    upper = np.interp(x, rest[rims.upper, 0], angle[rims.upper])
    lower = np.interp(x, rest[rims.lower, 0], posed_angle[rims.lower])
    swing = np.minimum(lower - upper, 0.0)
    # Nothing is added at the corners, where the lids meet already.
    share = follow * swing / swing.min()
    turned = angle + follow * swing - share * clearance / radius
    # The stretched skin lies down on the eyeball like the rim: the brow's bulge is not carried.
    rim_radius = np.interp(x, rest[rims.upper, 0], radius[rims.upper])
    further = radius + share * (np.minimum(radius, rim_radius) - radius + clearance)
    glide = np.zeros_like(rest)
    glide[:, 1] = further * np.sin(turned) - radius * np.sin(angle)
    glide[:, 2] = further * np.cos(turned) - radius * np.cos(angle)
    return glide


def _polar(offset: Floats) -> tuple[Floats, Floats]:
    """Distance from the eye's left-right axis and elevation above straight ahead, each (V,)."""
    return np.maximum(np.hypot(offset[:, 1], offset[:, 2]), 1e-6), np.arctan2(
        offset[:, 1], offset[:, 2]
    )
