"""Lip-sync scores: hand-made numbers, and agreement with the reference implementation."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from training import lipsync, lipsync_pool
from training.corpus.phones import Phone

SHARED = Path(__file__).parents[3] / "shared"
# Half a second each of: pause, P, AA, M, AE, pause.
SYLLABLES = [
    Phone(name, 0.5 * number, 0.5 * number + 0.5)
    for number, name in enumerate(["SIL", "P", "AA", "M", "AE", "SIL"])
]


def opening(phones: list[Phone], fps: float = 100.0, delay_s: float = 0.0) -> lipsync.Floats:
    """What the phones' table says, smoothed, seen at fps and late by delay_s."""
    spoken = lipsync._spoken(phones, phones[-1].end_s)
    frames = np.arange(int(phones[-1].end_s * fps)) / fps - delay_s
    return np.interp(frames, spoken.times, spoken.target)


def test_auc_of_two_against_two_by_hand() -> None:
    assert lipsync.auc(np.array([2.0, 3.0]), np.array([1.0, 2.0])) == 0.875
    assert np.isnan(lipsync.auc(np.array([]), np.array([1.0])))


def test_the_table_itself_scores_full_marks() -> None:
    score = lipsync.score(opening(SYLLABLES), 100, SYLLABLES).score
    assert (score.auc, score.closure, score.lag_ms) == (1.0, 1.0, 0.0)
    assert score.corr == pytest.approx(1.0, abs=1e-4)
    assert (score.n_open, score.n_pbm, score.seconds) == (200, 2, 3.0)


def test_scale_and_offset_do_not_matter() -> None:
    one = lipsync.score(opening(SYLLABLES), 100, SYLLABLES).score
    other = lipsync.score(5 + 0.01 * opening(SYLLABLES), 100, SYLLABLES).score
    assert other.auc == one.auc
    assert other.contrast == pytest.approx(one.contrast)


def test_a_late_mouth_is_found_late_and_an_early_one_early() -> None:
    late = lipsync.score(opening(SYLLABLES, delay_s=0.08), 100, SYLLABLES).score
    early = lipsync.score(opening(SYLLABLES, delay_s=-0.06), 100, SYLLABLES).score
    assert (late.lag_ms, early.lag_ms) == (pytest.approx(80), pytest.approx(-60))
    assert late.auc_lag == 1.0


def test_an_inverted_mouth_scores_nothing() -> None:
    assert lipsync.score(-opening(SYLLABLES), 100, SYLLABLES).score.auc == 0.0


def test_closures_are_counted_against_chance() -> None:
    """Shut for a fifth of the 3 s, at P alone: of windows of 0.58 s, over a third meet that."""
    aperture = np.ones(300)
    aperture[40:100] = 0.0
    score = lipsync.score(aperture, 100, SYLLABLES).score
    assert score.closure == 0.5
    # shut from 0.4 to 1 s of 3 s; windows reach 0.29 s to each side: 1.18 of 3 s
    assert score.closure_ch == pytest.approx(1.18 / 3, abs=0.01)


def test_a_still_mouth_has_no_correlation_and_no_closures() -> None:
    score = lipsync.score(np.ones(300), 100, SYLLABLES).score
    assert score.auc == 0.5
    assert np.isnan([score.corr, score.closure, score.contrast]).all()


def test_pooling_ranks_all_frames_together_and_weighs_closures_by_phone() -> None:
    good = lipsync.score(opening(SYLLABLES), 100, SYLLABLES)
    vowel = [Phone("AA", 0.0, 0.5)]
    low = lipsync.score(np.full(50, -1.0), 100, vowel)
    pooled = lipsync_pool.pool([good, low])
    assert pooled.score.auc == pytest.approx(200 / 300)  # 100 of 300 open frames lie below all
    assert pooled.auc_mean == 1.0
    assert (pooled.score.closure, pooled.score.n_pbm, pooled.score.seconds) == (1.0, 2, 3.5)


def test_an_alignment_is_read_without_its_stress(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"start": 0, "end": 0.5, "phone": "aa1", "word": "a"}\n', encoding="utf-8")
    assert lipsync.read_alignment(path) == [Phone("AA", 0.0, 0.5)]


@pytest.mark.parametrize("text", ["", "no", '{"phone": "AA"}', '{"phone": 3, "start": 0}'])
def test_a_bad_alignment_is_one_clear_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    with pytest.raises(lipsync.AlignmentError, match=r"a\.json"):
        lipsync.read_alignment(tmp_path / "a.json")


def reference() -> ModuleType:
    """The reference implementation, where this checkout has it beside it."""
    path = SHARED / "tools" / "lipsync_eval.py"
    if not path.is_file():
        pytest.skip("needs ../shared/tools/lipsync_eval.py")
    spec = importlib.util.spec_from_file_location("lipsync_eval", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rows(phones: list[Phone]) -> list[tuple[float, float, str]]:
    return [(phone.start_s, phone.end_s, phone.name) for phone in phones]


def tracks(phones: list[Phone], rng: np.random.Generator) -> list[lipsync.Floats]:
    """A good, a late, a stepwise and a senseless mouth at 30 fps."""
    good = opening(phones, 30)
    return [
        good + 0.1 * rng.normal(size=len(good)),
        np.roll(good, 3),
        np.round(3 * good),
        rng.normal(size=len(good)),
    ]


def test_it_agrees_with_the_reference_to_three_decimals() -> None:
    theirs, rng = reference(), np.random.default_rng(3)
    for path in sorted((SHARED / "audio" / "alignments").glob("*.json")):
        phones = lipsync.read_alignment(path)
        for track in tracks(phones, rng):
            expected = theirs.evaluate(track, 30.0, rows(phones))
            found = vars(lipsync.score(track, 30.0, phones).score)
            assert found == pytest.approx(expected, abs=5e-4, nan_ok=True), path.name


def test_pooled_scores_agree_with_the_reference() -> None:
    theirs, rng = reference(), np.random.default_rng(4)
    paths = sorted((SHARED / "audio" / "alignments").glob("*.json"))
    clips, items = [], []
    for path in paths:
        phones = lipsync.read_alignment(path)
        track = tracks(phones, rng)[0]
        clips.append(lipsync.score(track, 30.0, phones))
        items.append((path.stem, track, 30.0, rows(phones), None))
    expected = theirs.evaluate_many(items)[1]
    found = lipsync_pool.flat(lipsync_pool.pool(clips))
    assert found == pytest.approx(expected, abs=5e-4, nan_ok=True)
