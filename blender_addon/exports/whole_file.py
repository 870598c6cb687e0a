"""Files that are there whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


def unfinished(path: Path, pid: int) -> Path:
    """Where a process writes what is to become `path`."""
    return path.with_name(f".{path.stem}.{pid}{path.suffix}")


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A path in the same folder, with the same ending, that takes the place of `path` when the
    block ends well."""
    temporary = unfinished(path, os.getpid())
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A binary file that takes the place of `path` when the block ends well."""
    with beside(path) as temporary, open(temporary, "wb") as file:
        yield file
        file.flush()
