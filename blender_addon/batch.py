"""Animate faces without a window, for render farms and pipelines:

blender -b [SCENE.blend] --python blender_addon/batch.py -- --audio A.wav --object NAME --model PACK
        [--jobs LIST.csv] [--out OUT.blend] [--render OUT.mp4] [--report REPORT.json] [--resume]
        [--emotion NAME[:0..1.5][@START-END]]...

Also runs in the bpy wheel: python blender_addon/batch.py -- --scene SCENE.blend --audio ...
LIST.csv has a row per line of dialogue with the columns audio, object, model, frame, seed, style,
steps, emotion; a column or cell that is missing takes the command's own option. Several emotions in
a cell are separated by ';'; without any, those that are painted in the scene count. A line that
fails does not keep the others from being done. With --resume, --out is opened instead of the scene
if it is there, and lines that it has are skipped: a line is known by the hash of its sound and
settings. Uses the installed extension, or the checkout this file lies in. Without --out and
--render the opened scene is saved in place.

Exit codes: 0 all is done; 2 bad arguments or input, with one line on stderr, and no line done;
3 some lines of the list failed, the others are saved; 130 interrupted.
"""

import argparse
import csv
import hashlib
import importlib
import importlib.util
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import bpy


class BatchError(Exception):
    """One clear line for the user; exit code 2."""


@dataclass(frozen=True)
class Line:
    """One sound on one face, as text from the command or a list."""

    audio: str = ""
    object: str = ""
    model: str = "gldi-flame"
    frame: str = "1"
    seed: str = "0"
    style: str = ""
    steps: str = "0"
    emotion: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of a line: done, skipped or failed, why, and after how long."""

    line: Line
    status: str
    message: str = ""
    seconds: float = 0.0


DONE, BAD_INPUT, PARTLY_FAILED, INTERRUPTED = 0, 2, 3, 130
JOB = "soliloquy_job"
_MOST_WHOLE = 2**31 - 1  # of Blender's whole numbers


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BatchError(f"{message}. Try --help.")


def main(arguments: list[str]) -> int:
    """Run the command; returns the exit code."""
    outcomes: list[Outcome] = []
    report = ""
    try:
        options = _parse(arguments)
        _check_outputs(options)
        report = options.report
        with _operator_available():
            _run(options, outcomes)
    except BatchError as problem:
        print(f"soliloquy: {problem}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("soliloquy: cancelled.", file=sys.stderr)
        return INTERRUPTED
    finally:
        _write_report(report, outcomes)
    return PARTLY_FAILED if any(each.status == "failed" for each in outcomes) else DONE


def _run(options: argparse.Namespace, outcomes: list[Outcome]) -> None:
    lines = list(_lines(options))
    resumed = options.resume and options.out and Path(options.out).is_file()
    _open_scene(options.out if resumed else options.scene)
    if not (options.out or options.render or bpy.data.filepath):
        raise BatchError("no scene is open: say with --out where to save the result.")
    if options.render and bpy.context.scene.camera is None:
        raise BatchError("the scene has no camera to render from.")
    save = options.out or ("" if options.render else bpy.data.filepath)
    for line in lines:
        outcomes.append(_outcome(line, options))
        if outcomes[-1].status == "failed" and options.jobs:
            print(f"soliloquy: {line.object}: {outcomes[-1].message}", file=sys.stderr)
        # After every line, so that an interrupted run can be resumed.
        if save and outcomes[-1].status == "done":
            _save(save)
    spoken = [each.line for each in outcomes if each.status != "failed"]
    if not spoken:
        raise BatchError("no line of the list could be animated." if options.jobs
                         else outcomes[0].message)
    if options.render:
        _render(Path(options.render), spoken)


def _outcome(line: Line, options: argparse.Namespace) -> Outcome:
    """Animate a line unless the scene has it; a line that fails keeps no other from being done."""
    began, key = time.monotonic(), _key(line)
    if options.resume and any(action.get(JOB) == key for action in bpy.data.actions):
        return Outcome(line, "skipped", "the scene has it")
    known = set(bpy.data.actions.keys())
    try:
        _check_cells(line)
        _animate(line, options.match_vertices)
    except BatchError as problem:
        return Outcome(line, "failed", str(problem))
    for name in set(bpy.data.actions.keys()) - known:
        bpy.data.actions[name][JOB] = key
    return Outcome(line, "done", seconds=round(time.monotonic() - began, 2))


def _check_cells(line: Line) -> None:
    """Neither Blender nor the system takes a NUL; a list that was cut off on a disk has some."""
    for name, cell in asdict(line).items():
        if "\0" in cell:
            raise BatchError(f"{name} holds a NUL character: {cell!r}. Write it anew.")


def _key(line: Line) -> str:
    """A hash of the line's sound and settings; of its path where there is no such sound."""
    sound = hashlib.sha256(os.fsencode(line.audio))
    with suppress(OSError, ValueError):
        sound = hashlib.sha256(Path(line.audio).read_bytes())
    facts = {**asdict(line), "audio": sound.hexdigest()}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _write_report(path: str, outcomes: list[Outcome]) -> None:
    if not path:
        return
    found = [{**asdict(each), "job": _key(each.line)} for each in outcomes]
    text = json.dumps(found, indent=1, ensure_ascii=False)
    try:
        Path(path).write_text(text, encoding="utf-8", errors="surrogateescape")
    except OSError as problem:
        print(f"soliloquy: the report '{path}' cannot be written: {problem}.", file=sys.stderr)


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = _Parser(prog="batch.py", description=__doc__,
                     formatter_class=argparse.RawDescriptionHelpFormatter)
    for field in fields(Line):
        if field.name != "emotion":
            parser.add_argument(f"--{field.name}", default=field.default)
    parser.add_argument("--emotion", action="append", default=[],
                        metavar="NAME[:0..1.5][@START-END]",
                        help="an emotion, its intensity, and its seconds of the sound; may be "
                        "repeated, and overrules what is painted in the scene")
    parser.add_argument("--scene", default="", help="a .blend to open first")
    parser.add_argument("--jobs", default="", help="a .csv with one row per line of dialogue")
    parser.add_argument("--out", default="", help="where to save the .blend")
    parser.add_argument("--render", default="", help="where to render an .mp4 with sound")
    parser.add_argument("--report", default="", help="where to write what became of each line")
    parser.add_argument("--resume", action="store_true", help="skip lines that --out has")
    parser.add_argument("--match-vertices", action="store_true",
                        help="match the vertices of faces that another program has reordered")
    options = parser.parse_args(arguments)
    if not (options.jobs or (options.audio and options.object)):
        raise BatchError("give --audio and --object, or --jobs. Try --help.")
    return options


def _check_outputs(options: argparse.Namespace) -> None:
    """Find out before the work, not after it, that a result cannot be written."""
    for path in filter(None, (options.out, options.render, options.report)):
        if Path(path).is_dir():
            raise BatchError(f"'{path}' is a folder: give the path of a file.")
        folder = Path(path).resolve().parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise BatchError(f"the folder '{folder}' cannot be made: {problem}.") from problem


def _open_scene(path: str) -> None:
    if path and not Path(path).is_file():
        raise BatchError(f"there is no scene '{path}'.")
    if path:
        _call(bpy.ops.wm.open_mainfile, filepath=str(Path(path).resolve()))


@contextmanager
def _operator_available() -> Iterator[None]:
    """The operator of the extension that is enabled or installed, else of this checkout; what was
    switched on is switched off again, which ends the worker and removes temporary files."""
    if hasattr(bpy.types.Scene, "soliloquy"):
        yield
        return
    switch_off = _enable_installed() or _register_checkout()
    try:
        yield
    finally:
        switch_off()


def _enable_installed() -> Callable[[], None] | None:
    """Enable the installed extension for this run; returns how to disable it, or None."""
    import addon_utils

    names = [module.__name__ for module in addon_utils.modules()
             if module.__name__.startswith("bl_ext.") and module.__name__.endswith(".soliloquy")]
    if not names or addon_utils.enable(names[0]) is None:
        return None
    return lambda: addon_utils.disable(names[0])


def _register_checkout() -> Callable[[], None]:
    """Register the checkout's add-on; returns how to unregister it."""
    checkout = _import_checkout()
    checkout.register()
    return lambda: checkout.unregister()


def _import_checkout() -> ModuleType:
    here = Path(__file__).resolve().parent
    _import_package("backend", here.parent / "backend")
    return _import_package("blender_addon", here)


def _import_package(name: str, folder: Path) -> ModuleType:
    """Import a package from a folder without touching sys.path."""
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, folder / "__init__.py",
                                                  submodule_search_locations=[str(folder)])
    if spec is None or spec.loader is None or not (folder / "__init__.py").is_file():
        raise BatchError(f"there is no package in '{folder}'.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _addon(module: str) -> Any:
    """A module of the add-on that is switched on, be it installed or this checkout's."""
    package = type(bpy.context.scene.soliloquy).__module__.rpartition(".")[0]
    return importlib.import_module(f"{package}.{module}")


def _lines(options: argparse.Namespace) -> Iterator[Line]:
    """The list's rows over the command's options, or the command's options alone."""
    common = Line(**{**{field.name: getattr(options, field.name) for field in fields(Line)},
                     "emotion": "; ".join(options.emotion)})
    if not options.jobs:
        yield common
        return
    known = {field.name for field in fields(Line)}
    for number, row in enumerate(_rows(Path(options.jobs)), start=2):
        if not any(str(cell or "").strip() for cell in row.values()):
            continue
        strange = [str(name) for name in row if name not in known]
        if strange:
            raise BatchError(f"{options.jobs}, line {number}: unknown column '{strange[0]}'; known "
                           f"are {', '.join(sorted(known))}.")
        yield replace(common, **{name: cell.strip() for name, cell in row.items()
                                 if cell and cell.strip()})


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise BatchError(f"the list '{path}' cannot be read: {problem}.") from problem


def _animate(line: Line, match_vertices: bool) -> None:
    """Press the button with one line's settings."""
    face = bpy.context.scene.objects.get(line.object)
    if face is None:
        meshes = ", ".join(o.name for o in bpy.context.scene.objects if o.type == "MESH")
        raise BatchError(f"the scene has no object '{line.object}'; its meshes are: "
                         f"{meshes or 'none'}.")
    settings = bpy.context.scene.soliloquy
    settings.source, settings.filepath = "FILE", str(Path(line.audio).resolve())
    settings.face = face
    _set_whole(settings, "first_frame", "frame", line.frame)
    _set_performance(_addon("properties").performance_of(face, bpy.context.scene), line)
    if match_vertices:
        with suppress(RuntimeError):  # most faces need no matching
            bpy.ops.soliloquy.match_vertices()
    _call(bpy.ops.soliloquy.animate_from_audio, emotions=line.emotion)


def _set_performance(settings: Any, line: Line) -> None:
    """Write how a line is performed to the face's own settings, or to the scene's."""
    settings.model, settings.style, settings.takes = line.model, line.style, 1
    for name in ("seed", "steps"):
        _set_whole(settings, name, name, getattr(line, name))


def _set_whole(settings: Any, field: str, name: str, text: str) -> None:
    """Set a field of the panel to a line's number, which the field must be able to hold."""
    value = _whole(name, text)
    nearest = max(-_MOST_WHOLE - 1, min(value, _MOST_WHOLE))
    setattr(settings, field, nearest)
    if getattr(settings, field) != value:
        raise BatchError(f"{name} cannot be {value}; the nearest is {getattr(settings, field)}.")


def _whole(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise BatchError(f"{name} must be a whole number, not '{text}'.") from None


def _save(path: str) -> None:
    _call(bpy.ops.wm.save_as_mainfile, filepath=str(Path(path).resolve()))


def _render(path: Path, lines: list[Line]) -> None:
    """An .mp4 of the lines' range with their sound; the scene's camera and engine are kept."""
    scene, compat = bpy.context.scene, _addon("blender_compat")
    strips = [_sound_of(scene, line, channel) for channel, line in enumerate(lines, start=1)]
    scene.frame_start = min(_whole("frame", line.frame) for line in lines)
    scene.frame_end = int(max(compat.right_handle(strip) for strip in strips)) - 1
    render = scene.render
    # Without the sequencer Blender writes a silent audio stream, and no error.
    render.use_sequencer = True
    render.filepath, render.use_file_extension = str(path.resolve()), False
    if hasattr(render.image_settings, "media_type"):
        render.image_settings.media_type = "VIDEO"
    render.image_settings.file_format = "FFMPEG"
    render.ffmpeg.format, render.ffmpeg.codec = "MPEG4", "H264"
    render.ffmpeg.audio_codec = "AAC"
    _call(bpy.ops.render.render, animation=True)


def _sound_of(scene: bpy.types.Scene, line: Line, channel: int) -> Any:
    """The strip by which the scene plays the line's sound already, else a new one."""
    path, frame = str(Path(line.audio).resolve()), _whole("frame", line.frame)
    editor = scene.sequence_editor or scene.sequence_editor_create()
    playing = _addon("strips").sound_at(editor, path, frame)
    if playing is not None:
        return playing
    try:
        return _addon("blender_compat").top_strips(editor).new_sound(
            name=Path(path).stem, filepath=path, channel=channel, frame_start=frame)
    except RuntimeError as problem:
        raise BatchError(f"this Blender cannot render sound: {str(problem).strip()}.") from problem


def _call(operator: Any, **arguments: Any) -> None:
    """Call a Blender operator; its report becomes our one line."""
    try:
        result = operator(**arguments)
    except RuntimeError as problem:
        raise BatchError(_reason(str(problem))) from problem
    if "FINISHED" not in result:
        raise BatchError("cancelled.")


def _reason(report: str) -> str:
    """An operator's report without what Blender puts around it."""
    text = " ".join(report.removeprefix("Error: ").split())
    return re.sub(r"^Operator bpy\.ops\.\S+\.poll\(\) ", "", text)


if __name__ == "__main__":
    given = sys.argv[sys.argv.index("--") + 1:] if "--" in sys.argv else []
    code = main(given)
    if not bpy.app.binary_path:
        # A bpy wheel. Some crash (4.2) or hang (4.5) in their own exit when an add-on was
        # registered; all work is done by now.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
