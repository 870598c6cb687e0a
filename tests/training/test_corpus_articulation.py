"""The mouth's curves and the weights they become, in numbers."""

import numpy as np
import pytest

from training.corpus import styles
from training.corpus.articulation import GRID_HZ, MouthCurves, bump, mouth_curves
from training.corpus.performance import MOUTH_SHAPES, LipGains, Part, perform
from training.corpus.phones import SILENCE, Phone
from training.corpus.styles import STYLES, UnknownStyleError

_SHAPES = (*MOUTH_SHAPES, "eyeBlink_L", "eyeBlink_R", "browInnerUp_L", "browOuterUp_L")
_GAINS_MM = {
    "jawOpen": (26.0, 24.0), "mouthClose": (-26.0, -24.0), "mouthFunnel": (7.0, 8.0),
    "mouthPucker": (-1.0, -1.2), "mouthUpperUp_L": (2.0, 4.0), "mouthUpperUp_R": (4.0, 2.0),
    "mouthLowerDown_L": (2.0, 3.0), "mouthLowerDown_R": (3.0, 2.0),
}  # fmt: skip


def _gains() -> LipGains:
    return LipGains(_SHAPES, np.array([_GAINS_MM.get(n, (0.0, 0.0)) for n in _SHAPES]))


def _phones(names: str, length_s: float = 0.1, pause_s: float = 0.5) -> list[Phone]:
    phones, at_s = [Phone(SILENCE, 0.0, pause_s)], pause_s
    for name in names.split():
        phones.append(Phone(name, at_s, at_s + length_s, int(name in ("AA", "IY", "UW"))))
        at_s += length_s
    return [*phones, Phone(SILENCE, at_s, at_s + pause_s)]


def _curves(names: str, style: str = "Even") -> tuple[list[Phone], MouthCurves]:
    phones = _phones(names)
    times_s = np.arange(int(phones[-1].end_s * GRID_HZ)) / GRID_HZ
    return phones, mouth_curves(phones, times_s, styles.find(style), np.random.default_rng(0))


def _at(curve: np.ndarray, phone: Phone) -> float:
    return float(curve[round(phone.middle_s * GRID_HZ)])


def _frames(phones: list[Phone], style: str, seed: int = 0, fps: int = 30) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return perform(phones, phones[-1].end_s, fps, Part(styles.find(style)), _gains(), rng)


@pytest.mark.parametrize("bilabial", ["P", "B", "M"])
@pytest.mark.parametrize("style", STYLES)
def test_lips_meet_at_every_pair_on_a_bilabial_at_30_fps(bilabial: str, style: str) -> None:
    phones = _phones(f"AA {bilabial} AA {bilabial} IY", length_s=0.07)
    openings_mm = _gains().openings_mm(_frames(phones, style)).max(axis=1)
    times_s = np.arange(len(openings_mm)) / 30
    for phone in (p for p in phones if p.name == bilabial):
        during = (times_s > phone.start_s - 0.017) & (times_s < phone.end_s + 0.017)
        assert openings_mm[during].min() < 0.1


def test_open_vowels_open_wide_and_close_vowels_do_not() -> None:
    phones, curves = _curves("T AA T IY T UW T")
    assert _at(curves.opening_mm, phones[2]) > 7.0
    assert 2.0 < _at(curves.opening_mm, phones[4]) < 6.0
    assert _at(curves.opening_mm, phones[6]) < 4.5


def test_the_lower_lip_touches_the_teeth_on_f_and_v_and_leaves_a_slit() -> None:
    phones, curves = _curves("AA F AA V AA")
    for phone in (phones[2], phones[4]):
        assert _at(curves.bite, phone) == pytest.approx(1.0, abs=0.01)
        assert _at(curves.opening_mm, phone) == pytest.approx(1.8, abs=0.2)


def test_rounding_begins_before_the_rounded_vowel() -> None:
    phones, curves = _curves("S T UW")
    plain, plain_curves = _curves("S T IY")
    assert _at(curves.pucker, phones[2]) > 0.35
    assert _at(plain_curves.pucker, plain[2]) < 0.01


def test_the_mouth_is_shut_and_still_in_a_pause() -> None:
    phones, curves = _curves("B AA B IY")
    assert _at(curves.opening_mm, phones[0]) < 0.02
    assert float(curves.opening_mm[: int(0.3 * GRID_HZ)].max()) < 0.05
    assert _at(curves.activity, phones[0]) < 0.01


def test_fast_speech_undershoots() -> None:
    slow, fast = _phones("T AA T", 0.16), _phones("T AA T", 0.05)
    widest = [_gains().openings_mm(_frames(p, "Even", fps=240)).max() for p in (slow, fast)]
    assert widest[1] < 0.85 * widest[0]


def test_styles_differ_and_seeds_vary_the_performance() -> None:
    phones = _phones("HH AA L OW M AA M AA")
    jaws = {name: float(_frames(phones, name)[:, 0].max()) for name in STYLES}
    assert jaws["Broad"] > 1.5 * jaws["Soft"]
    assert np.array_equal(_frames(phones, "Even", 1), _frames(phones, "Even", 1))
    assert np.abs(_frames(phones, "Even", 1) - _frames(phones, "Even", 2)).max() > 0.01


def test_weights_are_finite_within_bounds_and_one_row_a_frame() -> None:
    phones = _phones("P AA M UW F IY", pause_s=0.51)
    weights = _frames(phones, "Broad")
    assert weights.shape == (int(np.ceil(phones[-1].end_s * 30)), len(_SHAPES))
    assert weights.min() >= 0.0 and weights.max() <= 1.0


def test_blinks_close_the_lids_fully_two_to_five_seconds_apart() -> None:
    weights = _frames([Phone(SILENCE, 0.0, 60.0)], "Even", fps=120)
    lids = weights[:, _SHAPES.index("eyeBlink_L")]
    shut = np.flatnonzero((lids[1:] > 0.99) & (lids[:-1] <= 0.99)) / 120
    assert 12 <= len(shut) <= 30
    assert np.diff(shut).min() > 1.9 and np.diff(shut).max() < 5.1


def test_a_bump_is_one_inside_and_nothing_beyond_its_flanks() -> None:
    times_s = np.array([0.0, 0.9, 0.95, 1.0, 1.2, 1.25, 1.3, 2.0])
    heights = bump(times_s, 1.0, 1.2, 0.1, 0.1)
    assert heights == pytest.approx([0.0, 0.0, 0.5, 1.0, 1.0, 0.5, 0.0, 0.0])


def test_an_unknown_style_is_named_with_the_known_ones() -> None:
    with pytest.raises(UnknownStyleError, match=r"'Loud'.*Even"):
        styles.find("Loud")
