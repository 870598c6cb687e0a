"""A toy rig on a sphere and a toy corpus of tones, laid out as the real ones."""

import json
import wave
from pathlib import Path

import numpy as np
import trimesh
from numpy.typing import NDArray

FPS = 30
SAMPLE_RATE_HZ = 16000
NAMES = ("jaw_open", "smile", "brow_up")


def sphere() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """42 vertices (42, 3) 10 cm from the middle, and triangles (80, 3)."""
    ball = trimesh.creation.icosphere(subdivisions=1, radius=0.1)
    return np.asarray(ball.vertices), np.asarray(ball.faces, dtype=np.int64)


def write_rig(path: Path) -> None:
    """A sphere that opens, smiles and lifts its brow."""
    rest, faces = sphere()
    front = np.clip(rest[:, 2] / 0.1, 0, 1)
    fields = np.zeros((len(NAMES), len(rest), 3))
    fields[0, :, 1] = -0.02 * front * (rest[:, 1] < 0)
    fields[1, :, 0] = 0.1 * front * rest[:, 0]
    fields[2, :, 1] = 0.01 * (rest[:, 1] > 0.04)
    lips = (np.abs(rest[:, 1]) < 0.06) & (rest[:, 2] > 0.04)
    upper, lower = np.flatnonzero(lips & (rest[:, 1] > 0)), np.flatnonzero(lips & (rest[:, 1] < 0))
    pairs = np.array(list(zip(upper, lower, strict=False)), dtype=np.int32)
    masks = {
        "mask_lips": lips,
        "mask_upper_lip": lips & (rest[:, 1] > 0),
        "mask_lower_lip": lips & (rest[:, 1] < 0),
        "mask_upper_face": rest[:, 1] > 0.04,
        "mask_eyes": rest[:, 1] > 0.07,
        "mask_jaw": rest[:, 1] < 0,
    }
    np.savez(
        path,
        names=np.array(NAMES),
        fields=fields.astype(np.float32),
        template=rest.astype(np.float32),
        faces=faces.astype(np.int64),
        lip_pairs=pairs,
        **masks,
    )


def write_corpus(folder: Path, clips: int = 6, seconds: float = 2.0) -> None:
    """Tones whose loudness opens the mouth; every last two clips are val and test."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(7)
    rows = []
    for number in range(clips):
        opening = _syllables(rng, seconds)
        _write_wav(folder / f"clip{number}.wav", opening, seconds)
        split = {clips - 2: "val", clips - 1: "test"}.get(number, "train")
        _write_track(folder / f"clip{number}.npz", opening, rng)
        rows.append(_row(number, split, seconds))
    (folder / "clips.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")


def _row(number: int, split: str, seconds: float) -> dict[str, object]:
    return {
        "id": f"clip{number}",
        "wav": f"clip{number}.wav",
        "track": f"clip{number}.npz",
        "split": split,
        "style": ("Even", "Broad")[number % 2],
        "emotion": "neutral",
        "text": "pa pa",
        "synthesiser": "toy",
        "voice": "tone",
        "seconds": seconds,
        "language": "en",
    }


def _syllables(rng: np.random.Generator, seconds: float) -> NDArray[np.float64]:
    """Opening per frame in 0..1: bumps of a third of a second, closed between them."""
    time = np.arange(int(np.ceil(seconds * FPS))) / FPS
    return np.sin(np.pi * ((3 * time + rng.random()) % 1)) ** 2


def _write_wav(path: Path, opening: NDArray[np.float64], seconds: float) -> None:
    time = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    loudness = np.interp(time, np.arange(len(opening)) / FPS, opening)
    write_samples(path, loudness * np.sin(2 * np.pi * 220 * time))


def write_samples(path: Path, sound: NDArray[np.float64]) -> None:
    """Write a sound (N,) in [-1, 1] as 16-bit PCM at 16 kHz."""
    samples = (20000 * sound).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(samples.tobytes())


def _write_track(path: Path, opening: NDArray[np.float64], rng: np.random.Generator) -> None:
    brow = np.full(len(opening), rng.random())
    weights = np.stack([opening, 0.3 * opening, brow], axis=1).astype(np.float32)
    closed = np.flatnonzero((opening[1:-1] < opening[:-2]) & (opening[1:-1] <= opening[2:])) + 1
    starts = closed / FPS - 0.03
    np.savez(
        path,
        weights=weights,
        start_s=starts,
        end_s=starts + 0.06,
        label=np.array(["P"] * len(starts)),
        stress=np.zeros(len(starts), dtype=np.int64),
    )
