"""Phones of a recording whose words are known: forced alignment by PocketSphinx.

Its wheel carries an acoustic model and a dictionary of American English; words that it lacks are
pronounced by espeak-ng. A recording that does not say its text is refused, not bent to it.
"""

import re
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from backend.errors import SoliloquyError
from training.corpus import espeak
from training.corpus.phones import PHONE_INDEX, SILENCE, VOWELS, Phone, shifted, tidy
from training.corpus.speech import SAMPLE_RATE_HZ

# PocketSphinx' frames.
_FRAME_S = 0.01
# A phone is at least three frames; a text that is not spoken there collapses to that.
_SHORTEST_FRAMES, _MOST_COLLAPSED = 3, 0.35
_LONGEST_PHONE_S = 0.6
_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)*")
# Wider beams than PocketSphinx' own find words said badly, but can lose themselves in phones.
_BEAMS: tuple[dict[str, float], ...] = ({"beam": 1e-60, "wbeam": 1e-40, "pbeam": 1e-60}, {})
# Silence laid before and after: speech that starts at once finds no beginning.
PAD_S = 0.2


class UnalignedError(SoliloquyError):
    """A recording that does not say its text, or says it unclearly."""

    def __init__(self, why: str) -> None:
        super().__init__("unaligned", why, "check the transcript, or leave the recording out")


class _Sound(NamedTuple):
    """One entry of an alignment, in frames."""

    name: str
    start: int
    frames: int
    first_of_word: bool


def align(samples: npt.NDArray[np.float32], text: str) -> list[Phone]:
    """Phones that tile samples (N,) at 16 kHz; raises UnalignedError."""
    words = _WORD.findall(text.lower().replace("\u2019", "'"))
    if not words:
        raise UnalignedError("its transcript has no words")
    sounds = _heard(words, np.pad(samples, round(PAD_S * SAMPLE_RATE_HZ)))
    _check(sounds)
    return tidy(shifted(_phones(sounds), -PAD_S), len(samples) / SAMPLE_RATE_HZ)


def _heard(words: list[str], samples: npt.NDArray[np.float32]) -> list[_Sound]:
    """The alignment by the first beams that find one; raises UnalignedError."""
    for beams in _BEAMS:
        # A decoder of its own: one that has failed is of no more use.
        model = decoder(beams)
        for word in dict.fromkeys(words):
            _learn(model, word)
        try:
            return _decoded(model, samples, " ".join(words))
        except UnalignedError as error:
            failed = error
    raise failed


def decoder(beams: dict[str, float] | None) -> Any:
    """PocketSphinx with its model of American English, for alignment with these beams.

    Without beams it hears words freely. Raises SoliloquyError where it is not installed.
    """
    try:
        import pocketsphinx
    except ImportError as error:
        raise SoliloquyError(
            "aligner_missing", "PocketSphinx is not installed", "pip install pocketsphinx"
        ) from error
    if beams is None:
        return pocketsphinx.Decoder(loglevel="FATAL")
    return pocketsphinx.Decoder(lm=None, loglevel="FATAL", **beams)


def _learn(model: Any, word: str) -> None:
    """Teach the decoder a word that its dictionary lacks."""
    if model.lookup_word(word) is not None:
        return
    spoken = espeak.speak(word, "gmw/en-US").phones
    names = [phone.name for phone in spoken if phone.name != SILENCE]
    if not names:
        raise UnalignedError(f"nobody knows how to say {word!r}")
    model.add_word(word, " ".join(names), True)


def _decoded(model: Any, samples: npt.NDArray[np.float32], text: str) -> list[_Sound]:
    """Two passes: words first, then the phones in them."""
    try:
        model.set_align_text(text)
        listen(model, samples)
        if model.hyp() is None:
            raise UnalignedError("its words were not found in the sound")
        model.set_alignment()
        listen(model, samples)
    except RuntimeError as error:
        raise UnalignedError(f"its words were not found in the sound ({error})") from error
    # Words and phones are views that the next step of the iteration frees: copied at once.
    return [
        _Sound(phone.name, phone.start, phone.duration, index == 0)
        for word in model.get_alignment() or ()
        for index, phone in enumerate(word)
    ]


def listen(model: Any, samples: npt.NDArray[np.float32]) -> None:
    """Let PocketSphinx hear samples (N,) at 16 kHz as one utterance."""
    pcm = (np.clip(samples, -1.0, 1.0) * 32767).astype("<i2").tobytes()
    model.start_utt()
    model.process_raw(pcm, full_utt=True)
    model.end_utt()


def _check(sounds: list[_Sound]) -> None:
    """Raise UnalignedError where the alignment shows that other words were said."""
    said = [s for s in sounds if s.name in PHONE_INDEX and s.name != SILENCE]
    if not said:
        raise UnalignedError("nothing was aligned")
    collapsed = sum(sound.frames <= _SHORTEST_FRAMES for sound in said) / len(said)
    if collapsed > _MOST_COLLAPSED:
        raise UnalignedError(f"{collapsed:.0%} of its phones have no room in the sound")
    longest = max(said, key=lambda sound: sound.frames)
    if longest.frames * _FRAME_S > _LONGEST_PHONE_S:
        raise UnalignedError(
            f"a {longest.name} of {longest.frames * _FRAME_S:.2f} s at "
            f"{longest.start * _FRAME_S:.1f} s: words are missing from the transcript"
        )


def _phones(sounds: list[_Sound]) -> list[Phone]:
    """Phones in seconds; the first full vowel of a word is taken to be stressed."""
    phones, awaiting = [], False
    for sound in sounds:
        awaiting = awaiting or sound.first_of_word
        name = sound.name if sound.name in PHONE_INDEX else SILENCE
        stressed = awaiting and name in VOWELS and name != "AH"
        awaiting = awaiting and not stressed
        start_s = sound.start * _FRAME_S
        phones.append(Phone(name, start_s, start_s + sound.frames * _FRAME_S, int(stressed)))
    return phones
