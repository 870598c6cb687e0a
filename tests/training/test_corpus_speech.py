"""Phones, lines and the synthesisers behind them."""

import ctypes.util
import itertools
from pathlib import Path

import numpy as np
import pytest

from training import config
from training.corpus import clips, espeak, flite, sentences, synth
from training.corpus.performance import MOUTH_SHAPES
from training.corpus.phones import PHONES, SILENCE, VISEME_OF, Phone, from_flite, from_ipa, tidy
from training.corpus.speech import Speech, speech, with_pause

needs_flite = pytest.mark.skipif(
    ctypes.util.find_library("flite") is None, reason="flite is not installed"
)
needs_espeak = pytest.mark.skipif(
    ctypes.util.find_library("espeak-ng") is None, reason="espeak-ng is not installed"
)


@pytest.mark.parametrize(
    ("symbol", "phones"),
    [
        ("e\u026a", ("EY",)),
        ("\u0259l", ("AH", "L")),
        ("t\u0283", ("CH",)),
        ("u\u02d0", ("UW",)),
        ("\u0254\u0303", ("AO",)),
        ("", ()),
    ],
)
def test_ipa_folds_into_the_inventory(symbol: str, phones: tuple[str, ...]) -> None:
    assert from_ipa(symbol) == phones


def test_every_phone_has_a_viseme_and_flite_names_fold() -> None:
    assert set(VISEME_OF) == set(PHONES) and len(PHONES) == 40
    assert [from_flite(n) for n in ("pau", "ax", "b", "zh")] == [SILENCE, "AH", "B", "ZH"]


def test_tidy_phones_tile_the_clip() -> None:
    untidy = [Phone("B", -0.1, 0.2), Phone(SILENCE, 0.3, 0.4), Phone("M", 0.35, 0.9)]
    tiled = tidy(untidy, 0.8)
    assert [p.name for p in tiled] == ["B", SILENCE, "M"]
    assert tiled[0].start_s == 0.0 and tiled[-1].end_s == 0.8
    assert all(a.end_s == b.start_s for a, b in itertools.pairwise(tiled))


def test_speech_is_resampled_to_16_khz_and_its_labels_shifted() -> None:
    spoken = speech(np.zeros(22050, np.int16), 22050, [Phone("M", 0.5, 0.8)], -0.015)
    assert len(spoken.samples) == 16000
    assert spoken.phones[1].start_s == pytest.approx(0.485)


def test_a_pause_moves_what_follows_it() -> None:
    phones = [Phone("B", 0.0, 0.4), Phone(SILENCE, 0.4, 0.6), Phone("M", 0.6, 1.0)]
    longer = with_pause(Speech(np.ones(16000, np.float32), phones), 0.5, 0.25)
    assert longer.seconds == 1.25
    assert [p.start_s for p in longer.phones] == pytest.approx([0.0, 0.4, 0.85])
    assert longer.samples[8000:12000].max() == 0.0


def test_lines_are_the_same_for_the_same_seed_and_full_of_closures() -> None:
    lines = [sentences.english_line(np.random.default_rng(i)) for i in range(200)]
    assert lines == [sentences.english_line(np.random.default_rng(i)) for i in range(200)]
    text = "".join(lines).lower()
    assert sum(text.count(letter) for letter in "pbm") / len(text) > 0.06
    assert not set("{}_") & set(text)


@needs_flite
def test_flite_says_where_its_closures_are() -> None:
    spoken = flite.speak("Mama, baby, puppy.", "slt")
    names = [p.name for p in spoken.phones]
    assert [n for n in names if n in "PBM"] == ["M", "M", "B", "B", "P", "P"]
    assert spoken.phones[-1].end_s == pytest.approx(spoken.seconds)


@needs_espeak
def test_espeak_gives_stops_their_silent_closure() -> None:
    spoken = espeak.speak("A happy upper apple.", "gmw/en-US")
    stops = [p for p in spoken.phones if p.name == "P"]
    assert len(stops) == 3
    assert min(p.end_s - p.start_s for p in stops) > 0.05


@needs_flite
@needs_espeak
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_small_corpus_is_whole_deterministic_and_resumable(tmp_path: Path, jobs: int) -> None:
    rig = {"names": np.array(_RIG_SHAPES), "fields": _RIG_FIELDS, "lip_pairs": np.array([[0, 1]])}
    np.savez(tmp_path / "rig.npz", **rig)
    recipe = config.from_dict({"name": "t", "corpus": {"clips_a_batch": 4}})
    made = synth.synthesise(recipe, tmp_path, 1.0, jobs)
    assert synth.synthesise(recipe, tmp_path, 1.0, jobs) == made
    clip = made[3]
    track = clips.read_track(tmp_path / "corpus", clip)
    assert len(track.weights) == int(np.ceil(clip.seconds * 30))
    assert len(clips.read_samples(tmp_path / "corpus", clip)) == round(clip.seconds * 16000)
    assert (clip.text, clip.seconds) == _first_run.setdefault("clip", (clip.text, clip.seconds))


_first_run: dict[str, tuple[str, float]] = {}
_RIG_SHAPES = list(MOUTH_SHAPES)
_RIG_FIELDS = np.zeros((len(_RIG_SHAPES), 2, 3), np.float32)
_RIG_FIELDS[:8, 0, 1] = [0.025, -0.025, 0.007, -0.001, 0.003, 0.003, 0.002, 0.002]
