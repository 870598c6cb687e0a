"""The corpus in published layouts, real recordings in it, and what it is said to hold."""

import argparse
import ctypes.util
import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from training import config, rig_file
from training.corpus import (
    alignment,
    casting,
    clips,
    festival,
    flite,
    layouts,
    recordings,
    statistics,
    styles,
    synth,
    transcription,
)
from training.corpus.clips import CorpusError
from training.corpus.performance import MOUTH_SHAPES
from training.corpus.phones import Phone
from training.datasets import layouts as readers
from training.datasets import mead, vocaset

needs_flite = pytest.mark.skipif(
    ctypes.util.find_library("flite") is None, reason="flite is not installed"
)
needs_espeak = pytest.mark.skipif(
    ctypes.util.find_library("espeak-ng") is None, reason="espeak-ng is not installed"
)
needs_festival = pytest.mark.skipif(
    shutil.which("festival") is None, reason="festival is not installed"
)
needs_aligner = pytest.mark.skipif(
    importlib.util.find_spec("pocketsphinx") is None, reason="PocketSphinx is not installed"
)


def write_rig(path: Path, vertices: int, unit: float = 1.0) -> None:
    """Mouth shapes on a strip of vertices; the first two are the lips."""
    fields = np.zeros((len(MOUTH_SHAPES), vertices, 3), np.float32)
    fields[:8, 0, 1] = [0.025, -0.025, 0.007, -0.001, 0.003, 0.003, 0.002, 0.002]
    masks = {name: np.ones(vertices, bool) for name in rig_file.MASKS}
    np.savez(
        path, names=np.array(MOUTH_SHAPES), fields=fields, lip_pairs=np.array([[0, 1]]),
        template=np.arange(3.0 * vertices).reshape(-1, 3) * 1e-6, faces=np.array([[0, 1, 2]]),
        metres_per_unit=unit, **masks,
    )  # fmt: skip


def recipe(**corpus: object) -> config.Recipe:
    return config.from_dict({"name": "t", "corpus": corpus})


@needs_flite
@needs_espeak
def test_a_vocaset_of_ours_is_read_as_the_published_one(tmp_path: Path) -> None:
    write_rig(tmp_path / "rig.npz", 5023)
    made = layouts.make("vocaset", tmp_path / "set", tmp_path / "rig.npz", recipe().corpus, 1.0, 1)
    assert made[0].startswith("16 of 400 clips")
    found = readers.read("vocaset", tmp_path / "set")
    assert len(found.clips) == 16 and not found.faults
    assert found.styles == vocaset.TRAIN
    moved = found.displacements(found.clips[0], 30)
    assert moved.shape[1:] == (5023, 3) and 0.002 < np.abs(moved).max() < 0.04


def test_positions_in_biwis_unit_come_back_in_its_own(tmp_path: Path, monkeypatch) -> None:
    """A mesh of 0.2 m a unit is written as it was read, not in the set's usual 0.186 m."""
    write_rig(tmp_path / "rig.npz", 23370, unit=0.2)
    monkeypatch.setattr(layouts, "_batches", lambda job, clips, jobs: iter([[2.0]]))
    layouts.make("biwi", tmp_path / "set", tmp_path / "rig.npz", recipe().corpus, 1.0, 1)
    faces = np.load(tmp_path / "rig.npz")["template"]
    written = readers.biwi.read(tmp_path / "set").template("F2")
    np.testing.assert_allclose(written, faces / 0.2, rtol=1e-6)


def test_a_rig_of_another_topology_is_refused(tmp_path: Path) -> None:
    write_rig(tmp_path / "rig.npz", 42)
    with pytest.raises(CorpusError, match="has 42 vertices, mead has 5023"):
        layouts.make("mead", tmp_path, tmp_path / "rig.npz", recipe().corpus, 1.0, 1)


def test_subjects_take_turns_and_keep_voice_and_words() -> None:
    turned = layouts.in_turns(list(mead.clips("identity")))
    assert len({clip.subject for clip in turned[:47]}) == 47
    angry = [clip for clip in turned if clip.emotion == "angry" and clip.sentence == "007"]
    parts = [layouts.cast_as(clip, recipe().corpus) for clip in angry[:6]]
    assert {part.text for part in parts} == {parts[0].text}
    assert len({part.voice for part in parts}) > 1
    again = layouts.cast_as(turned[0], recipe().corpus)
    other = layouts.cast_as(turned[47], recipe().corpus)
    assert (again.voice, again.tempo) == (other.voice, other.tempo)
    assert parts[0].passages[0][1:] == ("angry", angry[0].intensity)


def test_people_of_other_names_move_differently() -> None:
    people = {styles.of_subject(f"M{number:03d}") for number in range(40)}
    assert len(people) == 40 and styles.of_subject("M003") == styles.of_subject("M003")
    assert 0.45 < min(p.jaw for p in people) < max(p.jaw for p in people) < 1.9


@needs_festival
def test_festival_says_where_its_closures_are() -> None:
    spoken = festival.speak("Mama, baby, puppy.", "kal_diphone")
    assert [p.name for p in spoken.phones if p.name in "PBM"] == ["M", "M", "B", "B", "P", "P"]
    slower = festival.speak("Mama, baby, puppy.", "kal_diphone", stretch=1.3)
    assert slower.seconds / spoken.seconds == pytest.approx(1.3, abs=0.03)


def test_voices_and_sentences_kept_for_testing_are_in_no_other_split() -> None:
    options = recipe(
        flite_share=0.5, festival_share=0.2, emotion_share=0.6, shift_share=0.3,
        test_voices=["awb", "f3"], test_templates=3, test_share=0.1, foreign_share=0.3,
    ).corpus  # fmt: skip
    parts = [casting.cast(options, np.random.default_rng(seed)) for seed in range(600)]
    held = [p for p in parts if p.voice == "awb" or p.voice.endswith("+f3")]
    assert len(held) > 30 and {p.split for p in held} == {"test-voices"}
    unseen = [p for p in parts if p.split == "test-sentences"]
    assert len(unseen) > 10
    openings = {"Why? Because I", "Boom! The", "Listen. The"}
    for part in parts:
        starts = any(part.text.startswith(opening) for opening in openings)
        assert starts == (part.split == "test-sentences") or part.language != "en" or not starts
    emotional = [p for p in parts if p.passages[0].intensity]
    assert 0.5 < len(emotional) / 600 < 0.7
    assert 0.2 < sum(len(p.passages) > 1 for p in emotional) / len(emotional) < 0.4


def test_the_default_recipe_is_neutral_and_draws_as_it_always_did() -> None:
    parts = [casting.cast(recipe().corpus, np.random.default_rng([0, k])) for k in range(40)]
    assert {p.passages[0].emotion for p in parts} == {"neutral"}
    assert "festival" not in {p.synthesiser for p in parts}
    assert parts[0].voice == casting.cast(recipe().corpus, np.random.default_rng([0, 0])).voice


def test_a_new_option_at_its_default_spoils_no_old_corpus() -> None:
    old = {"seed": 0, "flite_share": 0.55, "fps": 30, "rig": "x"}
    new = old | {"emotion_share": 0.0, "gaze": 0.0}
    assert synth._told(old) == synth._told(new) != synth._told(new | {"gaze": 1.0})


def sphinx_says(words: str, frames: int) -> list[alignment._Sound]:
    names = words.split()
    return [alignment._Sound(n, k * frames, frames, k % 3 == 0) for k, n in enumerate(names)]


def test_an_alignment_without_room_or_with_words_left_over_is_refused() -> None:
    alignment._check(sphinx_says("SIL M AA M AH", 7))
    with pytest.raises(alignment.UnalignedError, match="100% of its phones have no room"):
        alignment._check(sphinx_says("M AA M AH", 3))
    with pytest.raises(alignment.UnalignedError, match=r"a M of 0.90 s at 0.0 s"):
        alignment._check(sphinx_says("M AA", 90))


def test_the_first_full_vowel_of_a_word_is_stressed() -> None:
    phones = alignment._phones(sphinx_says("B AH N AE N AH", 5))
    assert [p.stress for p in phones] == [0, 0, 0, 1, 0, 0]
    assert phones[3].start_s == pytest.approx(0.15)


@needs_flite
@needs_aligner
def test_a_known_voice_is_aligned_within_two_frames_and_wrong_words_are_refused() -> None:
    spoken = flite.speak("My mother may buy a big apple pie.", "slt")
    found = alignment.align(spoken.samples, "My mother may buy a big apple pie.")
    truth = [p.start_s for p in spoken.phones if p.name in "PBM"]
    heard = [p.start_s for p in found if p.name in "PBM"]
    assert len(truth) == len(heard) == 7
    assert np.median(np.abs(np.subtract(truth, heard))) < 0.034
    with pytest.raises(alignment.UnalignedError):
        alignment.align(spoken.samples, "Nothing of the kind was ever said to them in Wales")


def test_two_recordings_of_one_name_are_refused(tmp_path: Path) -> None:
    wanted = [recordings.Recording(tmp_path / k / "a.wav", "mama", "x") for k in "12"]
    with pytest.raises(CorpusError, match=r"1/a.wav and .*2/a.wav have one name"):
        recordings._distinct(wanted)


PLAYED = "The children played outside until the sun went down."


def spoken_words(line: str) -> list[str]:
    return line.lower().strip(".").split()


@needs_flite
@needs_aligner
def test_words_are_heard_and_written_down(tmp_path: Path) -> None:
    spoken = flite.speak(PLAYED, "slt")
    soundfile.write(tmp_path / "play.wav", spoken.samples, 16000)
    soundfile.write(tmp_path / "short.wav", spoken.samples[:16000], 16000)
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    parser = argparse.ArgumentParser()
    transcription.add_arguments(parser)
    transcription.run(parser.parse_args([str(tmp_path), "--speaker", "slt"]))
    (line,) = recordings.listed(tmp_path)
    assert (line.path.name, line.speaker) == ("play.wav", "slt")
    assert len({*spoken_words(line.text)} & {*spoken_words(PLAYED)}) >= 6
    with pytest.raises(CorpusError, match="exists"):
        transcription.run(parser.parse_args([str(tmp_path), "--speaker", "slt"]))


def test_recordings_join_as_clips_and_those_that_fail_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, corpus = tmp_path / "real", tmp_path / "work" / "corpus"
    folder.mkdir()
    for inside in ("wav", "tracks"):
        (corpus / inside).mkdir(parents=True)
    tone = 0.1 * np.sin(np.arange(16000) / 10)
    soundfile.write(folder / "anna-1.wav", tone, 16000)
    table = "file\ttranscript\tlanguage\nanna-1.wav\tmama\ten\ngone.wav\tpapa\ten\nx.wav\tja\tde\n"
    (folder / "list.tsv").write_text(table)
    (corpus / "clips.jsonl").write_text("")
    write_rig(tmp_path / "rig.npz", 4)
    monkeypatch.setattr(recordings, "align", lambda samples, text: [Phone("M", 0.0, 1.0)])
    gains = synth.lip_gains(tmp_path / "rig.npz")
    made, refused = recordings.join(corpus, [folder], recipe().corpus, 30, gains)
    assert [r.name for r in refused] == ["gone.wav"]
    assert clips.read_clips(corpus) == made and made[0].voice == "anna"
    assert clips.read_track(corpus, made[0]).weights.shape == (30, len(MOUTH_SHAPES))
    acting = recipe(acted_recordings=1.0).corpus
    (plain, acted), _ = recordings.join(corpus, [folder], acting, 30, gains)
    (span,) = clips.read_track(corpus, acted).spans
    assert not plain.acted and acted.acted and span.emotion == acted.emotion
    assert (span.start_s, span.end_s, span.intensity) == (0.0, 1.0, acted.intensity)
    assert acted.id == f"{plain.id}_{acted.emotion}" and acted.seconds == plain.seconds


@needs_flite
@needs_espeak
@needs_festival
def test_an_emotional_corpus_remembers_its_spans_and_its_statistics_are_counted(
    tmp_path: Path,
) -> None:
    write_rig(tmp_path / "rig.npz", 4)
    options = recipe(
        emotion_share=1.0, shift_share=1.0, festival_share=0.3, clips_a_batch=4, gaze=1.0
    )
    made = synth.synthesise(options, tmp_path, 1.0, 1)
    tracks = [clips.read_track(tmp_path / "corpus", clip) for clip in made]
    for clip, track in zip(made, tracks, strict=True):
        first, second = track.spans
        assert (first.emotion, first.intensity) == (clip.emotion, clip.intensity)
        assert second.emotion == clip.shift_to and 0 < second.start_s < second.end_s
        assert second.end_s == pytest.approx(clip.seconds, abs=1e-3)
    found = statistics.counted(made, tmp_path / "corpus")
    assert found["clips"] == 4 == found["shifts"]
    assert found["hours"] == pytest.approx(sum(clip.seconds for clip in made) / 3600)
    assert sum(found["emotions"].values()) == 4


def test_layout_and_out_go_together(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    synth.add_arguments(parser)
    with pytest.raises(CorpusError, match="go together"):
        synth.run(parser.parse_args(["--work", str(tmp_path), "--layout", "biwi"]))


def test_the_studio_recipe_speaks_fifteen_languages_and_holds_voices_back() -> None:
    studio = config.load("studio").corpus
    assert len(set(studio.languages)) == 14 and studio.test_templates == 4
    assert len(studio.styles) == 8 and all(styles.find(name) for name in studio.styles)
    assert json.dumps(studio.test_voices)
