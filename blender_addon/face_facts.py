"""What the panel says of the chosen face: found out in a thread, remembered, never in a drawing.

`about` answers at once with what is known. The first time a face is asked for, a timer reads the
mesh (Blender's data may be touched in its own thread alone), a thread compares it with the model,
and the panels are drawn again. `now`, by which an order is stored, looks at every vertex.
"""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import bpy

from . import face_check, face_order, models, properties, vertex_order
from ._backend import errors, pack
from .face import MeshArrays, match

_REMEMBERED = 32
# Polygons looked at in every drawing, to see that a mesh was sorted.
_SAMPLED = 16
_POLL_S = 0.1
_Key = tuple[object, ...]


@dataclass(frozen=True)
class Facts:
    """In words what a face is, or the problem with it; the order that would mend it."""

    text: str = ""
    problem: str = ""
    reordered: bool = False
    order: face_order.Order | None = None


_known: dict[_Key, Facts] = {}
_asked: set[_Key] = set()


def about(face: bpy.types.Object, scene: bpy.types.Scene) -> Facts | None:
    """What is known of a face and its model; None as long as it is being found out."""
    model = properties.performance_of(face, scene).model.strip()
    key = _key(face, model)
    if key not in _known and key not in _asked and model:
        _asked.add(key)
        bpy.app.timers.register(lambda: _begin(key, face.name, model), first_interval=0.0)
    return _known.get(key)


def now(context: bpy.types.Context, face: bpy.types.Object, model: str) -> Facts:
    """The same for scripts: waits until it is known, of the very places and polygons there are."""
    mesh, others = vertex_order.read(face), vertex_order.candidates(face)
    key = _key(face, model)
    exact = (*key, _digest([mesh, *others]))
    facts = _known.get(exact)
    if facts is None:
        facts = _located(context, model, lambda path: _compare(mesh, others, path))
        _remember(exact, facts)
    _remember(key, facts)
    return facts


@bpy.app.handlers.persistent  # type: ignore[untyped-decorator]
def forget(*_unused: object) -> None:
    """Find everything out anew, as when models were added or removed, or a file was opened."""
    _known.clear()
    _asked.clear()


def attach() -> None:
    """Let no file have the facts of another one, whose meshes may have the same names."""
    bpy.app.handlers.load_post.append(forget)


def detach() -> None:
    """Undo `attach`."""
    bpy.app.handlers.load_post.remove(forget)


def _key(face: bpy.types.Object, model: str) -> _Key:
    """Changes with all that the answer depends on and that is cheap to see."""
    mesh, count = face.data, len(face.data.vertices)
    alike = tuple(sorted(m.name_full for m in bpy.data.meshes if len(m.vertices) == count))
    polygons = len(mesh.polygons)
    sample = tuple(tuple(mesh.polygons[i * polygons // _SAMPLED].vertices)
                   for i in range(min(_SAMPLED, polygons)))
    return (mesh.name_full, count, polygons, sample, model, alike,
            vertex_order.ATTRIBUTE in mesh.attributes)


def _digest(meshes: list[MeshArrays]) -> str:
    """A hash of the places, polygons and stored orders of meshes."""
    seen = hashlib.sha256()
    for mesh in meshes:
        seen.update(mesh.rest.tobytes())
        seen.update(repr(mesh.faces).encode())
        seen.update(b"" if mesh.order is None else mesh.order.tobytes())
    return seen.hexdigest()


def _begin(key: _Key, face_name: str, model: str) -> None:
    """The timer: read the mesh, then let a thread do the rest."""
    face = bpy.data.objects.get(face_name)
    if face is None or face.type != "MESH":
        _asked.discard(key)
        return
    mesh, others = vertex_order.read(face), vertex_order.candidates(face)
    found: list[Facts] = []

    def start(path: Path) -> Facts:
        threading.Thread(target=lambda: found.append(_compare(mesh, others, path)),
                         name="soliloquy-face", daemon=True).start()
        bpy.app.timers.register(lambda: _await(key, found), first_interval=_POLL_S)
        return Facts()

    problem = _located(bpy.context, model, start).problem
    if problem:
        _remember(key, Facts(problem=problem))


def _located(context: bpy.types.Context, model: str, use: Callable[[Path], Facts]) -> Facts:
    """What `use` makes of the model's place, or that it has none."""
    try:
        return use(models.locate(context, model))
    except errors.SoliloquyError as problem:
        return Facts(problem=str(problem))


def _await(key: _Key, found: list[Facts]) -> float | None:
    if not found:
        return _POLL_S
    _remember(key, found[0])
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in {"VIEW_3D", "SEQUENCE_EDITOR"}:
                area.tag_redraw()
    return None


def _remember(key: _Key, facts: Facts) -> None:
    _known.pop(key, None)
    while len(_known) >= _REMEMBERED:
        _known.pop(next(iter(_known)))
    _known[key] = facts
    _asked.discard(key)


def _compare(mesh: MeshArrays, others: list[MeshArrays], path: Path) -> Facts:
    """The facts of a mesh and a model; every problem is a fact, too."""
    try:
        chosen = pack.load(path)
        try:
            return Facts(match(mesh, chosen).description)
        except face_check.Reordered as problem:
            return _mended(mesh, others, chosen, problem)
    except errors.SoliloquyError as problem:
        return Facts(problem=str(problem))


def _mended(mesh: MeshArrays, others: list[MeshArrays], chosen: pack.Pack,
            problem: face_check.Reordered) -> Facts:
    try:
        order = vertex_order.find(mesh, others, chosen)
    except face_check.FaceError as unmatched:
        return Facts(problem=str(unmatched), reordered=True)
    return Facts(problem=problem.message, reordered=True, order=order)
