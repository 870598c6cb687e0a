"""One graph timed in onnxruntime; `python -m benchmarks.passes GRAPH.onnx` prints it as JSON.

In a process of its own and without torch, so that the peak memory is the graph's and the runtime's.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import onnxruntime

SAMPLE_RATE_HZ = 16000
SECONDS = 10.0
THREADS = 2
WARM_UP, PASSES = 3, 20
Figures = dict[str, float]


def timed(graph: Path) -> Figures:
    """Median and worst pass in ms, and this process' peak memory in MB."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = THREADS, 1
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    samples = np.random.default_rng(0).standard_normal(round(SECONDS * SAMPLE_RATE_HZ))
    waveform = (0.1 * samples).astype(np.float32)[None]
    passes_ms = []
    for _ in range(WARM_UP + PASSES):
        start_s = time.perf_counter()
        session.run(None, {"waveform": waveform})
        passes_ms.append(1e3 * (time.perf_counter() - start_s))
    kept = passes_ms[WARM_UP:]
    return {"median ms": float(np.median(kept)), "worst ms": max(kept), "peak MB": peak_mb()}


def peak_mb() -> float:
    """The most memory that this process has held; NaN where there is no /proc.

    getrusage would tell the parent's where that was larger: Linux hands it on.
    """
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="ascii").splitlines() if status.is_file() else []
    kilobytes = [float(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
    return kilobytes[0] / 1e3 if kilobytes else float("nan")


def main() -> None:
    """Print a graph's figures as JSON."""
    parser = argparse.ArgumentParser(description="Time one graph.")
    parser.add_argument("graph", type=Path)
    print(json.dumps(timed(parser.parse_args().graph)))


if __name__ == "__main__":
    main()
