"""What a corpus holds, counted and measured: phones, voices, emotions, lips, blinks, motion."""

import argparse
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from training import config as recipes
from training import positive, rig_file
from training.corpus import clips
from training.corpus.articulation import Array
from training.corpus.clips import Clip, Track
from training.corpus.phones import BILABIALS, PHONES, SILENCE, VISEMES, Phone
from training.evaluate_truth import CONTACT_M, Face, read_face

_BLINK = 0.7
_LATE_S = 1 / 30


class Measured(NamedTuple):
    """One clip's numbers; lengths in mm."""

    aperture: Mapping[str, list[float]]  # by class of phone, at its middle
    contacts: list[bool]
    lip_overlap: list[float]  # beyond rest, deepest column of each p b m
    lid_overlap: list[float]  # of each blink
    blinks: int
    motion: Mapping[str, Array]  # by region: mean over it of how far vertices are from rest (T,)
    speed: Mapping[str, Array]  # the same of mm a second
    opening: Array  # of the lips over rest (T,)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `python -m training statistics`."""
    recipes.add_recipe_arguments(parser)
    parser.add_argument("--clips", type=positive.count("--clips"), default=200,
                        help="measure motion on this many")
    parser.add_argument("--out", type=Path, help="JSON file (default WORK/statistics.json)")


def run(args: argparse.Namespace) -> None:
    """Print the statistics as Markdown and write them as JSON; raises CorpusError."""
    recipe = recipes.load(args.recipe)
    work = recipes.work_folder(args, recipe)
    every = clips.read_clips(work / "corpus")
    found = counted(every, work / "corpus")
    chosen = every[:: max(1, len(every) // args.clips)][: args.clips]
    face = read_face(work / "rig.npz")
    tracks = [clips.read_track(work / "corpus", clip) for clip in chosen]
    found |= summary([measured(face, track, recipe.fps) for track in tracks], chosen)
    out = args.out or work / "statistics.json"
    out.write_text(json.dumps(found, indent=1), encoding="utf-8")
    print("\n".join(markdown(found)))


def counted(every: Sequence[Clip], corpus: Path) -> dict[str, Any]:
    """How much of what there is: hours, and counts by kind."""
    spoken: Counter[str] = Counter()
    for clip in every:
        spoken.update(phone.name for phone in clips.read_track(corpus, clip).phones)
    hours = sum(clip.seconds for clip in every) / 3600
    return {
        "hours": hours,
        "clips": len(every),
        "phones": {name: spoken[name] for name in PHONES if name != SILENCE},
        "speakers": len({(clip.synthesiser, clip.voice) for clip in every}),
        "languages": _minutes(every, "language"),
        "synthesisers": _minutes(every, "synthesiser"),
        "styles": _minutes(every, "style"),
        "splits": _minutes(every, "split"),
        "emotions": dict(sorted(Counter(f"{c.emotion} {c.intensity}" for c in every).items())),
        "shifts": sum(bool(clip.shift_to) for clip in every),
    }


def _minutes(every: Iterable[Clip], field: str) -> dict[str, float]:
    """Minutes by the value of a field, most first."""
    total: defaultdict[str, float] = defaultdict(float)
    for clip in every:
        total[getattr(clip, field)] += clip.seconds / 60
    return {name: total[name] for name in sorted(total, key=lambda name: -total[name])}


def measured(face: Face, track: Track, fps: float) -> Measured:
    """One clip's numbers."""
    motion = face.rig.displacements(track.weights)
    far_mm = 1000 * np.linalg.norm(motion, axis=-1)
    speed = 1000 * fps * np.linalg.norm(np.diff(motion, axis=0), axis=-1)
    pairs = face.rig.lip_pairs
    opening = 1000 * (motion[:, pairs[:, 0], 1] - motion[:, pairs[:, 1], 1]).mean(axis=1)
    excess = [
        _closest(face, motion, phone, fps) for phone in track.phones if phone.name in BILABIALS
    ]
    lids = _blinks(face, track)
    return Measured(
        _apertures(track.phones, opening, fps),
        [widest < CONTACT_M for widest, _ in excess],
        [max(-1000 * narrowest, 0.0) for _, narrowest in excess],
        [1000 * face.lid_overlap_m(face.rig.rest + motion[frame]) for frame in lids],
        len(lids),
        {name: far_mm[:, mask].mean(axis=1) for name, mask in face.rig.masks.items()},
        {name: speed[:, mask].mean(axis=1) for name, mask in face.rig.masks.items()},
        opening,
    )


def _closest(face: Face, motion: rig_file.Array, phone: Phone, fps: float) -> tuple[float, float]:
    """Widest and narrowest gap over touching lips (m) in the frame of a p b m that closes best."""
    first = max(int(np.ceil((phone.start_s - _LATE_S / 2) * fps)), 0)
    last = min(int((phone.end_s + _LATE_S / 2) * fps), len(motion) - 1)
    frames = motion[first : max(last, first) + 1]
    return min([_excess(face, frame) for frame in frames] or [_excess(face, motion[-1])])


def _excess(face: Face, displacements: rig_file.Array) -> tuple[float, float]:
    # A column where the lips do not lie above each other at all is open.
    gaps = np.nan_to_num(face.lip_gaps(face.rig.rest + displacements), nan=0.1)
    return float(gaps.max()), float(gaps.min())


def _blinks(face: Face, track: Track) -> list[int]:
    """The frame of each blink that is most shut."""
    lids = track.weights[:, face.rig.names.index("eyeBlink_L")]
    shut = lids > _BLINK
    edges = np.flatnonzero(np.diff(np.r_[0, shut.astype(int), 0]))
    return [int(a + lids[a:b].argmax()) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _apertures(phones: Sequence[Phone], opening: Array, fps: float) -> dict[str, list[float]]:
    """Lip openings (mm) in the middle of each phone, by class."""
    class_of = {name: kind for kind, members in VISEMES.items() for name in members}
    found: defaultdict[str, list[float]] = defaultdict(list)
    times = np.arange(len(opening)) / fps
    for phone in phones:
        found[class_of[phone.name]].append(float(np.interp(phone.middle_s, times, opening)))
    return dict(found)


def summary(parts: Sequence[Measured], chosen: Sequence[Clip]) -> dict[str, Any]:
    """All clips together."""
    apertures: defaultdict[str, list[float]] = defaultdict(list)
    for part in parts:
        for kind, values in part.aperture.items():
            apertures[kind] += values
    minutes = sum(clip.seconds for clip in chosen) / 60
    contacts = [hit for part in parts for hit in part.contacts]
    return {
        "measured_minutes": minutes,
        "aperture_mm": {kind: _spread(apertures[kind]) for kind in VISEMES if apertures[kind]},
        "contact_share": float(np.mean(contacts)) if contacts else math.nan,
        "contacts": len(contacts),
        "lip_overlap_mm": _spread([mm for part in parts for mm in part.lip_overlap]),
        "lid_overlap_mm": _spread([mm for part in parts for mm in part.lid_overlap]),
        "blinks_a_minute": sum(part.blinks for part in parts) / minutes,
        "peak_opening_mm": _spread([float(part.opening.max()) for part in parts]),
        "motion_mm": _by_region([part.motion for part in parts]),
        "speed_mm_s": _by_region([part.speed for part in parts]),
    }


def _by_region(parts: Sequence[Mapping[str, Array]]) -> dict[str, dict[str, float]]:
    return {name: _spread(np.concatenate([part[name] for part in parts])) for name in parts[0]}


def _spread(values: Sequence[float] | Array) -> dict[str, float]:
    """Mean, 5th and 95th percentile, and the most."""
    if not len(values):
        return {}
    low, high = np.percentile(values, [5, 95])
    return {
        "mean": float(np.mean(values)), "p5": float(low), "p95": float(high),
        "most": float(np.max(values)),
    }  # fmt: skip


def markdown(found: Mapping[str, Any]) -> list[str]:
    """The figures as Markdown tables."""
    silent = [name for name, count in found["phones"].items() if not count]
    lines = [
        f"{found['hours']:.2f} h in {found['clips']} clips; {found['speakers']} speakers; "
        f"{39 - len(silent)} of 39 phones ({sum(found['phones'].values())} in all; rarest "
        f"{min(found['phones'].items(), key=lambda item: item[1])}); {found['shifts']} shifts",
        f"p b m in contact: {found['contact_share']:.4f} of {found['contacts']}",
        f"blinks a minute: {found['blinks_a_minute']:.1f}",
    ]
    for name in ("languages", "synthesisers", "styles", "splits", "emotions"):
        rows = (f"{key} {value:.4g}" for key, value in found[name].items())
        lines.append(f"{name}: " + ", ".join(rows))
    lines += ["", "| mm | mean | p5 | p95 | most |", "|---|---|---|---|---|"]
    for name in ("lip_overlap_mm", "lid_overlap_mm", "peak_opening_mm"):
        lines.append(_row(name.removesuffix("_mm").replace("_", " "), found[name]))
    for title, name in (("aperture", "aperture_mm"), ("motion", "motion_mm"),
                        ("speed, mm/s,", "speed_mm_s")):  # fmt: skip
        lines += [_row(f"{title} {key}", values) for key, values in found[name].items()]
    return lines


def _row(title: str, values: Mapping[str, float]) -> str:
    return f"| {title} | " + " | ".join(f"{value:.2f}" for value in values.values()) + " |"
