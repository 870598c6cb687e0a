"""How much memory another process holds; standard library only."""

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple


class Memory(NamedTuple):
    """MB of 10^6 bytes: now, and the most so far (None where the system does not tell)."""

    now_mb: float
    peak_mb: float | None


def of(pid: int) -> Memory | None:
    """The memory of a process; None when it is gone or the system does not tell."""
    try:
        if sys.platform == "linux":
            return _linux(Path(f"/proc/{pid}/status").read_text("ascii", "replace"))
        if sys.platform == "win32":
            return _windows(pid)
        told = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True)
        return Memory(int(told.stdout) * 1024 / 1e6, None)
    except (OSError, ValueError, KeyError):
        return None


def _linux(status: str) -> Memory:
    sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 / 1e6
             for line in status.splitlines() if line.startswith(("VmRSS:", "VmHWM:"))}
    return Memory(sizes["VmRSS"], sizes["VmHWM"])


def _windows(pid: int) -> Memory | None:
    """PROCESS_MEMORY_COUNTERS (psapi.h)."""
    import ctypes

    class Counters(ctypes.Structure):
        _fields_ = (("cb", ctypes.c_uint32), ("faults", ctypes.c_uint32),
                    ("peak_bytes", ctypes.c_size_t), ("now_bytes", ctypes.c_size_t),
                    ("others", ctypes.c_size_t * 6))

    counters = Counters(cb=ctypes.sizeof(Counters))
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009  absent elsewhere, so unknown to mypy
    kernel.OpenProcess.restype = ctypes.c_void_p
    limited_information = 0x1000
    process = ctypes.c_void_p(kernel.OpenProcess(limited_information, False, pid))
    told = kernel.K32GetProcessMemoryInfo(process, ctypes.byref(counters), counters.cb)
    kernel.CloseHandle(process)
    return Memory(counters.now_bytes / 1e6, counters.peak_bytes / 1e6) if told else None
