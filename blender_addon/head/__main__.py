"""`python -m blender_addon.head OUT.npz`: write the head for training's registration."""

import sys
from pathlib import Path

import numpy as np

from .generate import head
from .mesh import HeadMesh


def write(head_mesh: HeadMesh, path: Path) -> None:
    """Save vertices, faces (F, 4) int32 with -1 after a triangle, part, part_names, landmarks."""
    faces = np.array([(*face, -1)[:4] for face in head_mesh.faces], dtype=np.int32)
    np.savez(
        path,
        vertices=head_mesh.vertices,
        faces=faces,
        part=head_mesh.part,
        part_names=np.array(head_mesh.part_names),
        landmarks=head_mesh.landmarks,
    )


def main(arguments: list[str]) -> int:
    """Write the head to the one path given."""
    if len(arguments) != 1 or not arguments[0].endswith(".npz"):
        print("usage: python -m blender_addon.head OUT.npz", file=sys.stderr)
        return 2
    write(head(), Path(arguments[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
