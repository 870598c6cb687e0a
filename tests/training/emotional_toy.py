"""The toy corpus with emotions: a happy tone is higher and the brow is up, a sad one low."""

import json
from pathlib import Path

import numpy as np
import torch

from tests.training import toy
from training import __main__ as training
from training import config, emotion_encoder, encoder, rig_file
from training.corpus.clips import read_index, read_samples

ACTED = (("neutral", 0), ("happy", 3), ("sad", 2), ("neutral", 0), ("happy", 3), ("neutral", 0),
         ("happy", 3), ("sad", 2))  # fmt: skip
SPLITS = ("train",) * 4 + ("val", "test", "test-voices", "test-voices")
BROW = {"neutral": 0.3, "happy": 1.0, "sad": 0.0}
PITCH_HZ = {"neutral": 220, "happy": 400, "sad": 120}


def write_work(folder: Path) -> None:
    """A working folder with rig, corpus and untrained encoders."""
    toy.write_rig(folder / "rig.npz")
    toy.write_corpus(folder / "corpus", clips=len(ACTED))
    act(folder / "corpus")
    recipe = config.load("exptalk-tiny")
    torch.manual_seed(0)
    speech, emotion = encoder.CompactEncoder(recipe.encoder), emotion_encoder.EmotionEncoder(
        recipe.emotion
    )
    for network in (speech, emotion):  # so that their normalisation has seen sound
        for _ in range(5):
            network(0.1 * torch.randn(4, 16000))
    encoder.save(folder / "encoder.pt", speech.eval())
    emotion_encoder.save(folder / "emotion_encoder.pt", emotion.eval())


def trained(folder: Path) -> Path:
    """The same with both stages trained and a pack exported to WORK/pack."""
    write_work(folder)
    given = ["--recipe", "exptalk-tiny", "--work", str(folder)]
    np.savez(folder / "reference.npz", rest=rig_file.read(folder / "rig.npz").template)
    pack = ["--reference", str(folder / "reference.npz"), "--out", str(folder / "pack")]
    for command, more in (("train-stage1", []), ("train-stage2", []), ("export", pack)):
        assert training.main([command, *given, *more]) == 0
    return folder


def act(corpus: Path) -> None:
    """Give every toy clip an emotion in sound, motion and labels, all in one style."""
    rows = []
    clips = zip(read_index(corpus / "clips.jsonl"), ACTED, SPLITS, strict=True)
    for clip, (emotion, intensity), split in clips:
        _act_track(corpus / clip.track, emotion, intensity, clip.seconds)
        loud = np.abs(read_samples(corpus, clip))
        loud = np.maximum.accumulate(loud.reshape(-1, 160), axis=1)[:, -1].repeat(160)
        time = np.arange(len(loud)) / toy.SAMPLE_RATE_HZ
        toy.write_samples(corpus / clip.wav, loud * np.sin(2 * np.pi * PITCH_HZ[emotion] * time))
        rows.append({**vars(clip), "style": "Even", "split": split, "emotion": emotion,
                     "intensity": intensity})  # fmt: skip
    text = "\n".join(map(json.dumps, rows)) + "\n"
    (corpus / "clips.jsonl").write_text(text, encoding="utf-8")


def _act_track(path: Path, emotion: str, intensity: int, seconds: float) -> None:
    with np.load(path) as file:
        arrays = dict(file)
    arrays["weights"][:, toy.NAMES.index("brow_up")] = BROW[emotion]
    spans = {
        "emotion": np.array([emotion]),
        "intensity": np.array([intensity], np.int8),
        "emotion_start_s": np.zeros(1, np.float32),
        "emotion_end_s": np.array([seconds], np.float32),
    }
    np.savez(path, **arrays, **spans)
