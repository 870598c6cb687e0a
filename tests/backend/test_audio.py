import os

import numpy as np
import pytest
import soundfile

from backend import audio, errors
from backend.audio import Span


def tone(seconds=1.0, rate_hz=16000, frequency_hz=440.0, level=0.5):
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    return level * np.sin(2 * np.pi * frequency_hz * time_s)


def saved(path, samples, rate_hz=16000, **options):
    soundfile.write(os.fspath(path), samples, rate_hz, **options)
    return path


def refusal(path, **options):
    with pytest.raises(errors.SoliloquyError) as caught:
        audio.load(path, **options)
    assert "\n" not in str(caught.value)
    return caught.value.code


def frequency_hz(samples, rate_hz=16000):
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return spectrum.argmax() * rate_hz / len(samples)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3"])
def test_each_format_gives_the_same_tone_at_16_khz_mono(tmp_path, name):
    stereo = np.stack([tone(rate_hz=44100)] * 2, axis=1)
    sound = audio.load(saved(tmp_path / name, stereo, 44100))
    assert sound.rate_hz == 16000 and sound.samples.dtype == np.float32
    assert sound.seconds == pytest.approx(1.0, abs=0.06)
    assert len(sound.samples) == pytest.approx(sound.seconds * 16000, abs=1)
    assert frequency_hz(sound.samples) == pytest.approx(440, abs=2)
    assert np.abs(sound.samples).max() == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("rate_hz", [8000, 11025, 22050, 48000, 96000, 192000])
def test_each_rate_keeps_the_length_to_the_sample(tmp_path, rate_hz):
    sound = audio.load(saved(tmp_path / "a.wav", tone(1.2, rate_hz), rate_hz))
    assert sound.seconds == 1.2
    assert len(sound.samples) == pytest.approx(19200, abs=1)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW"])
def test_each_sample_format_of_wav_is_read(tmp_path, subtype):
    sound = audio.load(saved(tmp_path / "a.wav", tone(), subtype=subtype))
    assert np.abs(sound.samples - tone()).max() < 0.03


def test_channels_are_averaged(tmp_path):
    left_only = np.stack([tone(), np.zeros(16000)], axis=1)
    sound = audio.load(saved(tmp_path / "a.wav", left_only))
    np.testing.assert_allclose(sound.samples, 0.5 * tone(), atol=1e-4)


def test_a_16_khz_mono_file_passes_through_untouched(tmp_path):
    path = saved(tmp_path / "a.wav", tone().astype(np.float32), subtype="FLOAT")
    np.testing.assert_array_equal(audio.load(path).samples, tone().astype(np.float32))


def test_blocks_join_without_a_seam(tmp_path):
    sound = audio.load(saved(tmp_path / "a.wav", tone(25.0, 22050), 22050))
    np.testing.assert_allclose(sound.samples[100:-100], tone(25.0)[100:-100], atol=2e-3)


def test_a_span_takes_its_part_of_the_file(tmp_path):
    samples = np.concatenate([tone(), tone(frequency_hz=880)])
    sound = audio.load(saved(tmp_path / "a.wav", samples), span=Span(1.0, 0.5))
    assert sound.seconds == 0.5 and frequency_hz(sound.samples) == pytest.approx(880, abs=2)


def test_a_span_longer_than_the_file_ends_with_the_file(tmp_path):
    sound = audio.load(saved(tmp_path / "a.wav", tone()), span=Span(0.25, 100.0))
    assert sound.seconds == 0.75


def test_double_speed_halves_the_time_and_raises_the_pitch(tmp_path):
    sound = audio.load(saved(tmp_path / "a.wav", tone()), span=Span(speed=2.0))
    assert sound.seconds == 0.5 and len(sound.samples) == pytest.approx(8000, abs=1)
    assert frequency_hz(sound.samples) == pytest.approx(880, abs=4)


def test_volume_scales_and_never_leaves_the_range(tmp_path):
    path = saved(tmp_path / "a.wav", tone())
    half, loud = (audio.load(path, span=Span(volume=volume)).samples for volume in (0.5, 9.0))
    assert np.abs(half).max() == pytest.approx(0.25, abs=1e-3) and np.abs(loud).max() == 1.0


@pytest.mark.parametrize("span", [
    Span(start_s=2.0), Span(start_s=-1.0), Span(duration_s=0.0), Span(speed=0.0), Span(speed=50.0),
    Span(volume=-1.0), Span(start_s=float("nan"))])
def test_an_impossible_span_is_refused(tmp_path, span):
    assert refusal(saved(tmp_path / "a.wav", tone()), span=span) == "bad_span"


@pytest.mark.parametrize(("span", "what"), [
    (Span(duration_s=0.0), "lasts 0 s, which is no sample of it. Choose a longer part."),
    (Span(start_s=5.0), "from 5 s is outside"),
    (Span(duration_s=-2.0), "duration is -2. Choose 0 seconds or more."),
    (Span(duration_s=float("inf")), "duration is inf."),
    (Span(speed=0.0), "speed is 0. It must lie within 0.1 and 10."),
    (Span(start_s=-1.0), "start is -1. Choose 0 seconds or more.")])
def test_a_refusal_says_what_is_wrong_with_the_span(tmp_path, span, what):
    with pytest.raises(errors.RequestError) as caught:
        audio.load(saved(tmp_path / "a.wav", tone()), span=span)
    assert what in str(caught.value)


def test_a_start_that_is_negative_by_rounding_is_the_beginning(tmp_path):
    assert audio.load(saved(tmp_path / "a.wav", tone()), span=Span(start_s=-5e-17)).seconds == 1.0


def test_surround_sound_is_heard_from_whichever_channel_speaks(tmp_path):
    six = np.zeros((48000, 6))
    six[:, 2] = tone(rate_hz=48000)
    sound = audio.load(saved(tmp_path / "a.wav", six, 48000, subtype="PCM_24"))
    assert frequency_hz(sound.samples) == pytest.approx(440, abs=2)
    assert np.abs(sound.samples).max() == pytest.approx(0.5 / 6, abs=5e-3)


@pytest.mark.parametrize("name", ["été 日本.wav", "with space.flac"])
def test_any_file_name_is_read(tmp_path, name):
    assert audio.load(saved(tmp_path / name, tone())).seconds == 1.0


@pytest.mark.parametrize(("content", "name", "code"), [
    (b"", "a.wav", "audio_empty"),
    (b"hello " * 500, "a.wav", "audio_unknown"),
    (b"hello " * 500, "a.mp3", "audio_unknown"),
    (bytes(4000), "a.mp3", "audio_unknown"),
    (b"RIFF" + bytes(400), "a.wav", "audio_damaged"),
    (b"OggS" + bytes(400), "a.ogg", "audio_damaged"),
])
def test_what_is_no_audio_is_refused(tmp_path, content, name, code):
    (tmp_path / name).write_bytes(content)
    assert refusal(tmp_path / name) == code


def test_a_header_without_samples_is_empty(tmp_path):
    assert refusal(saved(tmp_path / "a.wav", np.zeros(0))) == "audio_empty"


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    assert refusal(tmp_path / "none.wav") == refusal(tmp_path) == "audio_missing"
    assert refusal(tmp_path / "a\0b.wav") == "audio_missing"


def test_half_a_flac_file_is_damaged(tmp_path):
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 48000)
    content = saved(tmp_path / "a.flac", noise).read_bytes()
    (tmp_path / "a.flac").write_bytes(content[:len(content) // 2])
    assert refusal(tmp_path / "a.flac") == "audio_damaged"


@pytest.mark.parametrize("options", [{}, {"subtype": "FLOAT"}, {"subtype": "IMA_ADPCM"},
                                     {"endian": "BIG"}, {"format": "WAVEX"}])
def test_half_a_wav_file_is_damaged_but_its_first_part_is_heard(tmp_path, options):
    path = saved(tmp_path / "half.wav", tone(4), **options)
    content = path.read_bytes()
    path.write_bytes(content[:len(content) // 2])
    with pytest.raises(errors.AudioError, match=r"breaks off after (1\.9|2\.0). s of 4\.0. s"):
        audio.load(path)
    assert refusal(path, span=Span(3.0, 0.5)) == "audio_damaged"
    assert audio.load(path, span=Span(0.5, 1.0)).seconds == 1.0


@pytest.mark.parametrize("told", [0, 2**31 - 1, 2**31, 2**32 - 1, 2 * 16000 + 1000])
def test_a_wav_from_a_pipe_or_of_a_careless_program_is_heard_to_its_end(tmp_path, told):
    path = saved(tmp_path / "pipe.wav", tone())
    content = bytearray(path.read_bytes())
    at = content.index(b"data") + 4
    content[at:at + 4] = told.to_bytes(4, "little")
    content[4:8] = (36 + told if 0 < told < 2**31 else 8).to_bytes(4, "little")
    path.write_bytes(content)
    assert audio.load(path).seconds == 1.0


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_no_numbers_are_refused(tmp_path, value):
    samples = tone()
    samples[8000] = value
    path = saved(tmp_path / "a.wav", samples, subtype="FLOAT")
    assert refusal(path) == "audio_not_finite"


@pytest.mark.parametrize(("level", "silent"), [(0.0, True), (0.0009, True), (0.0012, False)])
def test_only_what_is_silent_throughout_is_refused(tmp_path, level, silent):
    path = saved(tmp_path / "a.wav", tone(level=level), subtype="FLOAT")
    if silent:
        assert refusal(path) == "audio_silent"
    else:
        assert audio.load(path).seconds == 1.0


def test_a_long_pause_with_one_word_is_no_silence(tmp_path):
    samples = np.concatenate([np.zeros(160000), tone(0.2), np.zeros(160000)])
    assert audio.load(saved(tmp_path / "a.wav", samples)).seconds == pytest.approx(20.2)


def test_one_sample_is_a_sound(tmp_path):
    assert len(audio.load(saved(tmp_path / "a.wav", np.full(1, 0.5))).samples) == 1


def test_reading_can_be_stopped_between_blocks(tmp_path):
    path, seen = saved(tmp_path / "a.wav", tone(35.0, 8000), 8000), []

    def on_block(done, total):
        seen.append((done, total))
        if len(seen) == 2:
            raise errors.Cancelled

    with pytest.raises(errors.Cancelled):
        audio.load(path, on_block=on_block)
    assert seen == [(80000, 280000), (160000, 280000)]
