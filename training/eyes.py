"""The two eyeballs: where they are, and their rigid turns when the gaze moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.spatial.transform import Rotation

from . import ict
from .regions import LEFT_EYE, RIGHT_EYE
from .registration import Floats, Ints, fit_similarity
from .template import Template

LOOK = "eyeLook"
VERTICAL_DEGREES, SIDEWAYS_DEGREES = 25.0, 30.0


class Eyeball(NamedTuple):
    """One eyeball of a template."""

    side: str  # "R" or "L"
    own: Ints  # its vertices in the template; none when the face has open sockets
    points: Floats  # (B, 3) metres: the eyeball's shape, ICT-FaceKit's where it has none


def eyeballs(template: Template, face: ict.IctFace) -> tuple[Eyeball, Eyeball]:
    """The right and the left eyeball.

    A face without eyeballs is lent ICT-FaceKit's, laid by the six landmarks around the eye.
    """
    return (
        _eyeball(template, face, "R", RIGHT_EYE),
        _eyeball(template, face, "L", LEFT_EYE),
    )


def _eyeball(template: Template, face: ict.IctFace, side: str, around: tuple[int, ...]) -> Eyeball:
    marks = template.vertices[template.landmark_vertices[list(around)]]
    own = template.eyeball_near(marks.mean(axis=0))
    if len(own):
        return Eyeball(side, own, template.vertices[own])
    # Six nearly flat points do not say how far behind them the eyeball lies; the whole face does.
    every = template.vertices[template.landmark_vertices]
    pose = fit_similarity(face.vertices[face.landmarks], every)
    lent = pose.apply(face.eyeballs[side])
    slip = marks.mean(axis=0) - pose.apply(face.vertices[face.landmarks[list(around)]]).mean(axis=0)
    return Eyeball(side, own, lent + slip)


def turn(ball: Eyeball, names: Sequence[str]) -> Floats:
    """Displacements (K, B, 3) of an eyeball's own vertices: its turn about its centre by shape.

    ICT-FaceKit's gaze shapes move skin only; the angles are ours, those of a gaze near its limit.
    """
    arms = ball.points - centre_of(ball.points) if len(ball.own) else ball.points
    fields = np.zeros((len(names), len(ball.own), 3))
    for row, name in enumerate(names):
        direction, side = name.removeprefix(LOOK).partition("_")[::2]
        if name.startswith(LOOK) and side == ball.side and len(ball.own):
            turned = Rotation.from_rotvec(_rotation(direction, side))
            fields[row] = turned.apply(arms) - arms
    return fields


def centre_of(points: Floats) -> Floats:
    """Centre (3,) of the sphere nearest to points (B, 3), however unevenly they lie on it."""
    design = np.column_stack([2 * points, np.ones(len(points))])
    solved: Floats = np.linalg.lstsq(design, (points**2).sum(axis=1), rcond=None)[0]
    return solved[:3]


def _rotation(direction: str, side: str) -> Floats:
    """Rotation vector of a gaze; the left eye looks out towards +x, the right towards -x."""
    if direction in ("Up", "Down"):
        return np.radians([VERTICAL_DEGREES if direction == "Down" else -VERTICAL_DEGREES, 0, 0])
    towards_x = 1 if (direction == "Out") == (side == "L") else -1
    return np.radians([0, towards_x * SIDEWAYS_DEGREES, 0])
