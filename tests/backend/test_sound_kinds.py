"""Which files go to the worker as they are, and which through Blender's mix."""

import numpy as np
import pytest
import soundfile

from backend import audio, sound_kinds


def start_of(path):
    return path.read_bytes()[:sound_kinds.START_BYTES]


@pytest.mark.parametrize(("suffix", "more"), [
    ("wav", {}), ("wav", {"format": "RF64"}), ("w64", {}), ("flac", {}), ("ogg", {}),
    ("ogg", {"subtype": "OPUS"}), ("mp3", {}), ("aiff", {}), ("au", {}), ("caf", {})])
def test_what_is_read_the_worker_reads(tmp_path, suffix, more):
    path = tmp_path / f"voice.{suffix}"
    soundfile.write(path, 0.5 * np.sin(np.arange(48000) / 20), 48000, **more)
    assert sound_kinds.is_read(start_of(path))
    assert audio.load(path).seconds == pytest.approx(1.0, abs=0.06)


@pytest.mark.parametrize("start", [
    b"\0\0\0\x20ftypisom", b"\x1aE\xdf\xa3\x01\0\0\0\0\0\0\x23", b"RIFF\x24\0\0\0AVI LIST",
    b"\xff\xf1\x50\x80\x2e\x7f\xfc", b"OggS\0\x02" + 22 * b"\0" + b"\x80theora",
    b"FORM\0\0\0\0ILBM", b"", b"\xff"])
def test_films_and_aac_are_not_read(start):
    assert not sound_kinds.is_read(start)


def test_whatever_the_worker_calls_no_sound_file_is_not_read(tmp_path):
    path = tmp_path / "film.mp4"
    path.write_bytes(b"\0\0\0\x20ftypisom")
    with pytest.raises(audio.AudioError, match="is no sound file"):
        audio.load(path)
    assert not sound_kinds.is_read(start_of(path))
