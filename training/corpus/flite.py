"""Speech from flite, through its C library: the waveform, phone times and lexical stress."""

import ctypes
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from training.corpus.errors import SynthesiserMissingError
from training.corpus.phones import VOWELS, Phone, from_flite
from training.corpus.speech import Speech, speech

# `kal` writes 8 kHz; `kal16` is the same speaker at 16 kHz.
VOICES = ("slt", "rms", "awb", "kal16")
LABEL_SHIFT_S = 0.0


class _Wave(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_char_p),
        ("rate_hz", ctypes.c_int),
        ("count", ctypes.c_int),
        ("channels", ctypes.c_int),
        ("samples", ctypes.POINTER(ctypes.c_short)),
    )


class _Voice(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char_p), ("features", ctypes.c_void_p))


@cache
def _library() -> ctypes.CDLL:
    """The flite library with its American English, initialised once a process."""
    try:
        flite = ctypes.CDLL("libflite.so.1", mode=ctypes.RTLD_GLOBAL)
        for name in ("libflite_usenglish.so.1", "libflite_cmulex.so.1"):
            ctypes.CDLL(name, mode=ctypes.RTLD_GLOBAL)
    except OSError as error:
        raise SynthesiserMissingError("flite", "flite") from error
    _declare(flite)
    flite.flite_init()
    return flite


def _declare(flite: ctypes.CDLL) -> None:
    """Tell ctypes the signatures, since pointers do not fit its default int."""
    pointer, text = ctypes.c_void_p, ctypes.c_char_p
    for name, result, arguments in (
        ("flite_synth_text", pointer, [text, pointer]),
        ("utt_wave", ctypes.POINTER(_Wave), [pointer]),
        ("utt_relation", pointer, [pointer, text]),
        ("relation_head", pointer, [pointer]),
        ("item_next", pointer, [pointer]),
        ("ffeature_string", text, [pointer, text]),
        ("item_feat_float", ctypes.c_float, [pointer, text]),
        ("feat_set_float", None, [pointer, text, ctypes.c_float]),
        ("feat_remove", ctypes.c_int, [pointer, text]),
        ("delete_utterance", None, [pointer]),
    ):
        function = getattr(flite, name)
        function.restype, function.argtypes = result, arguments


@cache
def _voice(name: str) -> Any:
    """A registered voice (pointer to cst_voice)."""
    flite = _library()
    try:
        library = ctypes.CDLL(f"libflite_cmu_us_{name}.so.1", mode=ctypes.RTLD_GLOBAL)
    except OSError as error:
        raise SynthesiserMissingError(f"flite voice {name}", "flite") from error
    register = getattr(library, f"register_cmu_us_{name}")
    register.restype, register.argtypes = ctypes.POINTER(_Voice), [ctypes.c_char_p]
    voice = register(None)
    assert flite is not None
    return voice


def speak(
    text: str, voice: str, stretch: float = 1.0, pitch: float = 1.0, spread: float = 1.0
) -> Speech:
    """Speak text; `stretch` multiplies durations, `pitch` the mean fundamental frequency.

    `spread` multiplies that frequency's standard deviation, except for kal16; 1 leaves it alone.

    Raises SynthesiserMissingError when the library or the voice is not installed.
    """
    flite, handle = _library(), _voice(voice)
    features = handle.contents.features
    flite.feat_set_float(features, b"duration_stretch", stretch)
    flite.feat_set_float(features, b"int_f0_target_mean", _MEAN_F0_HZ[voice] * pitch)
    if spread != 1.0 and voice in _DEVIATION_HZ:
        flite.feat_set_float(features, _RANGE, _DEVIATION_HZ[voice] * spread)
    utterance = flite.flite_synth_text(text.encode(), ctypes.cast(handle, ctypes.c_void_p))
    try:
        wave = flite.utt_wave(utterance).contents
        pcm = np.ctypeslib.as_array(wave.samples, (wave.count,)).copy()
        return speech(pcm, wave.rate_hz, list(_phones(flite, utterance)), LABEL_SHIFT_S)
    finally:
        flite.delete_utterance(utterance)
        flite.feat_remove(features, _RANGE)


_RANGE = b"int_f0_target_stddev"
# kal16 breaks into falsetto when its deviation is set.
_DEVIATION_HZ = {"slt": 20.0, "rms": 14.0, "awb": 16.0}
_MEAN_F0_HZ = {"slt": 170.0, "rms": 105.0, "awb": 128.0, "kal16": 105.0}


def _phones(flite: ctypes.CDLL, utterance: int) -> Iterator[Phone]:
    """The segments of an utterance; the syllable's stress falls on its vowel."""
    item = flite.relation_head(flite.utt_relation(utterance, b"Segment"))
    start_s = 0.0
    while item:
        name = from_flite(flite.ffeature_string(item, b"name").decode())
        end_s = float(flite.item_feat_float(item, b"end"))
        stressed = flite.ffeature_string(item, b"R:SylStructure.parent.stress") == b"1"
        yield Phone(name, start_s, end_s, int(stressed and name in VOWELS))
        start_s, item = end_s, flite.item_next(item)
