"""How well the heard aperture keeps time with the phones: clean, and through each condition."""

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks import hearing
from benchmarks.conditions import Condition, Samples, conditions
from benchmarks.hearing import Ear, Heard
from benchmarks.tables import Row, Section
from benchmarks.voices import GIVEN, Voice
from training import lipsync, lipsync_pool
from training.corpus.phones import BILABIALS
from training.encoder import FEATURE_RATE_HZ

Floats = NDArray[np.float64]
Reading = Callable[[Heard], Floats]

SHOWN = ("auc", "auc_all", "corr", "corr_sp", "lag_ms", "closure", "closure_ch", "closure_sp",
         "closure_sp_ch", "n_pbm", "seconds")  # fmt: skip
CONDITIONS_SHOWN = ("auc", "auc_mean", "corr", "closure", "closure_ch", "closure_sp",
                    "closure_sp_ch", "lag_ms")  # fmt: skip
LEAST_AUC, LEAST_CORR = 0.90, 0.70
SHORTEST_S = 3.0
NOTE = (
    "auc: open vowels against p b m; auc_all: all other speech against p b m; closure: share of "
    "p b m that reach the clip's lowest fifth, beside its chance level closure_ch; in a clip with "
    "more than a fifth of pauses that is the pauses' own opening, so closure_sp takes the lowest "
    "fifth of speech. Clips are pooled as in docs/metrics.md; auc_mean is their mean instead."
)


class Scored(NamedTuple):
    """A clip's score, and its apertures in p b m and in all other speech."""

    voice: Voice
    heard: lipsync.Heard
    shut: Floats
    other: Floats


def score(
    ear: Ear,
    voice: Voice,
    spoil: Condition = lambda samples: samples,
    reading: Reading = hearing.aperture,
) -> Scored:
    """One clip, through a condition; it must have phones."""
    opening = reading(ear(spoil(voice.samples)))
    heard = lipsync.score(opening, FEATURE_RATE_HZ, voice.phones, voice.seconds)
    return Scored(voice, heard, *_shut_and_other(opening, voice))


def _shut_and_other(opening: Floats, voice: Voice) -> tuple[Floats, Floats]:
    """Apertures (200 Hz) in the middle third of p b m, and in speech that is none of them."""
    times = np.arange(int(voice.seconds * lipsync.GRID_HZ)) / lipsync.GRID_HZ
    values = lipsync.Track(opening, FEATURE_RATE_HZ).at(times)
    shut, other = np.zeros(len(times), bool), np.zeros(len(times), bool)
    for phone in voice.phones:
        third = (phone.end_s - phone.start_s) / 3 if phone.name in BILABIALS else 0.0
        inside = (times >= phone.start_s + third) & (times < phone.end_s - third)
        if phone.name in BILABIALS:
            shut |= inside
        elif phone.name not in lipsync.PAUSES:
            other |= inside
    return values[shut], values[other]


def row(scored: Scored) -> Row:
    """A clip's figures."""
    figures = dataclasses.asdict(scored.heard.score)
    return _row(figures | {"auc_all": lipsync.auc(scored.other, scored.shut)})


def pooled(scored: Sequence[Scored]) -> Row:
    """Clips as one; `clips` counts them."""
    figures = lipsync_pool.flat(lipsync_pool.pool([one.heard for one in scored]))
    shut, other = (np.concatenate(part) for part in zip(*((s.shut, s.other) for s in scored),
                                                        strict=True))  # fmt: skip
    found = _row(figures | {"auc_all": lipsync.auc(other, shut)})
    return {"clips": len(scored), "auc_mean": figures["auc_mean"]} | found


def _row(figures: Mapping[str, float]) -> Row:
    return {name: figures[name] for name in SHOWN}


def real(ear: Ear, voices: Sequence[Voice]) -> list[Section]:
    """Real speech: clips, groups of clips, other readings of the heads."""
    scored = [score(ear, voice) for voice in voices]
    clips: list[Row] = [
        {"clip": s.voice.name, "sex": s.voice.sex, "alignment": s.voice.alignment, **row(s)}
        for s in scored
    ]
    groups: list[Row] = [
        {"group": name, **pooled(found), **shortfall(found)}
        for name, found in grouped(scored)
        if found
    ]
    return [
        Section("real", "Real speech", groups, NOTE + SHORT_NOTE),
        Section("real_clips", "Real speech, clip by clip", clips, ""),
        Section("readings", "Real speech by other heads", _readings(ear, voices), ""),
    ]


SHORT_NOTE = (
    f" short: share of English clips over {SHORTEST_S:.0f} s with auc under {LEAST_AUC:.2f} or "
    f"corr under {LEAST_CORR:.2f}."
)


def shortfall(scored: Sequence[Scored]) -> Row:
    """Share of the long English clips that fall below the least AUC or correlation."""
    long = [s.heard.score for s in scored
            if s.voice.seconds > SHORTEST_S and s.voice.language.startswith("en")]  # fmt: skip
    short = [one.auc < LEAST_AUC or one.corr < LEAST_CORR for one in long]
    return {"long": len(long), "short": float(np.mean(short)) if long else None}


def grouped(scored: Sequence[Scored]) -> Iterable[tuple[str, list[Scored]]]:
    """All clips, those whose alignment was given, each sex, each voice with several clips."""
    yield "all", list(scored)
    yield "alignment given", [s for s in scored if s.voice.alignment == GIVEN]
    for sex in sorted({s.voice.sex for s in scored}):
        yield f"sex {sex or 'untold'}", [s for s in scored if s.voice.sex == sex]
    speakers = [_speaker(s) for s in scored]
    for speaker in sorted({one for one in speakers if speakers.count(one) > 1}):
        yield f"all {speaker}", [s for s in scored if _speaker(s) == speaker]
        yield f"all but {speaker}", [s for s in scored if _speaker(s) != speaker]


def _speaker(scored: Scored) -> str:
    """Recordings of one voice are named VOICE_NUMBER."""
    return scored.voice.name.split("_")[0]


def _readings(ear: Ear, voices: Sequence[Voice]) -> list[Row]:
    return [
        {"reading": name, **pooled([score(ear, voice, reading=reading) for voice in voices])}
        for name, reading in hearing.READINGS.items()
    ]


def synthetic(ear: Ear, splits: Iterable[tuple[str, Sequence[Voice]]]) -> Section:
    """The corpus' held-out splits, pooled."""
    rows: list[Row] = [
        {"split": name, **pooled([score(ear, voice) for voice in voices])}
        for name, voices in splits
    ]
    return Section("synthetic", "Synthetic speech, held out", rows, NOTE)


def robustness(ear: Ear, voices: Sequence[Voice], talkers: Sequence[Voice]) -> Section:
    """Real speech through each condition; the babble is of the other recordings."""
    found: dict[str, list[Scored]] = defaultdict(list)
    for voice in voices:
        for name, spoil in conditions(_others(voice, talkers)).items():
            found[name].append(score(ear, voice, spoil))
    rows = [_condition_row(name, pooled(scored)) for name, scored in found.items()]
    return Section("robustness", "Real speech through noise, rooms and wires", rows, NOISE_NOTE)


NOISE_NOTE = (
    "Noise levels are signal-to-noise ratios over the whole clip. Babble: six other recordings at "
    "once. Room: as much reverberation as direct sound."
)


def _condition_row(name: str, figures: Row) -> Row:
    return {"condition": name, **{key: figures[key] for key in CONDITIONS_SHOWN}}


def _others(voice: Voice, talkers: Sequence[Voice]) -> list[Samples]:
    return [talker.samples for talker in talkers if talker.name != voice.name]
