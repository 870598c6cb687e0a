"""The rig on the Soliloquy head: FLAME's rig through the head's stored correspondence.

So a corpus on the head is measured just as the add-on shows it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt

from . import eyes, rig, rig_file
from .correspondence import Head, load_head
from .registration import Floats
from .rig_file import Rig, RigFileError
from .template import Template, at_vertices

Operator = dict[str, npt.NDArray[np.generic]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``python -m training rig-head``."""
    parser.add_argument("--rig", type=Path, required=True, help="rig .npz on FLAME topology")
    parser.add_argument("--head", type=Path, required=True, help="head .npz")
    parser.add_argument("--operator", type=Path, required=True, help="written by correspond")
    parser.add_argument("--out", type=Path, required=True, help="rig .npz to write")


def run(args: argparse.Namespace) -> None:
    """Write the head's rig; raises RigFileError when operator and head do not fit."""
    flame, head = rig_file.read(args.rig), load_head(args.head)
    with np.load(args.operator, allow_pickle=False) as file:
        operator = {name: file[name] for name in file.files}
    if len(operator["index"]) != len(head.vertices):
        raise RigFileError(f"{args.operator} is for another head", "make it with: correspond")
    fields = driven(operator, flame.fields.astype(np.float64))
    turn_eyes(fields, head, flame)
    where, weights = at_vertices(head.landmarks, head.triangles)
    template = Template(head.vertices, head.triangles, where, weights)
    rig.write(args.out, template, rig.Carried(flame.names, fields, *_jaw(flame)))


def _jaw(flame: Rig) -> tuple[Floats, Floats]:
    return flame.jaw_motion.astype(np.float64), flame.jaw_pivot.astype(np.float64)


def driven(operator: Operator, fields: Floats) -> Floats:
    """FLAME's fields (K, Vf, 3) as the head (K, V, 3) shows them; operator as correspond wrote."""
    index, seen_at = (operator[name].astype(np.int64) for name in ("index", "readout_index"))
    weight, matrix, readout, shapes = (
        operator[name].astype(np.float64) for name in ("weight", "matrix", "readout", "shapes")
    )
    moved = np.zeros((len(fields), len(index), 3))
    for source in range(index.shape[1]):
        moved += weight[:, source, None] * fields[:, index[:, source]]
    skin = np.einsum("vij,kvj->kvi", matrix, moved)
    seen = fields[:, seen_at].reshape(len(fields), -1) @ readout.T
    both: Floats = skin + np.tensordot(seen, shapes, 1)
    return both


def turn_eyes(fields: Floats, head: Head, flame: Rig) -> None:
    """Add the eyeballs' own turns, which FLAME's skin cannot tell, to fields (K, V, 3)."""
    for side, part in (("R", "eye_right"), ("L", "eye_left")):
        own = np.flatnonzero(head.of(part))
        fields[:, own] += eyes.turn(eyes.Eyeball(side, own, head.vertices[own]), flame.names)
