"""Evaluation: a perfect speaker's figures, real speech, the corpus' truth, and tables."""

import json
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from backend import motion
from tests.training.slit_face import slit_face
from training import __main__ as training
from training import evaluate, evaluate_corpus, evaluate_speech, evaluate_truth, lipsync, masks
from training.corpus.clips import Clip
from training.corpus.phones import Phone
from training.metrics import Figure
from training.rig_file import Array, Rig

PAIRS = np.array([[0, 1]], dtype=np.int32)
PHONES = [Phone("AA", 0.0, 0.5), Phone("P", 0.5, 1.0), Phone("AA", 1.0, 1.5)]


def mouth(frames: int = 45, shut: tuple[int, int] = (16, 29)) -> Array:
    """Two lips, 10 mm apart except in some frames."""
    moved = np.zeros((frames, 2, 3), np.float32)
    moved[:, 0, 1] = 0.01
    moved[shut[0] : shut[1], 0, 1] = 0.0
    return moved


class Parrot(NamedTuple):
    """Says the same whatever it hears, shifted by its seed."""

    motion: Array
    fps: float = 30.0

    def speak(self, samples: Array, style: str, seed: int, steps: int | None) -> Array:
        return self.motion + np.float32(0.001 * seed)


def bench() -> evaluate_corpus.Bench:
    clip = Clip("0", "", "", "test", "Even", "neutral", "", "", "", 1.5, "en")
    truth = evaluate_corpus.Truth(clip, mouth(), np.zeros(24000, np.float32), PHONES)
    both = masks.everywhere(2)
    regions = evaluate_corpus.Regions(both, both, both, both)
    return evaluate_corpus.Bench([truth], regions, PAIRS, 30.0)


def test_a_perfect_speaker_has_no_error_and_its_takes_differ() -> None:
    figures = evaluate_corpus.generation(Parrot(mouth()), bench(), None, 2)
    found = {figure.name: figure.value for figure in figures}
    assert {found[name] for name in ("LVE", "LVE root", "EVE", "FDD", "MVE mean_l2")} == {0.0}
    assert (found["closure"], found["aperture r"], found["aperture gain"]) == (1.0, 1.0, 1.0)
    assert found["diversity"] == pytest.approx(math.sqrt(3))  # 1 mm along each axis
    assert (found["closure, seed 0"], found["closure, seed 1"]) == (1.0, 1.0)
    assert all(figure.mask for figure in figures)


def test_each_seed_has_its_own_closure_rate() -> None:
    class Yawning(Parrot):
        def speak(self, samples: Array, style: str, seed: int, steps: int | None) -> Array:
            return self.motion if seed == 0 else np.full_like(self.motion, [[0, 1, 0], [0, 0, 0]])

    figures = evaluate_corpus.generation(Yawning(mouth()), bench(), None, 2)
    found = {figure.name: figure.value for figure in figures}
    assert (found["closure, seed 0"], found["closure, seed 1"]) == (1.0, 0.0)


def test_roots_follow_their_squares_and_are_taken_after_pooling() -> None:
    clips = [[Figure("LVE", value, "m^2", "lips", 1)] for value in (1e-6, 7e-6)]
    assert [(f.name, round(f.value, 9)) for f in evaluate_corpus.pool(clips)] == [
        ("LVE", 4e-6),
        ("LVE root", 2.0),
    ]


def test_real_speech_is_scored_from_motions_made_before(tmp_path: Path) -> None:
    rows = [{"start": p.start_s, "end": p.end_s, "phone": p.name} for p in PHONES]
    (tmp_path / "a.json").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    motion.save(motion.Motion(mouth(), 30.0, "toy", "toy", 0, 1.5), tmp_path / "a.npz")
    clips = evaluate_speech.score_all(evaluate_speech.Motions(tmp_path), tmp_path, PAIRS)
    rows_found = evaluate_speech.rows(clips)
    assert list(rows_found) == ["a", "all"]
    assert rows_found["a"]["auc"] == rows_found["all"]["auc"] == 1.0
    assert "1.000" in evaluate_speech.table(clips)
    with pytest.raises(evaluate_speech.SpeechError, match="a moves 2 vertices"):
        evaluate_speech.score_all(evaluate_speech.Motions(tmp_path), tmp_path, PAIRS + 5)


def test_a_voice_with_several_recordings_is_reported_apart() -> None:
    heard = lipsync.score(mouth()[:, 0, 1], 30, PHONES)
    names = ("lj_1", "lj_2", "jfk")
    clips = [evaluate_speech.Clip(name, [heard]) for name in names]
    assert list(evaluate_speech.rows(clips)) == [*names, "all lj", "all but lj", "all"]


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(evaluate_speech.SpeechError, match="no alignments"):
        evaluate_speech.find_alignments(tmp_path)
    with pytest.raises(evaluate_speech.SpeechError, match="has no recording a"):
        evaluate_speech.find_recording(tmp_path, "a")


@pytest.mark.parametrize(
    "options", [["--alignments", "x"], ["--audio", "x"], ["--seeds", "1"], ["--pack", "none"]]
)
def test_options_that_do_not_go_together_end_with_2(options: list[str], tmp_path: Path) -> None:
    assert training.main(["evaluate", "--work", str(tmp_path), *options]) == 2


def test_nan_is_null_in_json_and_columns_line_up() -> None:
    rows = {"row": [Figure("a", math.nan, "mm", "lips"), Figure("longer", 1.0, "", "all")]}
    plain = {"value": None, "unit": "mm", "mask": "lips", "weight": 1.0}
    assert evaluate.plain(rows)["row"]["a"] == plain
    lines = evaluate.table(rows).splitlines()
    assert [line.split() for line in lines[1:]] == [["a", "mm", "nan", "lips"],
                                                    ["longer", "1", "all"]]  # fmt: skip
    assert lines[1].index("nan") == lines[2].index("1")


def slit_rig() -> Rig:
    """The slit face, which one shape opens: the lower lip's rim goes down by 10 mm."""
    face = slit_face()
    field = np.zeros((1, len(face.vertices), 3), np.float32)
    under = face.vertices[:, 1] < face.vertices[face.landmarks[43], 1] - 1e-4
    field[0, under | np.isin(np.arange(len(under)), list(face.below.values())), 1] = -0.01
    rest, still = face.vertices.astype(np.float32), np.zeros((1, 6), np.float32)
    jaw = (still, still[0, :3], 1.0)
    return Rig(("open",), field, rest, face.triangles, {}, PAIRS, face.landmarks, *jaw)


def test_lips_that_are_shut_on_p_are_in_contact() -> None:
    face = evaluate_truth.face_of(slit_rig())
    weights = np.ones((45, 1), np.float32)
    gaping = evaluate_truth.measure(face, weights, PHONES, 30)
    weights[18:26] = 0
    shut = evaluate_truth.measure(face, weights, PHONES, 30)
    assert shut.closings_m == [pytest.approx(0.0, abs=1e-6)]
    assert shut.lip_overlap_m == pytest.approx(0.0, abs=1e-6)
    assert gaping.closings_m[0] > 5e-3
    found = {figure.name: figure.value for figure in evaluate_truth.figures([shut, gaping])}
    assert found["p b m in contact"] == 0.5


def test_lips_pushed_through_each_other_overlap() -> None:
    face = evaluate_truth.face_of(slit_rig())
    clip = evaluate_truth.measure(face, np.full((45, 1), -0.2, np.float32), PHONES, 30)
    assert clip.lip_overlap_m == pytest.approx(2e-3, rel=0.1)
