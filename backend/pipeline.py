"""From a sound file to motion.npz: listen, imagine, decode, write."""

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from . import audio, features, motion, sampler, schedule, styles, windows
from .errors import PackError, RequestError
from .messages import Done, Generate
from .pack import Pack
from .sessions import Device, Sessions

Floats = npt.NDArray[np.float32]
# (stage, done, total); may raise Cancelled
OnProgress = Callable[[str, int, int], None]

# The denoiser and the decoder see at most this much at once: longer than the clips they train on,
# short enough that attention stays cheap and an hour takes time in proportion.
WINDOW_S = 20
OVERLAP_S = 2
# The encoder hears this much before and after each part of a long sound: the compact encoder's
# estimate of the level looks 2 s back, and its convolutions 0.4 s further.
LISTEN_S = 60
CONTEXT_S = 2.5
MOST_SEED = 2**63 - 1
MOST_TAKES = 1000


def silent_progress(stage: str, done: int, total: int) -> None:
    """Report to nobody."""


class Generator:
    """A pack with its graphs open, ready to animate any number of sounds; results depend on the
    request alone, never on what ran before."""

    def __init__(self, pack: Pack, device: Device) -> None:
        if pack.manifest.method != "gldi":
            raise PackError("pack_method", f"The pack '{pack.path}' uses the method "
                            f"'{pack.manifest.method}'.", "This release runs 'gldi' packs.")
        self.pack = pack
        self.device = device
        self._sessions = Sessions(pack, device)
        self._codes = _codes(pack)
        self._schedule = schedule.cosine(pack.manifest.schedule.steps)

    def listen(self, sound: audio.Sound, on_progress: OnProgress = silent_progress) -> Floats:
        """A sound -> speech features (T, F) at the pack's fps, T = ceil(seconds * fps)."""
        manifest = self.pack.manifest
        hop = round(manifest.sample_rate_hz / manifest.features.rate_hz)
        samples = sound.samples
        if len(samples) < hop:
            samples = np.pad(samples, (0, hop - len(samples)))
        total, rate_hz = len(samples) // hop, manifest.features.rate_hz
        context = round(CONTEXT_S * rate_hz)
        most = round(LISTEN_S * rate_hz)
        core = total if total <= most else most - 2 * context
        starts = range(0, total, core)
        parts = []
        for done, start in enumerate(starts, start=1):
            first = max(0, start - context)
            heard = self._sessions.encode(samples[first * hop:(start + core + context) * hop])
            parts.append(heard[start - first:start - first + core])
            on_progress("listen", done, len(starts))
        frames = motion.frame_count(sound.seconds, manifest.fps)
        return features.to_frames(np.concatenate(parts), rate_hz, frames, manifest.fps)

    def imagine(self, heard: Floats, seed: int, steps: int | None = None, style: str | None = None,
                on_progress: OnProgress = silent_progress) -> Floats:
        """Features (T, F) -> clean latents (T, H*C), drawn with the seed; `style` is a name or a
        blend (see `styles`), and None takes the pack's default steps and its first style."""
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
        clean = descend(denoise, draw, self._schedule, steps)
        on_progress("imagine", done, done)
        return clean

    def decode(self, latents: Floats,
               on_progress: OnProgress = silent_progress) -> Iterator[Floats]:
        """Latents (T, H*C) -> displacements in consecutive blocks (t, V, 3), metres from rest."""
        places = self._places(len(latents))

        def pieces() -> Iterator[Floats]:
            for done, (start, stop) in enumerate(places, start=1):
                yield self._sessions.decode(quantise(latents[start:stop], self._codes))
                on_progress("decode", done, len(places))

        return windows.cross_fade(places, pieces())

    def generate(self, sound: audio.Sound, seed: int = 0, steps: int | None = None,
                 style: str | None = None) -> motion.Motion:
        """A sound -> its motion in memory; `run` writes long ones without holding them."""
        latents = self.imagine(self.listen(sound), seed, steps, style)
        frames = np.concatenate(list(self.decode(latents)))
        return motion.Motion(frames, **vars(self._info(sound.seconds, seed)))

    def run(self, job: Generate, paths: Sequence[Path],
            on_progress: OnProgress = silent_progress) -> Done:
        """Do a job: one motion.npz per path, take k with seed + k. Raises SoliloquyError, and then
        no unfinished file is left."""
        self._check(job, len(paths))
        _check_places(paths, job.audio)
        clock = _Clock()
        with clock.stage("load"):
            span = audio.Span(job.start_s, job.duration_s, job.speed, job.volume)
            sound = audio.load(job.audio, self.pack.manifest.sample_rate_hz, span,
                               lambda done, total: on_progress("load", done, total))
        seconds = sound.seconds
        with clock.stage("listen"):
            heard = self.listen(sound, on_progress)
        del sound  # the samples of an hour are 230 MB, and only the features are needed from here
        for take, path in enumerate(paths):
            with clock.stage("imagine"):
                latents = self.imagine(heard, job.seed + take, job.steps, job.style, on_progress)
            with clock.stage("decode"):
                self._write(path, self.decode(latents, on_progress), len(heard),
                            self._info(seconds, job.seed + take))
            on_progress("write", take + 1, len(paths))
        return Done(job.id, tuple(map(str, paths)), clock.total_s(),
                    dict(clock.stages_s))

    def _write(self, path: Path, blocks: Iterator[Floats], frames: int,
               info: motion.MotionInfo) -> None:
        """Stream the blocks to disk, so that an hour needs no more memory than a minute."""
        shape = (frames, self.pack.manifest.topology.vertex_count, 3)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            motion.write(path, info, shape, blocks)
        except OSError as problem:
            raise RequestError("cannot_write", f"'{path}' cannot be written: {problem.strerror}.",
                               "Choose another place, or make room.") from problem

    def _check(self, job: Generate, takes: int) -> None:
        """Refuse before any work what would fail after it."""
        manifest = self.pack.manifest
        if job.emotions:
            raise RequestError("no_emotions", f"The model '{manifest.name}' has no emotions to "
                               f"choose from, so '{job.emotions[0].name}' cannot be given.",
                               "Leave emotions out, or choose a model with emotions.")
        if not 0 <= job.seed <= MOST_SEED - takes:
            raise RequestError("bad_seed", f"The seed is {job.seed}.",
                               f"Choose 0 to {MOST_SEED - takes}.")
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


def quantise(latents: Floats, codes: Floats) -> Floats:
    """Each C-vector of latents (T, H*C) replaced by the nearest of codes (N, C)."""
    vectors = latents.reshape(-1, codes.shape[1])
    # |v - c|^2 without |v|^2, which does not change which code is nearest.
    distances = (codes**2).sum(axis=1) - 2 * (vectors @ codes.T)
    return np.asarray(codes[distances.argmin(axis=1)].reshape(latents.shape), dtype=np.float32)


def _check_places(paths: Sequence[Path], sound: str) -> None:
    """Refuse to write over a folder or over the sound itself."""
    for path in paths:
        if path.is_dir() or (path.exists() and Path(sound).exists() and path.samefile(sound)):
            what = "a folder" if path.is_dir() else "the sound itself"
            raise RequestError("cannot_write", f"'{path}' is {what}.", "Choose another file name.")


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


def _codes(pack: Pack) -> Floats:
    """The codebook (N, C) float32; raises PackError when it does not fit the latents."""
    try:
        with np.load(pack.open("codebook.npz"), allow_pickle=False) as arrays:
            codes: Floats = arrays["codes"]
    except (ValueError, KeyError, OSError) as problem:
        raise PackError("pack_codebook", f"The codebook of the pack '{pack.path}' cannot be read: "
                        f"{problem}.", "Export the pack again.") from problem
    if codes.dtype != np.float32 or codes.ndim != 2 or codes.shape[1] != _channels(pack):
        raise PackError("pack_codebook", f"The codebook of the pack '{pack.path}' is {codes.dtype} "
                        f"{codes.shape}, not float32 (N, {_channels(pack)}).",
                        "Export the pack again.")
    return codes


def _channels(pack: Pack) -> int:
    return pack.manifest.latent_shape[1]
