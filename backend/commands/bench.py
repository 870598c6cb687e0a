"""Measure how fast a model animates a sound, cold and warm, and how much memory it takes."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from .. import audio, pack
from ..errors import RequestError
from ..messages import Generate
from ..pipeline import Generator
from ..sessions import DEVICES, choose_device, thread_count, versions
from .animate import first_installed

_PACKAGE = (__package__ or "").partition(".")[0]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The model, the sound, and how often to measure."""
    parser.add_argument("--model", metavar="PACK")
    parser.add_argument("--audio", type=Path, required=True)
    parser.add_argument("--steps", type=int, metavar="N")
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="warm runs to take the "
                        "median of")
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(options: argparse.Namespace) -> int:
    """Measure and print; returns 0."""
    if options.runs < 1:
        raise RequestError("bad_runs", f"{options.runs} runs were asked for.", "Choose 1 or more.")
    figures = measure(options)
    if options.json:
        print(json.dumps(figures, indent=1))
    else:
        print("\n".join(f"{name:24} {value}" for name, value in figures.items()))
    return 0


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Figures by name; seconds are wall seconds. Cold is a fresh process from its start to the
    written file; warm is one request to an open model, file to file."""
    found = pack.load(pack.find(options.model or first_installed()))
    audio_seconds = audio.load(options.audio, found.manifest.sample_rate_hz).seconds
    with tempfile.TemporaryDirectory(prefix="soliloquy-bench-") as folder:
        out = Path(folder) / "motion.npz"
        cold_s = _cold_s(options, found, out)
        generator = Generator(found, choose_device(options.device))
        job = Generate("", str(options.audio), "", "", steps=options.steps)
        done = [generator.run(job, [out]) for _ in range(options.runs + 1)][1:]
    warm_s = statistics.median(result.seconds for result in done)
    stages = {name: round(statistics.median(result.timings[name] for result in done), 4)
              for name in done[0].timings}
    return {"model": found.manifest.name, "audio_seconds": round(audio_seconds, 3),
            "cold_seconds": round(cold_s, 3), "warm_seconds": round(warm_s, 4),
            "warm_seconds_per_10_s": round(warm_s * 10 / audio_seconds, 4),
            "warm_stage_seconds": stages, "peak_rss_mb": round(peak_rss_mb(), 1),
            "device": generator.device.name, "threads": thread_count(),
            "steps": options.steps or found.manifest.sampler.steps, **versions()}


def _cold_s(options: argparse.Namespace, found: pack.Pack, out: Path) -> float:
    """Wall seconds of `animate` in a process of its own."""
    root = str(Path(__file__).resolve().parents[2])
    paths = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
    command = [sys.executable, "-m", _PACKAGE, "animate", str(options.audio), "--model",
               str(found.path), "--out", str(out), "--device", options.device, "--quiet"]
    command += ["--steps", str(options.steps)] if options.steps else []
    start_s = time.perf_counter()
    result = subprocess.run(command, env={**os.environ, "PYTHONPATH": paths}, check=False,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if result.returncode:
        raise RequestError("bench_failed", result.stderr.decode(errors="replace").strip())
    return time.perf_counter() - start_s


def peak_rss_mb() -> float:
    """The most memory this process has held so far, in MB of 10^6 bytes."""
    if sys.platform == "win32":
        return _peak_rss_windows_mb()
    if sys.platform == "linux":
        # Not getrusage: there a process starts with the peak of the one that launched it.
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        peak_kib = next(line.split()[1] for line in status.splitlines() if line[:6] == "VmHWM:")
        return int(peak_kib) * 1024 / 1e6
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # bytes on macOS


def _peak_rss_windows_mb() -> float:
    """PeakWorkingSetSize of PROCESS_MEMORY_COUNTERS (psapi.h)."""
    import ctypes

    class Counters(ctypes.Structure):
        _fields_ = (("cb", ctypes.c_uint32), ("faults", ctypes.c_uint32),
                    ("peak_bytes", ctypes.c_size_t), ("others", ctypes.c_size_t * 7))

    counters = Counters(cb=ctypes.sizeof(Counters))
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009  absent elsewhere, so unknown to mypy
    process = ctypes.c_void_p(-1)  # the pseudo handle of this process
    if not kernel.K32GetProcessMemoryInfo(process, ctypes.byref(counters), counters.cb):
        return 0.0
    return float(counters.peak_bytes) / 1e6
