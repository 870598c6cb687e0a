"""The demo's line and what its strip of pictures shows."""

import sys
import wave
from pathlib import Path

import pytest

DEMO = Path(__file__).resolve().parent.parent / "demo"


@pytest.fixture
def film(monkeypatch):
    pytest.importorskip("bpy")
    monkeypatch.syspath_prepend(DEMO)
    yield pytest.importorskip("film")
    del sys.modules["film"]


def test_the_phones_end_with_the_line():
    with wave.open(str(DEMO / "line.wav")) as sound:
        seconds = sound.getnframes() / sound.getframerate()
    last_end_s = float((DEMO / "line.phones").read_text().split()[-2])
    assert abs(seconds - last_end_s) < 0.05


def test_the_strip_shows_the_line_in_its_order(film):
    times = [time_s for _, time_s in film.moments(DEMO / "line.phones")]
    assert len(times) == 8 and times == sorted(times)


def test_the_strip_begins_in_the_pause_before_the_first_word(film):
    assert film.moments(DEMO / "line.phones")[0] == ("rest", pytest.approx(0.35 * 0.217))
