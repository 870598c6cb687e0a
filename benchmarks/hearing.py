"""The mouth's opening as a speech encoder's own heads tell it, by a map fitted to nothing."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from backend import features
from training.corpus.phones import PHONES, VISEME_OF, VISEMES, Phone
from training.encoder import FEATURE_RATE_HZ, CompactEncoder
from training.encoder_labels import frame_labels

Floats = NDArray[np.float64]
Samples = NDArray[np.float32]


class Heard(NamedTuple):
    """What the heads say at 50 Hz, each row a frame: probabilities, aperture 0..1."""

    phones: Floats  # (T, 40)
    visemes: Floats  # (T, 12)
    aperture: Floats  # (T,)
    speech: Floats  # (T,)


def phone_openings() -> Floats:
    """(40,) the opening that training labels each phone with: 0 shut, 1 as wide as AA."""
    means = [frame_labels([Phone(name, 0.0, 1.0)], 1.0).aperture.mean() for name in PHONES]
    return np.array(means, np.float64)


def viseme_openings() -> Floats:
    """(12,) the mean opening of each viseme's phones."""
    of_phone, viseme = phone_openings(), np.array([VISEME_OF[name] for name in PHONES])
    return np.array([of_phone[viseme == k].mean() for k in range(len(VISEMES))])


# All that turns a frame into an opening: one weight a class.
PHONE_OPENINGS = phone_openings()
VISEME_OPENINGS = viseme_openings()


def aperture(heard: Heard) -> Floats:
    """The opening (T,) by the viseme head, 0 shut to 1: the reading that every figure is of."""
    return heard.visemes @ VISEME_OPENINGS


# Other readings, told beside it.
READINGS = {
    "viseme head": aperture,
    "phone head": lambda heard: heard.phones @ PHONE_OPENINGS,
    "aperture head": lambda heard: heard.aperture,
}


class Ear:
    """A compact encoder that tells what its heads hear, at rest where it hears nobody speak.

    `rests=False` leaves that out: what the heads say while nobody speaks shows then.
    """

    def __init__(self, network: CompactEncoder, rests: bool = True) -> None:
        self.network, self.rests = network, rests

    def __call__(self, samples: Samples) -> Heard:
        """Samples (N,) at 16 kHz -> frames (N // 320 rows)."""
        heard = self.heads(samples)
        if not self.rests:
            return heard
        silence = self.heads(np.zeros(features.SILENCE_SAMPLES, np.float32))
        phones, visemes, opening = (
            _rested(part, heard.speech, still)
            for part, still in zip(heard[:3], silence[:3], strict=True)
        )
        return Heard(phones, visemes, opening, heard.speech)

    def heads(self, samples: Samples) -> Heard:
        """What the heads say themselves."""
        with torch.inference_mode():
            waveform = torch.from_numpy(np.ascontiguousarray(samples))[None]
            heads = self.network.listen(self.network.log_mel(waveform))
        return Heard(
            _array(torch.softmax(heads.phones[0], dim=-1)),
            _array(torch.softmax(heads.visemes[0], dim=-1)),
            _array(heads.aperture[0, :, 0]),
            _array(torch.sigmoid(heads.speech[0, :, 0])),
        )

    def aperture(self, samples: Samples) -> Floats:
        """The opening (T,) at 50 Hz of samples (N,)."""
        return aperture(self(samples))


def _rested(part: Floats, speech: Floats, silence: Floats) -> Floats:
    """Values (T, n) or (T,) as the runtime would pass them on."""
    rows = part.reshape(len(part), -1).astype(np.float32)
    still = features.middle(silence.reshape(len(silence), -1).astype(np.float32))
    rested = features.resting(rows, speech.astype(np.float32), still, FEATURE_RATE_HZ)
    return rested.reshape(part.shape).astype(np.float64)


def _array(values: torch.Tensor) -> Floats:
    return values.double().numpy()
