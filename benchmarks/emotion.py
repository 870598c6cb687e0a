"""How well the compact emotion encoder tells emotions, as JSON and Markdown.

`python -m benchmarks.emotion --encoder WORK/emotion_encoder.pt --corpus WORK/corpus --audio DIR
--out DIR`. The corpus' emotions are made by rules; of real voices it can only be told what the
encoder says, not whether that is right.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from backend import audio
from backend.errors import SoliloquyError
from benchmarks import speed, tables
from benchmarks.tables import Row, Section
from benchmarks.voices import HELD_OUT
from training import emotion_encoder, emotion_training
from training.corpus import clips
from training.corpus.emotions import EMOTIONS
from training.corpus.speech import SAMPLE_RATE_HZ
from training.corpus.voice_quality import coloured
from training.emotion_encoder import NAMES, EmotionEncoder
from training.emotion_training import Judged
from training.evaluate_speech import SUFFIXES

_FULL = 0.9
# Real clips are judged where they are so much louder than their quietest tenth.
_SPEECH_DB = 15.0
CORPUS_NOTE = (
    "Frames (50 Hz) in which somebody speaks, of clips that training never had; majority: what "
    "always saying that group's commonest emotion would score. Emotion and its sound are made by "
    "the corpus' rules."
)
CONFUSION_NOTE = "Voices never heard in training: a row an emotion meant, shares of what is said."
REAL_NOTE = (
    "Not validated: real people's acted emotion was heard neither in training nor here. Share of "
    "frames by the emotion said, over the louder parts of each clip; right is not judged."
)
LAID_OVER_NOTE = (
    "The corpus' rules for a voice's colour at full intensity, laid over the same recordings: a "
    "row an emotion, shares of what is said, each clip alike. Tempo and pitch stay. Who hears no "
    "more than that a voice is real says neutral throughout."
)


class Clip(NamedTuple):
    """A clip's synthesiser, and what was said of its spoken frames."""

    synthesiser: str
    judged: Judged


def main() -> None:
    """Measure, print the tables, write them to OUT."""
    args = _arguments()
    try:
        network = emotion_encoder.load(args.encoder)
        held_out = {split: judge(network, args.corpus, split) for split in HELD_OUT}
        sections = [by_group(held_out), confusion(held_out["test-voices"])]
        recordings = read(args.audio)
        sections += [real(network, recordings), laid_over(network, recordings)]
    except SoliloquyError as error:
        sys.exit(f"{error.message}: {error.hint}")
    sections.append(timing(network))
    print(tables.write(sections, args.out, "emotion"))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the compact emotion encoder.")
    parser.add_argument("--encoder", type=Path, required=True, help="WORK/emotion_encoder.pt")
    parser.add_argument("--corpus", type=Path, required=True, help="with held-out splits")
    parser.add_argument("--audio", type=Path, required=True, help="real recordings")
    parser.add_argument("--out", type=Path, required=True, help="folder for JSON and Markdown")
    return parser.parse_args()


def judge(network: EmotionEncoder, corpus: Path, split: str) -> list[Clip]:
    """What the encoder says of a split's clips."""
    judged = []
    for clip in clips.read_clips(corpus, split):
        track = clips.read_track(corpus, clip)
        if track.spans:
            acted = emotion_training.labelled(clips.read_samples(corpus, clip), track)
            judged.append(Clip(clip.synthesiser, emotion_training.judge(network, acted)))
    return judged


def by_group(held_out: dict[str, list[Clip]]) -> Section:
    """Each split, and each synthesiser of the unseen voices."""
    rows = [row(split, judged) for split, judged in held_out.items() if judged]
    unseen = held_out["test-voices"]
    rows += [row(f"test-voices, {own}", [one for one in unseen if one.synthesiser == own])
             for own in sorted({one.synthesiser for one in unseen})]  # fmt: skip
    return Section("corpus", "On the corpus", rows, CORPUS_NOTE)


def row(name: str, judged: Sequence[Clip]) -> Row:
    """A group's figures."""
    frames = emotion_training.joined([one.judged for one in judged])
    counts = np.bincount(frames.meant, minlength=len(NAMES))
    right = frames.meant == frames.said
    full = frames.intensity > _FULL
    return {
        "clips": name,
        "number": len(judged),
        "frames right": float(right.mean()),
        "majority": float(counts.max() / counts.sum()),
        "full intensity right": float(right[full].mean()) if full.any() else None,
        **emotion_training.correlations(frames),
    }


def confusion(judged: Sequence[Clip]) -> Section:
    """What is said (columns) of each emotion meant (rows)."""
    frames = emotion_training.joined([one.judged for one in judged])
    rows: list[Row] = []
    for number, name in enumerate(NAMES):
        said = np.bincount(frames.said[frames.meant == number], minlength=len(NAMES))
        shares = said / max(said.sum(), 1)
        rows.append({"meant": name, **_named(shares)})
    return Section("confusion", "What is taken for what", rows, CONFUSION_NOTE)


def read(folder: Path) -> dict[str, NDArray[np.float32]]:
    """A folder's recordings by name, at 16 kHz."""
    paths = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES)
    return {path.stem: audio.load(path, SAMPLE_RATE_HZ).samples for path in paths}


def real(network: EmotionEncoder, recordings: dict[str, NDArray[np.float32]]) -> Section:
    """What is said of real recordings."""
    rows: list[Row] = []
    for name, samples in recordings.items():
        shares, arousal = hear(network, samples)
        rows.append({"clip": name, **_named(shares), "arousal": arousal})
    return Section("real", "On real recordings", rows, REAL_NOTE)


def laid_over(network: EmotionEncoder, recordings: dict[str, NDArray[np.float32]]) -> Section:
    """What is said of real recordings in the colours of the corpus' emotions."""
    rows: list[Row] = []
    for name, emotion in EMOTIONS.items():
        rng = np.random.default_rng(0)
        shares = [
            hear(network, coloured(samples, emotion.voice, 1.0, SAMPLE_RATE_HZ, rng))[0]
            for samples in recordings.values()
        ]
        rows.append({"laid over": name, **_named(np.mean(shares, axis=0))})
    return Section("laid_over", "Real voices in the rules' colours", rows, LAID_OVER_NOTE)


def hear(network: EmotionEncoder, samples: NDArray[np.float32]) -> tuple[NDArray[Any], float]:
    """Of a recording's louder frames: shares of the emotions said (8,), and mean arousal."""
    with torch.inference_mode():
        heads = network.listen(torch.from_numpy(samples)[None])
    loud = _loud(samples, heads.intensity.shape[1])
    said = heads.emotions[0].argmax(dim=-1).numpy()[loud]
    shares = np.bincount(said, minlength=len(NAMES)) / len(said)
    return shares, float(heads.arousal[0].numpy()[loud].mean())


def _named(shares: NDArray[Any]) -> dict[str, float]:
    return dict(zip(NAMES, map(float, shares), strict=True))


def _loud(samples: NDArray[np.float32], frames: int) -> NDArray[np.bool_]:
    """Frames (T,) well above the quietest tenth; all, where nothing is."""
    power = (samples[: 320 * frames].reshape(frames, 320) ** 2).mean(axis=1)
    level_db = 10 * np.log10(power + 1e-9)
    loud: NDArray[np.bool_] = level_db > np.percentile(level_db, 10) + _SPEECH_DB
    return loud if loud.any() else np.ones(frames, bool)


def timing(network: EmotionEncoder) -> Section:
    """Ten seconds in onnxruntime."""
    with tempfile.TemporaryDirectory() as folder:
        graph = Path(folder) / "compact-emotion.onnx"
        speed.export(network, graph)
        figures = speed.timed_apart(graph)
    numbers = speed.size(network)
    row: Row = {"encoder": "compact-emotion", "numbers": numbers, "fp32 MB": 4e-6 * numbers}
    return Section("speed", "Speed and size", [row | dict(figures)], speed.TIMED)


if __name__ == "__main__":
    main()
