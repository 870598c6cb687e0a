"""What evaluate and figures say of a pack with emotions: a toy pack's, trained in seconds."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from backend import emotions
from backend.messages import EmotionSpan
from tests.training import toy
from training import __main__ as training
from training import evaluate_corpus, rig_file
from training.corpus.clips import Clip, CorpusError, read_clips
from training.corpus.emotions import Span
from training.corpus.phones import Phone
from training.evaluate_corpus import Truth
from training.evaluate_speech import Take
from training.exptalk import acted, figures, forced, key_regions, told
from training.masks import Region
from training.metrics import Figure
from training.report import pictures
from training.rig_file import Rig


@pytest.fixture(scope="module")
def speech(work: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recordings with alignments."""
    folder = tmp_path_factory.mktemp("speech")
    for clip in read_clips(work / "corpus", "train")[:2]:
        (folder / f"{clip.id}.wav").write_bytes((work / "corpus" / clip.wav).read_bytes())
        rows = [{"start": k / 4, "end": (k + 1) / 4, "phone": ("AA", "P")[k % 2]}
                for k in range(8)]  # fmt: skip
        (folder / f"{clip.id}.json").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def work(exptalk_work: Path) -> Path:
    """The folder that every test here reads."""
    return exptalk_work


def run(command: str, work: Path, *more: str) -> int:
    return training.main([command, "--recipe", "exptalk-tiny", "--work", str(work), *more])


def icy() -> Rig:
    """The toy sphere, whose shapes are three of the corpus': brows, a left and a right smile."""
    rest, faces = toy.sphere()
    fields = np.zeros((3, len(rest), 3), np.float32)
    fields[0, rest[:, 1] > 0.08, 1] = 0.01
    fields[0, rest[:, 1] < 0.08, 1] = 0.004
    fields[1, rest[:, 0] > 0.03, 0] = 0.02
    fields[2, rest[:, 0] < -0.03, 0] = -0.01
    lips = (np.abs(rest[:, 1]) < 0.06) & (rest[:, 2] > 0.04)
    masks = {"mask_lips": lips, "mask_upper_face": rest[:, 1] > 0.04}
    names = ("browInnerUp", "mouthSmile_L", "mouthSmile_R")
    none = np.zeros(0, np.int64)
    return Rig(names, fields, rest.astype(np.float32), faces, masks, np.zeros((0, 2), np.int32),
               none, np.zeros((0, 6), np.float32), np.zeros(0, np.float32), 1.0)  # fmt: skip


def test_a_key_region_is_what_the_pose_moves_most() -> None:
    rig = icy()
    sad = key_regions.of(rig, "sad")
    moved = np.flatnonzero(rig.template[:, 1] > 0.08)
    assert sad.upper.name == f"around browInnerUp ({len(moved)} vertices)"
    assert sad.upper.vertices.tolist() == moved.tolist()
    assert sad.upper_meant_mm == pytest.approx(0.8 * 10)
    happy = key_regions.of(rig, "happy")
    assert "mask_upper_face" in happy.upper.name and np.isnan(happy.upper_meant_mm)
    right, left = (rig.template[corner.vertices, 0] for corner in happy.corners)
    assert right.max() < 0 < left.min()
    assert happy.corners_meant_mm == pytest.approx(0.7 * 20, rel=1e-6)


def test_what_comes_and_goes_moves_no_region_for_good() -> None:
    still = np.zeros((40, 3, 3), np.float32)
    shaken = still.copy()
    shaken[:, 0, 1] = 0.01 * (-1.0) ** np.arange(40)
    shaken[:, 1] = (0.003, 0.004, 0)
    region = Region("", np.array([0, 1]))
    assert key_regions.moved_mm(shaken, still, region) == pytest.approx(2.5)


def test_all_lanes_are_each_emotion_and_each_going_over() -> None:
    found = forced.lanes(["all"], ("neutral", "happy", "sad"), 8.0)
    assert list(found) == ["voice", "neutral", "happy", "sad", "neutral to happy", "happy to sad",
                           "sad to neutral"]  # fmt: skip
    assert found["voice"] == ()
    assert [(s.name, s.start_s, s.end_s) for s in found["happy to sad"]] == [
        ("happy", None, 4.0), ("sad", 4.0, None)]  # fmt: skip
    assert forced.seams_s(found["happy to sad"]) == [4.0]
    assert list(forced.lanes(["sad:0.5@1-2"], ("neutral", "sad"), 8.0)) == [
        "voice", "neutral", "sad:0.5@1-2"]  # fmt: skip


def test_a_jump_at_a_seam_is_seen_and_a_slow_change_is_not() -> None:
    rng = np.random.default_rng(0)
    lane = forced.turning("happy", "sad", 5.0)
    talking = 0.001 * rng.normal(size=(300, 4, 3)).astype(np.float32).cumsum(axis=0)
    jumping = talking + 0.02 * (np.arange(300) >= 150)[:, None, None].astype(np.float32)
    for motion, jumps in ((talking, 0), (jumping, 1)):
        row = forced.seam_figures(Take(motion, 30), lane, [Take(talking, 30)])
        found = {figure.name: figure.value for figure in row}
        assert (found["seams above it"], found["above it, no seam"]) == (jumps, 0)
    assert found["seam speed"] > 30 * 0.02 * 1e3


def test_a_seam_beyond_a_short_recording_counts_nothing() -> None:
    row = forced.seam_figures(Take(np.zeros((30, 2, 3)), 30), forced.turning("a", "b", 9.0), [])
    assert {figure.weight for figure in row} == {0}


def test_lanes_with_seams_are_a_table_of_their_own() -> None:
    seamed = Figure(forced.SEAM, 1.0, "mm/s", "all")
    rows: dict[str, list[Figure]] = {"happy": [], "happy to sad": [seamed], "sad": []}
    assert [list(part) for part in forced.apart(rows)] == [["happy", "sad"], ["happy to sad"]]


def test_what_was_acted_becomes_a_lane() -> None:
    lane = told.lane_of([Span("sad", 2, 0.0, 1.5), Span("neutral", 0, 1.5, 3.0)])
    assert lane == (EmotionSpan("sad", 0.7, None, 1.5), EmotionSpan("neutral", 0.0, 1.5, None))


def test_emotions_heard_are_the_nearest_prototypes() -> None:
    rows = np.zeros((3, 2, 2), np.float32)
    rows[1, 1], rows[2, 1] = (1, 0), (0, 1)
    palette = emotions.Palette(("neutral", "happy", "sad"), np.array([0, 1], np.float32), rows)
    felt = np.array([[0.1, 0.2], [0.9, 0.1], [0.2, 2.0]], np.float32)
    assert acted.nearest(felt, palette).tolist() == ["neutral", "happy", "sad"]


def test_silence_means_no_emotion() -> None:
    clip = Clip("0", "", "", "test", "Even", "sad", "", "", "", 1.0, "en")
    phones = [Phone("SIL", 0, 0.5), Phone("AA", 0.5, 1.0)]
    spans = [Span("sad", 3, 0.0, 0.75), Span("happy", 3, 0.75, 1.0)]
    none = np.zeros(0, np.float32)
    meant = acted.meant_at(Truth(clip, none, none, phones, spans), 4, fps=4)
    assert meant.tolist() == ["", "", "sad", "happy"]


def test_a_clip_is_acted_where_any_of_it_is() -> None:
    plain = Clip("0", "", "", "test", "Even", "neutral", "", "", "", 1.0, "en")
    assert not plain.acted
    assert dataclasses.replace(plain, emotion="sad", shift_to="neutral").acted
    assert dataclasses.replace(plain, shift_to="sad").acted


def test_every_emotion_is_forced_on_real_speech(work: Path, speech: Path) -> None:
    given = ("--pack", str(work / "pack"), "--audio", str(speech), "--alignments", str(speech),
             "--seeds", "2", "--steps", "2")  # fmt: skip
    assert run("evaluate", work, *given, "--emotion", "all") == 0
    rows = json.loads((work / "emotions.json").read_text(encoding="utf-8"))
    assert list(rows) == ["voice", "neutral", "happy", "sad", "neutral to happy", "happy to sad",
                          "sad to neutral"]  # fmt: skip
    assert all(0 <= row["auc"]["value"] <= 1 for row in rows.values())
    assert rows["happy"]["upper face moved"]["value"] > 0
    assert rows["happy"]["upper face moved"]["mask"].startswith("mask_upper_face")
    assert 0 <= rows["happy to sad"]["seams above it"]["value"] <= 1
    assert "upper face moved" not in rows["neutral"]
    assert run("evaluate", work, *given, "--emotion", "happy@0-1", "sad@1-2") == 0
    rows = json.loads((work / "emotions.json").read_text(encoding="utf-8"))
    assert rows["happy@0-1 sad@1-2"]["seam speed"]["value"] > 0
    assert run("evaluate", work, *given, "--emotion", "grumpy") == 2


def test_emotional_lines_are_measured_as_heard_and_as_told(work: Path) -> None:
    given = ("--acted", "--seeds", "2", "--steps", "2", "--split", "test-voices")
    assert run("evaluate", work, "--pack", str(work / "pack"), *given) == 0
    rows = json.loads((work / "acted.json").read_text(encoding="utf-8"))
    heard, told = rows["voice's emotion"], rows["true emotion"]
    assert 0 < heard["emotions heard rightly"]["value"] <= 1
    assert heard["EVE"]["weight"] == told["EVE"]["weight"] == 2 * 60
    assert "emotion heard rightly" not in told


def test_networks_are_measured_on_emotional_lines_alone(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Baselines meet the very lines that packs are told; the toy's one test clip acts nothing."""
    given = ("--acted", "--seeds", "2", "--steps", "2", "--split")
    assert run("evaluate", work, *given, "test") == 2
    assert "has no emotional clips of the split test" in capsys.readouterr().err
    assert run("evaluate", work, *given, "test-voices") == 0
    rows = json.loads((work / "acted.json").read_text(encoding="utf-8"))
    assert rows["from speech, 2 steps"]["EVE"]["weight"] == 2 * 60


def test_stage_1_is_measured_before_there_is_a_second(work: Path, tmp_path: Path) -> None:
    for name in ("rig.npz", "corpus", "stage1.pt"):
        (tmp_path / name).symlink_to(work / name)
    assert run("evaluate", tmp_path, "--stage1", "--pack", str(work / "pack")) == 2
    assert run("evaluate", tmp_path, "--stage1", "--truth") == 2
    assert run("evaluate", tmp_path, "--stage1") == 0
    rows = json.loads((tmp_path / "evaluation.json").read_text(encoding="utf-8"))
    assert list(rows) == ["quantised truth"]
    assert 0 < rows["quantised truth"]["codes used"]["value"] <= 1


def test_the_figures_are_drawn(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "FACE_PIXELS", (21, 27))
    monkeypatch.setattr(figures.TSNE, "fit_transform", lambda own, rows: rows[:, :2])
    given = ("--pack", str(work / "pack"), "--split", "test-voices", "--shift", "happy", "sad")
    assert run("figures", work, *given) == 0
    for name in ("tsne", "heat", "emotions", "shift", "joined"):
        assert (work / "figures" / f"{name}.png").read_bytes()[:4] == b"\x89PNG"


def test_t_sne_keeps_groups_apart() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(40, 5)).astype(np.float32)
    rows[20:] += 20
    points = figures.flattened(rows)
    middles = points[:20].mean(axis=0), points[20:].mean(axis=0)
    assert np.linalg.norm(middles[0] - middles[1]) > points[:20].std(axis=0).max()


def test_joined_clips_are_of_one_voice_and_of_the_wished_emotions_if_there_are_such() -> None:
    rows = [("a", "sad", 3), ("a", "angry", 1), ("b", "happy", 1), ("b", "angry", 1),
            ("b", "sad", 3)]  # fmt: skip
    clips = [Clip(str(k), "", "", "test", "Even", emotion, "", "", voice, 1.0, "en", intensity)
             for k, (voice, emotion, intensity) in enumerate(rows)]  # fmt: skip
    assert [c.id for c in figures.pair_of(clips, ("happy", "angry")).clips] == ["2", "3"]
    assert [c.id for c in figures.pair_of(clips[:3], ("happy", "angry")).clips] == ["0", "1"]
    with pytest.raises(CorpusError, match="different emotions"):
        figures.pair_of(clips[:1], ("happy", "angry"))


def test_only_moments_inside_the_line_are_shown() -> None:
    assert [moment.title for moment in figures.around(1.0, 1.5)] == [
        "-0.6 s", "-0.3 s", "+0.0 s", "+0.3 s"]  # fmt: skip


def test_truth_of_a_clip_knows_its_emotions(work: Path) -> None:
    rig = rig_file.read(work / "rig.npz")
    (clip,) = evaluate_corpus.some(work, 1, "train", acted=True)
    assert [span.emotion for span in evaluate_corpus.read_truth(work, rig, clip).spans] == ["happy"]
