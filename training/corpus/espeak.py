"""Speech from espeak-ng, through its C library: the waveform and its phoneme events."""

import ctypes
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from training.corpus.errors import SynthesiserMissingError
from training.corpus.phones import SILENCE, VOWELS, Phone, from_ipa
from training.corpus.speech import Speech, speech

# Its phoneme events come about 15 ms after the sound changes (measured against energy).
LABEL_SHIFT_S = -0.015

_SYNCHRONOUS = 2
_PHONEME_EVENTS, _PHONEME_IPA = 1, 2
_UTF8 = 1
_EVENT_END, _EVENT_WORD, _EVENT_PHONEME = 0, 1, 7
_RATE, _PITCH, _RANGE = 1, 3, 4


_STOPS = frozenset({"P", "B", "T", "D", "K", "G", "CH", "JH"})
_LONGEST_CLOSURE_S = 0.09
_QUIET = 60  # of 32768


class _Id(ctypes.Union):
    _fields_ = (
        ("number", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("string", ctypes.c_char * 8),
    )


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("milliseconds", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user", ctypes.c_void_p),
        ("id", _Id),
    )


@dataclass(frozen=True)
class _Mark:
    """One event kept: a phoneme's IPA, or a word's beginning (symbol None), at a sample."""

    sample: int
    symbol: str | None


class _Engine:
    """The library, initialised once a process, and what its callback has collected."""

    def __init__(self) -> None:
        try:
            self.library = ctypes.CDLL("libespeak-ng.so.1")
        except OSError as error:
            raise SynthesiserMissingError("espeak-ng", "espeak-ng") from error
        self.rate_hz = int(
            self.library.espeak_Initialize(_SYNCHRONOUS, 0, None, _PHONEME_EVENTS | _PHONEME_IPA)
        )
        self.chunks: list[npt.NDArray[np.int16]] = []
        self.marks: list[_Mark] = []
        kind = ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
        )
        self._callback = kind(self._collect)  # kept: the library holds only its address
        self.library.espeak_SetSynthCallback(self._callback)

    def _collect(self, samples: Any, count: int, events: Any) -> int:
        """Take one block of samples and its events; 0 asks for more."""
        if count > 0:
            self.chunks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        index = 0
        while events[index].type != _EVENT_END:
            event = events[index]
            if event.type == _EVENT_PHONEME:
                self.marks.append(_Mark(event.sample, event.id.string.decode("utf-8", "ignore")))
            elif event.type == _EVENT_WORD:
                self.marks.append(_Mark(event.sample, None))
            index += 1
        return 0


@cache
def _engine() -> _Engine:
    return _Engine()


def speak(
    text: str, voice: str, words_per_minute: int = 165, pitch: int = 50, pitch_range: int = 50
) -> Speech:
    """Speak text with a voice file's name ("gmw/en-US+f2"); pitch and range are 0 to 100.

    Raises SynthesiserMissingError when the library or the voice is not installed.
    """
    engine = _engine()
    # By language code ("en-gb") the call fails where the voice's path ("gmw/en") works.
    if engine.library.espeak_SetVoiceByName(voice.encode()) != 0:
        raise SynthesiserMissingError(f"espeak-ng voice {voice}", "espeak-ng")
    for parameter, value in ((_RATE, words_per_minute), (_PITCH, pitch), (_RANGE, pitch_range)):
        engine.library.espeak_SetParameter(parameter, value, 0)
    engine.chunks.clear()
    engine.marks.clear()
    spoken = text.encode()
    engine.library.espeak_Synth(spoken, len(spoken) + 1, 0, 0, 0, _UTF8, None, None)
    engine.library.espeak_Synchronize()
    pcm = np.concatenate(engine.chunks)
    phones = _with_closures(_phones(engine, len(pcm)), pcm, engine.rate_hz)
    return speech(pcm, engine.rate_hz, phones, LABEL_SHIFT_S)


def _phones(engine: _Engine, samples: int) -> list[Phone]:
    """Phones from the marks: each lasts to the next phoneme; compound symbols share the time."""
    phones: list[Phone] = []
    sounds = [mark for mark in engine.marks if mark.symbol is not None]
    sounds = [m for m, n in zip(sounds, [*sounds[1:], None], strict=True) if _sounds(m, n, engine)]
    ends = [mark.sample for mark in sounds[1:]] + [samples]
    word_starts = sorted(mark.sample for mark in engine.marks if mark.symbol is None)
    stressed_word = -1
    for mark, end in zip(sounds, ends, strict=True):
        word = int(np.searchsorted(word_starts, mark.sample, side="right"))
        for phone in _split(mark, end, engine.rate_hz):
            stress = int(word != stressed_word and phone.name in VOWELS and phone.name != "AH")
            stressed_word = word if stress else stressed_word
            phones.append(Phone(phone.name, phone.start_s, phone.end_s, stress))
    return phones


def _sounds(mark: _Mark, following: _Mark | None, engine: _Engine) -> bool:
    """Whether a mark is more than a break of under 50 ms between two sounds of one breath."""
    symbol = mark.symbol or ""
    named = bool(from_ipa(symbol)) and not symbol.startswith("(")
    return named or following is None or following.sample - mark.sample > 0.05 * engine.rate_hz


def _with_closures(phones: list[Phone], pcm: npt.NDArray[np.int16], rate_hz: int) -> list[Phone]:
    """Give stops the silence before their burst, which espeak counts to the phone before."""
    quiet = np.abs(pcm.astype(np.int32)) < _QUIET
    for index in range(1, len(phones)):
        before, stop = phones[index - 1], phones[index]
        if stop.name not in _STOPS:
            continue
        earliest_s = max(stop.start_s - _LONGEST_CLOSURE_S, before.end_s - _most_taken_s(before))
        span = quiet[round(earliest_s * rate_hz) : round(stop.start_s * rate_hz)]
        silent = len(span) if span.all() else int(np.argmin(span[::-1]))
        start_s = stop.start_s - silent / rate_hz
        phones[index - 1] = replace(before, end_s=start_s)
        phones[index] = replace(stop, start_s=start_s)
    return phones


def _most_taken_s(before: Phone) -> float:
    """How much of the phone before a stop may have been its closure."""
    return (0.9 if before.name == SILENCE else 0.5) * (before.end_s - before.start_s)


def _split(mark: _Mark, end: int, rate_hz: int) -> list[Phone]:
    """The phones of one mark; "(en)" marks a change of language and sounds like nothing."""
    symbol = mark.symbol or ""
    names = () if symbol.startswith("(") else from_ipa(symbol)
    edges = np.linspace(mark.sample, end, max(len(names), 1) + 1) / rate_hz
    return [
        Phone(name, float(edges[i]), float(edges[i + 1]))
        for i, name in enumerate(names or (SILENCE,))
    ]
