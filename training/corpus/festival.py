"""Speech from festival: one process a line, so that no state runs on from line to line."""

import re
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from training.corpus.errors import SynthesiserMissingError
from training.corpus.phones import VOWELS, Phone, from_flite
from training.corpus.speech import Speech, speech

VOICES = ("kal_diphone", "cmu_us_slt_arctic_hts")
# Its segments end about 8 ms before the sound changes (measured against energy).
LABEL_SHIFT_S = 0.008
_PACKAGES = {"kal_diphone": "festvox-kallpc16k", "cmu_us_slt_arctic_hts": "festvox-us-slt-hts"}
_LONGEST_S = 120.0
_ROW = re.compile(r"^PHONE (\S+) (\S+) (\S+)$", re.MULTILINE)
_SPEAK = """
(voice_{voice})
{prosody}
(set! u (Utterance Text "{text}"))
(utt.synth u)
(utt.save.wave u "{wav}" 'riff)
(mapcar (lambda (s) (format t "PHONE %s %f %s\\n" (item.name s) (item.feat s "end")
  (item.feat s "R:SylStructure.parent.stress"))) (utt.relation.items u 'Segment))
"""


def speak(
    text: str, voice: str, stretch: float = 1.0, semitones: float = 0.0, spread: float = 1.0
) -> Speech:
    """Speak text; `stretch` multiplies durations. Pitch: kal_diphone only, `spread` its range.

    Raises SynthesiserMissingError when festival or the voice is not installed.
    """
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "line.wav"
        prosody = _prosody(voice, stretch, semitones, spread)
        said = re.sub(r'[\\"]', " ", text)
        script = _SPEAK.format(voice=voice, prosody=prosody, text=said, wav=wav)
        printed = _run(script)
        if not wav.is_file():
            raise SynthesiserMissingError(f"festival voice {voice}", _PACKAGES[voice])
        pcm, rate_hz = soundfile.read(wav, dtype="int16")
    samples: npt.NDArray[np.int16] = pcm
    return speech(samples, rate_hz, _phones(printed), LABEL_SHIFT_S)


def _prosody(voice: str, stretch: float, semitones: float, spread: float) -> str:
    """Scheme that sets rate and pitch; the HTS voice keeps its own pitch whatever it is told."""
    if voice == "kal_diphone":
        mean_hz, deviation_hz = 105.0 * 2 ** (semitones / 12), 14.0 * spread
        return (
            f"(Parameter.set 'Duration_Stretch {stretch:.3f})\n"
            f"(set! int_lr_params '((target_f0_mean {mean_hz:.2f}) "
            f"(target_f0_std {deviation_hz:.2f}) (model_f0_mean 170) (model_f0_std 34)))"
        )
    speed = f'(("-r" {1 / stretch:.3f}))'
    return f"(set! hts_engine_params (append hts_engine_params '{speed}))"


def _run(script: str) -> str:
    try:
        done = subprocess.run(
            ["festival", "--pipe"],
            input=script,
            capture_output=True,
            text=True,
            timeout=_LONGEST_S,
            check=False,
        )
    except FileNotFoundError as error:
        raise SynthesiserMissingError("festival", "festival") from error
    return done.stdout


def _phones(printed: str) -> list[Phone]:
    """The segments that festival has printed, each lasting from the one before."""
    phones, start_s = [], 0.0
    for name, end, stress in _ROW.findall(printed):
        folded = from_flite(name)
        phones.append(Phone(folded, start_s, float(end), int(stress == "1" and folded in VOWELS)))
        start_s = float(end)
    return phones
