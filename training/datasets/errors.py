"""What can be wrong with a data set's files."""

from pathlib import Path

from backend.errors import SoliloquyError


class DatasetError(SoliloquyError):
    """One file (or folder) of a data set that cannot be used; the message begins with its path."""

    def __init__(self, path: Path, problem: str, hint: str = "") -> None:
        super().__init__("dataset", f"{path}: {problem}.", hint)
        self.path = path

    def __reduce__(self) -> tuple[type[SoliloquyError], tuple[str, str, str]]:
        return (SoliloquyError, (self.code, self.message, self.hint))
