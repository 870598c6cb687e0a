"""What is made once of a corpus is made anew when the corpus changes."""

import json
import os
from pathlib import Path

import numpy as np
import torch

from tests.training import emotional_toy, toy
from training import config, encoder, latents, rig_file
from training.corpus import clips
from training.exptalk import advae_training, lines


def test_latents_are_made_anew_when_recordings_join(tmp_path: Path) -> None:
    toy.write_corpus(tmp_path / "corpus", clips=4)
    toy.write_rig(tmp_path / "rig.npz")
    torch.manual_seed(0)
    recipe = config.load("tiny+baseline-diffusion")
    encoder.save(tmp_path / "encoder.pt", encoder.CompactEncoder(recipe.encoder).eval())
    rig, index = rig_file.read(tmp_path / "rig.npz"), tmp_path / "corpus" / clips.RECORDINGS
    assert len(latents.prepare(tmp_path, recipe, rig).examples) == 2
    first = clips.read_clips(tmp_path / "corpus", "train")[0]
    for number, count in ((1, 3), (2, 4), (0, 2)):
        rows = [json.dumps({**vars(first), "id": f"r_{n}"}) + "\n" for n in range(number)]
        index.write_text("".join(rows), encoding="utf-8")
        assert len(latents.prepare(tmp_path, recipe, rig).examples) == count


def test_voices_are_heard_anew_when_a_sound_or_an_index_changes(tmp_path: Path) -> None:
    emotional_toy.write_work(tmp_path)
    recipe, corpus = config.load("exptalk-tiny"), tmp_path / "corpus"
    rows = lines.of(corpus, recipe)
    before = advae_training.voices(tmp_path, recipe, rows)
    written = (tmp_path / "voices.pt").stat().st_mtime_ns
    advae_training.voices(tmp_path, recipe, rows)
    assert (tmp_path / "voices.pt").stat().st_mtime_ns == written
    sound = corpus / rows[0].clips[0].wav
    state = sound.stat()
    toy.write_samples(sound, 0.5 * np.sin(np.arange(2 * toy.SAMPLE_RATE_HZ) * 0.3))
    os.utime(sound, ns=(state.st_atime_ns, state.st_mtime_ns + 10**9))
    after = advae_training.voices(tmp_path, recipe, rows)
    assert not torch.equal(before[0], after[0])
    written = (tmp_path / "voices.pt").stat().st_mtime_ns
    (corpus / clips.RECORDINGS).write_text("{}\n", encoding="utf-8")
    advae_training.voices(tmp_path, recipe, rows)
    assert (tmp_path / "voices.pt").stat().st_mtime_ns > written
