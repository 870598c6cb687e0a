"""What many tests share: the tiny pack, a way to make others, and a made-up voice."""

import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

TINY_PACK = Path(__file__).parent / "data" / "tiny_pack"


@pytest.fixture
def tiny_pack() -> Path:
    """The committed pack of 42 vertices; read it, never change it."""
    return TINY_PACK


@pytest.fixture
def write_wav(tmp_path: Path) -> Callable[..., Path]:
    """write_wav(samples (N,) in [-1, 1], rate_hz=16000, name="voice.wav") -> path, 16 bit mono."""

    def write(samples: np.ndarray, rate_hz: int = 16000, name: str = "voice.wav") -> Path:
        path = tmp_path / name
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate_hz)
            file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
        return path

    return write


@pytest.fixture
def voice() -> np.ndarray:
    """1.5 s at 16 kHz: a 200 Hz tone, half a second of silence, the tone again."""
    time_s = np.arange(24000) / 16000
    loud = (time_s < 0.5) | (time_s >= 1.0)
    return (0.5 * np.sin(2 * np.pi * 200 * time_s) * loud).astype(np.float32)
