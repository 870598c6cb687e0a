"""From a sound file to motion.npz: listen, imagine, decode, write."""

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt

from . import (
    audio,
    codebook,
    crossings,
    emotions,
    features,
    hearing,
    motion,
    redo,
    sampler,
    schedule,
    styles,
    windows,
)
from .errors import RequestError
from .messages import Done, EmotionSpan, Generate, Heard, Listen
from .pack import Features, Pack
from .sessions import Device, Opened, Sessions

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.uint16]
# Samples (N,) -> features (N // hop, F)
Encode = Callable[[Floats], Floats]
# An encoder, and what it gives.
Ear = tuple[Encode, Features]
# (stage, done, total); may raise Cancelled
OnProgress = Callable[[str, int, int], None]

# The denoiser and the decoder see at most this much at once: longer than the clips they train on,
# short enough that attention stays cheap and an hour takes time in proportion.
WINDOW_S = 20
OVERLAP_S = 2
# The encoder hears this much before and after each part of a long sound: the compact encoder's
# estimate of the level looks 2 s back, and its convolutions 0.4 s further; the emotion encoder's
# memory looks 2 s to each side, its level 1.5 s beyond, its convolutions 0.3 s.
LISTEN_S = 60
CONTEXT_S = 4.0
MOST_SEED = 2**63 - 1
MOST_TAKES = 1000


def silent_progress(stage: str, done: int, total: int) -> None:
    """Report to nobody."""


class Generator:
    """A pack with its graphs open, ready to animate any number of sounds; results depend on the
    request alone, never on what ran before."""

    def __init__(self, pack: Pack, device: Device,
                 instead: Mapping[str, Opened] | None = None) -> None:
        self.pack = pack
        self.device = device
        self._sessions = Sessions(pack, device, instead)
        self._codebook = codebook.read(pack)
        self._palette = emotions.palette(pack) if pack.manifest.emotion_features else None
        self._schedule = schedule.cosine(pack.manifest.schedule.steps)

    def listen(self, sound: audio.Sound, on_progress: OnProgress = silent_progress) -> Floats:
        """A sound -> speech features (T, F) at the pack's fps, T = ceil(seconds * fps); of a pack
        with emotions (T, F + K), those of the voice's emotion beside them."""
        manifest = self.pack.manifest
        ears: list[Ear] = [(self._sessions.encode, manifest.features)]
        if manifest.emotion_features:
            ears.append((self._sessions.feel, manifest.emotion_features))
        return self._heard_by(ears, sound, on_progress)

    def _heard_by(self, ears: Sequence[Ear], sound: audio.Sound, on_progress: OnProgress) -> Floats:
        """A sound as some encoders hear it, (T, F) each, beside each other."""
        manifest = self.pack.manifest
        frames = motion.frame_count(sound.seconds, manifest.fps)
        heard = []
        for number, (encode, given) in enumerate(ears):
            parts = []
            for done, total, part in _in_parts(sound, encode, given.rate_hz):
                parts.append(part)
                on_progress("listen", number * total + done, len(ears) * total)
            whole = np.concatenate(parts)
            heard.append(features.to_frames(whole, given.rate_hz, frames, manifest.fps))
        return np.concatenate(heard, axis=1)

    def painted(self, heard: Floats, spans: Sequence[EmotionSpan]) -> Floats:
        """What was heard (T, F + K) with emotions painted over the voice's own."""
        if self._palette is None or not spans:
            return heard
        speech = self.pack.manifest.features.size
        felt = emotions.painted(heard[:, speech:], spans, self._palette, self.pack.manifest.fps)
        return np.concatenate([heard[:, :speech], felt], axis=1)

    def imagine(self, heard: Floats, seed: int, steps: int | None = None, style: str | None = None,
                on_progress: OnProgress = silent_progress,
                hold: sampler.Hold | None = None) -> Floats:
        """Features (T, F) -> clean latents (T, H*C), drawn with the seed; `style` is a name or a
        blend (see `styles`), None takes the pack's default steps and its first style, and what
        `hold` holds comes out as it is."""
        manifest = self.pack.manifest
        steps = manifest.sampler.steps if steps is None else steps
        places = self._places(len(heard))
        wish = styles.weights(style, manifest.styles)
        done = 0

        def pieces(noisy: Floats, step: int) -> Iterator[Floats]:
            nonlocal done
            for start, stop in places:
                on_progress("imagine", done, steps * len(places))
                yield self._sessions.denoise(noisy[start:stop], heard[start:stop], wish, step)
                done += 1

        def denoise(noisy: Floats, step: int) -> Floats:
            return np.concatenate(list(windows.cross_fade(places, pieces(noisy, step))))

        draw = sampler.gaussian(seed, (len(heard), int(np.prod(manifest.latent_shape))))
        descend = sampler.named(manifest.sampler.name, manifest.sampler.eta)
        freely = denoise if hold is None else sampler.held(denoise, hold)
        clean = descend(freely, draw, self._schedule, steps)
        on_progress("imagine", done, done)
        return clean

    def quantise(self, latents: Floats) -> Numbers:
        """The numbers (T, H) of the codes nearest to latents (T, H*C)."""
        size = round(WINDOW_S * self.pack.manifest.fps)  # all at once, an hour takes a GB
        parts = [self._codebook.nearest(latents[start:start + size])
                 for start in range(0, len(latents), size)]
        return np.concatenate(parts)

    def decode(self, numbers: Numbers, on_progress: OnProgress = silent_progress,
               seams: Sequence[emotions.Seam] = ()) -> Iterator[Floats]:
        """Code numbers (T, H) -> displacements in consecutive blocks (t, V, 3), metres from
        rest; at the seams of a lane the face goes over within their fades."""
        places = self._places(len(numbers))
        crossed = crossings.find(seams, numbers, self._codebook, self.pack.manifest.fps)

        def pieces() -> Iterator[Floats]:
            for done, (start, stop) in enumerate(places, start=1):
                latents = self._codebook.vectors(numbers[start:stop])
                yield crossed.decoded(latents, start, self._sessions.decode)
                on_progress("decode", done, len(places))

        return windows.cross_fade(places, pieces())

    def generate(self, sound: audio.Sound, seed: int = 0, steps: int | None = None,
                 style: str | None = None, spans: Sequence[EmotionSpan] = ()) -> motion.Motion:
        """A sound -> its motion in memory; `run` writes long ones without holding them."""
        heard = self.painted(self.listen(sound), spans)
        numbers = self.quantise(self.imagine(heard, seed, steps, style))
        seams = emotions.seams(spans, len(numbers), self.pack.manifest.fps)
        frames = np.concatenate(list(self.decode(numbers, seams=seams)))
        return motion.Motion(frames, **vars(self._info(sound.seconds, seed)),
                             codes=motion.Codes(numbers, self.pack.fingerprint))

    def hear(self, job: Listen, on_progress: OnProgress = silent_progress) -> Heard:
        """What emotions are heard in a sound; raises RequestError with a pack that knows none, and
        AudioError."""
        manifest = self.pack.manifest
        if self._palette is None or manifest.emotion_features is None:
            raise RequestError("no_emotions", f"The model '{manifest.name}' hears no emotions.",
                               "Choose a model with emotions.")
        span = audio.Span(job.start_s, job.duration_s, job.speed, job.volume)
        sound = audio.load(job.audio, manifest.sample_rate_hz, span,
                           lambda done, total: on_progress("load", done, total))
        ear = self._sessions.feel, manifest.emotion_features
        felt = self._heard_by([ear], sound, on_progress)
        return Heard(job.id, hearing.heard(felt, self._palette, manifest.fps))

    def run(self, job: Generate, paths: Sequence[Path],
            on_progress: OnProgress = silent_progress) -> Done:
        """Do a job: one motion.npz per path (all in one folder), take k with seed + k, and
        MOTION_neutral.npz beside it if that was asked for. Raises SoliloquyError, and then no
        unfinished file is left."""
        self._check(job, len(paths))
        places = [*paths, *(neutral_path(path) for path in paths if job.neutral)]
        _check_places(places, job)
        earlier = redo.open_earlier(job.redo, self.pack, len(self._codebook)) if job.redo else None
        clock = _Clock()
        with clock.stage("load"):
            span = audio.Span(job.start_s, job.duration_s, job.speed, job.volume)
            sound = audio.load(job.audio, self.pack.manifest.sample_rate_hz, span,
                               lambda done, total: on_progress("load", done, total))
        seconds = sound.seconds
        with clock.stage("listen"):
            voice, lanes = self.listen(sound, on_progress), self._lanes(job)
            heard = [self.painted(voice, lane) for lane in lanes]
        del sound  # the samples of an hour are 230 MB, and only the features are needed from here
        if earlier:
            redo.check_sound(earlier, len(voice))
        with _made(places[0].parent):
            for number, path in enumerate(places):
                felt, take = divmod(number, len(paths))
                info = self._info(seconds, job.seed + take)
                with clock.stage("imagine"):
                    numbers = self._perform(job, heard[felt], info.seed, earlier, on_progress)
                with clock.stage("decode"):
                    seams = emotions.seams(lanes[felt], len(numbers), info.fps)
                    self._write(path, info, numbers,
                                self._show(numbers, seams, earlier, on_progress))
                on_progress("write", number + 1, len(places))
        return Done(job.id, tuple(map(str, places)), clock.total_s(),
                    dict(clock.stages_s))

    def _lanes(self, job: Generate) -> list[tuple[EmotionSpan, ...]]:
        """The emotions wanted, and after them none where that is wanted, too: any emotion at
        intensity 0 is what a neutral voice is heard as."""
        none = EmotionSpan(self.pack.manifest.emotions[0], 0.0) if job.neutral else None
        return [job.emotions, (none,)] if none else [job.emotions]

    def _perform(self, job: Generate, heard: Floats, seed: int, earlier: redo.Earlier | None,
                 on_progress: OnProgress) -> Numbers:
        """The code numbers (T, H) of one take: all drawn, or those of an earlier motion with the
        range to be redone drawn anew."""
        if earlier is None:
            return self.quantise(self.imagine(heard, seed, job.steps, job.style, on_progress))
        patch, numbers = earlier.patch, earlier.numbers.copy()
        seen = slice(patch.first, patch.stop)
        hold = sampler.Hold(self._codebook.vectors(numbers[seen]), patch.freedom)
        drawn = self.quantise(self.imagine(heard[seen], seed, job.steps, job.style, on_progress,
                                           hold))
        numbers[patch.start:patch.end] = drawn[patch.start - patch.first:patch.end - patch.first]
        return numbers

    def _show(self, numbers: Numbers, seams: Sequence[emotions.Seam],
              earlier: redo.Earlier | None, on_progress: OnProgress) -> Iterator[Floats]:
        """The displacements of one take in blocks (t, V, 3), as little as can be decoded anew."""
        if earlier is None:
            return self.decode(numbers, on_progress, seams)
        patch = earlier.patch
        seen = [seam._replace(at_s=seam.at_s - patch.first / patch.fps) for seam in seams
                if patch.first < seam.at_s * patch.fps < patch.stop]
        new = self.decode(numbers[patch.first:patch.stop], on_progress, seen)
        return redo.spliced(earlier.stored.blocks(), new, patch)

    def _write(self, path: Path, info: motion.MotionInfo, numbers: Numbers,
               blocks: Iterator[Floats]) -> None:
        """Stream the blocks to disk, so that an hour needs no more memory than a minute."""
        shape = (len(numbers), self.pack.manifest.topology.vertex_count, 3)
        codes = motion.Codes(numbers, self.pack.fingerprint)
        with _writing(path):
            motion.write(path, info, shape, blocks, codes)

    def _check(self, job: Generate, takes: int) -> None:
        """Refuse before any work what would fail after it."""
        manifest = self.pack.manifest
        if (job.emotions or job.neutral) and self._palette is None:
            wish = job.emotions[0].name if job.emotions else "neutral"
            raise RequestError("no_emotions", f"The model '{manifest.name}' has no emotions to "
                               f"choose from, so '{wish}' cannot be given.",
                               "Leave emotions out, or choose a model with emotions.")
        if not 0 <= job.seed <= MOST_SEED - takes:
            raise RequestError("bad_seed", f"The seed is {job.seed}.",
                               f"Choose 0 to {MOST_SEED - takes}.")
        emotions.check(job.emotions, manifest.emotions)
        styles.weights(job.style, manifest.styles)
        if job.steps is not None:
            schedule.timesteps(self._schedule, job.steps)

    def _places(self, frames: int) -> list[windows.Span]:
        fps = self.pack.manifest.fps
        return windows.spans(frames, round(WINDOW_S * fps), round(OVERLAP_S * fps))

    def _info(self, audio_seconds: float, seed: int) -> motion.MotionInfo:
        manifest = self.pack.manifest
        return motion.MotionInfo(manifest.fps, manifest.topology.name, manifest.name, seed,
                                 audio_seconds)


def take_paths(out: str | os.PathLike[str], takes: int) -> list[Path]:
    """Where takes go: `out` itself for one; motion.npz becomes motion_take1.npz, motion_take2.npz
    and so on for more. Raises RequestError on an impossible number."""
    if not 1 <= takes <= MOST_TAKES:
        raise RequestError("bad_takes", f"{takes} takes were asked for.",
                           f"Choose 1 to {MOST_TAKES}.")
    path = Path(out)
    if takes == 1:
        return [path]
    return [path.with_name(f"{path.stem}_take{take}{path.suffix}") for take in range(1, takes + 1)]


def neutral_path(path: Path) -> Path:
    """Where the neutral performance of a take goes: motion.npz becomes motion_neutral.npz."""
    return path.with_name(f"{path.stem}_neutral{path.suffix}")


def _in_parts(sound: audio.Sound, encode: Encode, rate_hz: float
              ) -> Iterator[tuple[int, int, Floats]]:
    """A sound through an encoder in parts of LISTEN_S: (done, total, features (s, F)) of each."""
    hop = round(sound.rate_hz / rate_hz)
    samples = sound.samples
    if len(samples) < hop:
        samples = np.pad(samples, (0, hop - len(samples)))
    total, context = len(samples) // hop, round(CONTEXT_S * rate_hz)
    most = round(LISTEN_S * rate_hz)
    core = total if total <= most else most - 2 * context
    starts = range(0, total, core)
    for done, start in enumerate(starts, start=1):
        first = max(0, start - context)
        heard = encode(samples[first * hop:(start + core + context) * hop])
        yield done, len(starts), heard[start - first:start - first + core]


def _check_places(paths: Sequence[Path], job: Generate) -> None:
    """Refuse to write over what is no file or over what the job reads."""
    read = {"the sound itself": job.audio}
    if job.redo:
        read["the motion to be redone itself"] = job.redo.motion
    for path in paths:
        with _writing(path):
            kinds = {"a folder": path.is_dir(),
                     "a device or a pipe": path.exists() and not path.is_file()}
        wrong = [kind for kind, found in kinds.items() if found]
        wrong += [what for what, source in read.items() if _same(path, source)]
        if wrong:
            raise RequestError("cannot_write", f"'{path}' is {wrong[0]}.",
                               "Choose another file name.")


def _same(path: Path, other: str) -> bool:
    try:
        return path.samefile(other)
    except (OSError, ValueError):  # one of them is not there
        return False


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """A folder for results, made before the long part of the work: one that cannot be is told at
    once, one that its owner removes, having given the job up, is not made again. What was made
    goes again when the work fails and nothing lies in it."""
    with _writing(folder):
        new = [place for place in (folder, *folder.parents) if not place.exists()]
        folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        for place in new:
            with suppress(OSError):  # a take that is done lies there, or another program's file
                place.rmdir()
        raise


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """The system's refusal to write there in our words."""
    try:
        yield
    except OSError as problem:
        raise RequestError("cannot_write", f"'{path}' cannot be written: {problem.strerror}.",
                           "Choose another place, or make room.") from problem


class _Clock:
    """Wall seconds per stage, added up over takes."""

    def __init__(self) -> None:
        self.stages_s: dict[str, float] = defaultdict(float)
        self._start = time.perf_counter()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.stages_s[name] += time.perf_counter() - start

    def total_s(self) -> float:
        return time.perf_counter() - self._start
