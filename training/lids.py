"""Lid closure as one number per eye, and the head's own way of closing over a round eyeball."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from . import regions
from .contact import UP, Rims
from .registration import Floats, Ints, Surface
from .transfer import extend

# A lid moves as a whole this far from its rim, and not at all this far, in eye widths.
LID_EDGE, LID_LENGTH = 0.06, 0.38
# Toward the eye's corners the upper lid hands over to skin that stays, over this much, in eye
# widths of distance between the rims: at once, and the skin there would fold over itself.
CORNER_FADE = 0.14
# Rounds the folds where a lid's corner meets skin that stays.
LID_SMOOTHNESS = 0.5
# Lashes reach beyond the corners: each turns as the lid does this much nearer the eye's middle.
LASH_SPAN = 0.8


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


@dataclass(frozen=True)
class Swing:
    """How far the upper lid must turn about its eyeball's left-right axis, along the eye."""

    centre: Floats  # (3,) of the eyeball
    x: Floats  # (R,) of the upper rim's vertices
    angle: Floats  # (R,) radians, negative is down
    radius: Floats  # (R,) of the upper rim from the axis, metres

    def turn_lashes(self, points: Floats, lift: float) -> Floats:
        """Displacements (N, 3) of lashes, which turn as one with the lid, wings beyond it too."""
        inward = points.copy()
        middle = (self.x.min() + self.x.max()) / 2
        inward[:, 0] = middle + LASH_SPAN * (points[:, 0] - middle)
        return self.turn(inward, np.ones(len(points)), lift, settle=False)

    def turn(self, points: Floats, follow: Floats, lift: float, settle: bool) -> Floats:
        """Displacements (N, 3) of points that turn along as far as they follow (N,), 0 to 1.

        Lift in metres is added to their distance from the axis; the rims overlap by half of it.
        Settling lays stretched skin onto the eyeball like the rim, so that the brow's bulge is
        not carried down. Nothing is added at the corners, where the lids meet already.
        """
        radius, start = _polar(points - self.centre)
        angle = follow * np.interp(points[:, 0], self.x, self.angle)
        share = angle / min(self.angle.min(), -1e-9)
        rim = np.interp(points[:, 0], self.x, self.radius)
        sunk = np.minimum(radius, rim) - radius if settle else 0.0
        end = start + angle - 0.5 * share * lift / radius
        further = radius + share * (sunk + lift)
        moved = np.zeros_like(points)
        moved[:, 1] = further * np.sin(end) - radius * np.sin(start)
        moved[:, 2] = further * np.cos(end) - radius * np.cos(start)
        return moved


def swing_of(rest: Floats, driven_blink: Floats, rims: Rims, eyeball: Floats) -> Swing:
    """The swing that brings the upper rim of rest (V, 3) to the lower one of the driven blink."""
    centre = eyeball.mean(axis=0)
    radius, angle = _polar(rest[rims.upper] - centre)
    _, posed = _polar(rest[rims.lower] + driven_blink[rims.lower] - centre)
    x = rest[rims.upper, 0]
    goal = np.interp(x, rest[rims.lower, 0], posed)
    return Swing(centre, x, np.minimum(goal - angle, 0.0), radius)


def closing_shape(
    driven_blink: Floats, surface: Surface, rims: Rims, swing: Swing, lift: float
) -> Floats:
    """What the driven blink (V, 3) lacks so that the upper lid glides down to the lower one."""
    graph = regions.edge_graph(surface.vertices, surface.triangles)
    above = regions.distance_from(graph, rims.upper)
    nearer = regions.distance_from(graph, rims.lower) - above
    width = float(np.ptp(swing.x))
    upper = regions.smoothstep(nearer, 0.0, CORNER_FADE * width)
    length = LID_LENGTH * width
    follow = regions.smoothstep(above, length, LID_EDGE * width) * upper
    glide = swing.turn(surface.vertices, follow, lift, settle=True)
    # Beyond the lid proper the driven skin takes over.
    own = regions.smoothstep(above, 2.4 * length, 1.2 * length) * upper
    missing = own[:, None] * (glide - driven_blink)
    everywhere = np.ones(len(missing), dtype=bool)
    return extend(everywhere, missing, surface.triangles, LID_SMOOTHNESS)


def _polar(offset: Floats) -> tuple[Floats, Floats]:
    """Distance from the left-right axis, metres, and elevation above straight ahead, radians."""
    radius = np.hypot(offset[:, 1], offset[:, 2])
    return np.maximum(radius, 1e-6), np.arctan2(offset[:, 1], offset[:, 2])
