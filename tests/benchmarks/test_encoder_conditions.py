"""The parts of the encoder's benchmark that are arithmetic."""

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import conditions, hearing, languages, quality, resampled, rest, tables
from benchmarks.hearing import Ear
from benchmarks.rest import Range
from benchmarks.voices import Voice
from training import lipsync
from training.config import EncoderConfig
from training.corpus.phones import PHONE_INDEX, VISEMES, Phone
from training.encoder import CompactEncoder


def tone(hz: float, seconds: float = 1.0, loud: float = 0.3) -> np.ndarray:
    time_s = np.arange(round(16000 * seconds)) / 16000
    return (loud * np.sin(2 * np.pi * hz * time_s)).astype(np.float32)


@pytest.mark.parametrize("ratio_db", [20, 10, 5])
@pytest.mark.parametrize("kind", ["white noise", "babble"])
def test_noise_is_as_far_below_the_voice_as_its_name_says(kind: str, ratio_db: int) -> None:
    voice, others = tone(300, 2.0), [tone(120 + 70 * k, 0.5 + 0.3 * k) for k in range(8)]
    spoiled = conditions.conditions(others)[f"{kind} {ratio_db} dB"](voice)
    ratio = conditions.power(voice) / conditions.power(spoiled - voice)
    assert 10 * np.log10(ratio) == pytest.approx(ratio_db, abs=1e-3)


def test_babble_is_six_equally_loud_voices() -> None:
    rng = np.random.default_rng(5)
    loudness = (0.01, 0.1, 1.0, 0.5, 0.2, 0.05)
    voices = [(loud * rng.standard_normal(16000)).astype(np.float32) for loud in loudness]
    assert conditions.power(conditions.babble(voices, 32000)) == pytest.approx(6.0, rel=0.03)


def test_the_telephones_band_kills_what_is_outside_it() -> None:
    for hz, left in ((100, 0.0), (1000, 1.0), (5000, 0.0)):
        middle = conditions.in_band(tone(hz))[4000:12000]
        assert conditions.power(middle) / 0.045 == pytest.approx(left, abs=1e-3)


def test_a_telephone_call_holds_nothing_above_4_khz_and_is_not_late() -> None:
    noise = 0.1 * conditions.white(16000)
    heard = conditions.telephone(noise)
    above = np.abs(np.fft.rfft(heard))[4200:] ** 2
    assert above.sum() / np.sum(np.abs(np.fft.rfft(heard)) ** 2) < 1e-5
    match = np.correlate(heard[100:-100], noise, "valid")
    assert len(heard) == 16000 and np.argmax(match) == len(match) // 2


def test_the_mu_law_keeps_a_quiet_sound_to_five_percent() -> None:
    loud = np.array([0.0, 0.01, -0.1, 0.9, 1.0], np.float32)
    np.testing.assert_allclose(conditions.by_mu_law(loud), loud, rtol=0.05)


def test_the_room_doubles_the_power_and_moves_nothing() -> None:
    click = np.zeros(16000, np.float32)
    click[1000] = 1.0
    heard = conditions.reverberant(click)
    assert np.abs(heard[:1000]).max() < 1e-6
    assert conditions.power(heard) / conditions.power(0.5 * click) == pytest.approx(2.0, rel=0.05)


def test_30_db_less_in_16_bit_steps() -> None:
    heard = conditions.quieter(tone(300)) * 32768
    np.testing.assert_allclose(heard, np.round(heard))
    assert conditions.power(heard / 32768) / conditions.power(tone(300)) == pytest.approx(
        1e-3, rel=0.01
    )


def test_music_has_the_chords_root_at_its_strongest() -> None:
    hz = np.argmax(np.abs(np.fft.rfft(conditions.music(16000))))
    assert hz in (131, 165, 196, 262)
    np.testing.assert_array_equal(conditions.music(128000)[:64000], conditions.music(64000))


def test_the_fixed_map_shuts_on_bilabials_and_opens_on_open_vowels() -> None:
    names = list(VISEMES)
    weights = dict(zip(names, hearing.VISEME_OPENINGS, strict=True))
    assert weights["silence"] == weights["bilabial"] == 0.0
    assert weights["labiodental"] == pytest.approx(0.12)
    assert max(weights, key=lambda name: weights[name]) == "open"
    assert hearing.PHONE_OPENINGS[PHONE_INDEX["AA"]] == pytest.approx(1.0)


def test_the_aperture_is_the_visemes_mean_opening() -> None:
    visemes = np.zeros((2, len(VISEMES)))
    visemes[0, list(VISEMES).index("open")] = 1.0
    visemes[1, [list(VISEMES).index(name) for name in ("open", "bilabial")]] = 0.5
    heard = hearing.Heard(np.zeros((2, 40)), visemes, np.zeros(2), np.zeros(2))
    wide, half = hearing.aperture(heard)
    assert half == pytest.approx(wide / 2) and 0.5 < wide < 1.0


def test_an_ear_hears_fifty_frames_a_second_of_probabilities() -> None:
    torch.manual_seed(0)
    network = CompactEncoder(
        EncoderConfig(mel_bands=20, channels=16, dilations=(1, 2), features=8)
    ).eval()
    heard = Ear(network)(tone(200, 2.0))
    assert heard.visemes.shape == (100, 12) and heard.speech.shape == (100,)
    np.testing.assert_allclose(heard.phones.sum(axis=1), 1.0, atol=1e-6)


def test_an_ear_rests_where_nobody_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    ear = Ear(CompactEncoder(EncoderConfig(channels=16, dilations=(1,), features=8)).eval())
    loud = np.repeat([[1.0], [0.5]], [50, 50], axis=0)

    def heads(samples: np.ndarray) -> hearing.Heard:
        said = loud if samples.any() else np.zeros((100, 1))
        return hearing.Heard(said, said, said[:, 0], (said[:, 0] > 0.7).astype(float))

    monkeypatch.setattr(ear, "heads", heads)
    opening = ear(np.ones(32000, np.float32)).aperture
    assert opening[:50].min() == 1.0 and opening[50:55].min() == 0.5
    assert opening[55:].max() == 0.0


def test_rest_counts_the_frames_under_a_twentieth_of_the_range() -> None:
    spanned = Range(0.1, 0.5)
    opening = np.array([0.0, 0.1, 0.119, 0.121, 0.4])
    assert rest.share_at_rest(opening, spanned) == pytest.approx(0.6)
    assert np.isnan(rest.share_at_rest(np.zeros(0), spanned))


def test_sounds_at_rest_have_the_level_asked_for() -> None:
    for make in rest.SOUNDS.values():
        loud = rest.at_level(make(32000), -30)
        assert 10 * np.log10(conditions.power(loud)) == pytest.approx(-30.0, abs=1e-3)


def test_pink_noise_has_the_same_power_in_every_octave() -> None:
    power = np.abs(np.fft.rfft(rest.pink(1 << 18))) ** 2
    octaves = [power[round(hz * 16.384) : round(2 * hz * 16.384)].sum() for hz in (200, 800, 3200)]
    assert max(octaves) / min(octaves) < 1.15


def test_breaths_come_every_two_and_a_half_seconds() -> None:
    sound = rest.breath(16000 * 5)
    assert np.abs(sound[14400:39000]).max() == 0.0
    assert np.abs(sound[40000:52800]).max() > 0.0


def test_differences_of_curves_are_in_percent_of_the_range() -> None:
    one, other = np.array([0.2, 0.4, 0.6, 9.0]), np.array([0.2, 0.44, 0.6])
    found = resampled.difference(one, other, Range(0.1, 0.9))
    assert found.largest == pytest.approx(5.0) and found.mean == pytest.approx(5.0 / 3)


def test_a_tone_survives_a_stereo_file_at_another_rate(write_wav, tmp_path: Path) -> None:
    source = write_wav(tone(440), name="source.wav")
    heard = resampled.heard_from(source, resampled.Format(44100, 2), tmp_path / "scratch.wav")
    assert np.abs(heard[500:15500] - tone(440)[500:15500]).max() < 2e-4


def test_pauses_are_long_quiet_stretches_without_their_edges() -> None:
    level = np.ones(60)
    level[10:30] = 0.1
    level[40:48] = 0.1  # 160 ms: too short
    assert np.flatnonzero(languages.pauses(level)).tolist() == list(range(14, 26))


def test_levels_are_told_between_the_noise_and_the_loud_frames() -> None:
    sound = np.concatenate([tone(500, loud=0.3), tone(500, loud=0.003)])
    level = languages.relative(languages.levels_db(sound))
    assert len(level) == 100 and level[20] == pytest.approx(1.0) and level[80] == pytest.approx(0)
    assert languages.levels_db(sound)[20] == pytest.approx(10 * np.log10(0.045), abs=0.01)


def _scored(auc: float, corr: float, seconds: float, language: str = "en") -> quality.Scored:
    figures = dict.fromkeys(lipsync.Score.__dataclass_fields__, 0.0)
    score = lipsync.Score(**(figures | {"auc": auc, "corr": corr}))
    voice = Voice("a", np.zeros(round(16000 * seconds), np.float32), [], language=language)
    none = np.zeros(0)
    return quality.Scored(voice, lipsync.Heard(score, none, none, none), none, none)


def test_only_long_english_clips_can_fall_short() -> None:
    clips = [_scored(0.95, 0.8, 4.0), _scored(0.89, 0.8, 4.0), _scored(0.95, 0.69, 4.0),
             _scored(0.5, 0.5, 2.9), _scored(0.5, 0.5, 4.0, "de")]  # fmt: skip
    assert quality.shortfall(clips) == {"long": 3, "short": pytest.approx(2 / 3)}
    assert quality.shortfall(clips[3:]) == {"long": 0, "short": None}


def test_all_other_speech_is_held_against_the_middle_of_p_b_m() -> None:
    phones = [Phone("SIL", 0.0, 0.2), Phone("S", 0.2, 0.5), Phone("M", 0.5, 0.8)]
    voice = Voice("a", np.zeros(16000, np.float32), phones)
    opening = np.linspace(0.0, 1.0, 51)  # frame i at i / 50 s
    shut, other = quality._shut_and_other(opening, voice)
    assert (shut.min(), shut.max()) == pytest.approx((0.6, 0.695), abs=0.006)
    assert len(other) == 60 and other.max() == pytest.approx(0.495)


def test_cells_have_three_digits_or_one_and_nan_is_null(tmp_path: Path) -> None:
    section = tables.Section("a", "A", [{"x": 0.12345, "y": 43.21, "z": float("nan")}], "")
    assert "| 0.123 | 43.2 | - |" in tables.write([section], tmp_path, "b")
    assert '"z": null' in (tmp_path / "b.json").read_text()
