"""What a training run tells: a bar or lines on the terminal, a JSON-lines log, TensorBoard."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm


class Place(NamedTuple):
    """How far a run is: steps done, the share of its budget in [0, 1], and the time it took."""

    step: int
    share: float
    elapsed_s: float


class RunLog:
    """Writes LOG (one JSON line a report) and LOG's folder/tensorboard/; tells the terminal.

    The bar counts per mille of the budget, since a budget may be steps or minutes. Where no one
    watches (a file, a pipe) there are lines instead.
    """

    def __init__(self, log: Path, begun: Place) -> None:
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        self.board = SummaryWriter(
            log.parent / "tensorboard" / log.stem, purge_step=begun.step + 1
        )
        shape = "{desc} {percentage:3.0f}%|{bar}| {elapsed}, {remaining} left{postfix}"
        self.bar = tqdm(total=1000, initial=round(1000 * begun.share), desc=log.stem,
                        bar_format=shape, disable=not sys.stderr.isatty())  # fmt: skip

    def tick(self, at: Place) -> None:
        """Move the bar."""
        self.bar.update(round(1000 * min(at.share, 1)) - self.bar.n)

    def tell(self, at: Place, figures: Mapping[str, float]) -> None:
        """Write a report's figures."""
        text = "  ".join(f"{name} {value:.4f}" for name, value in figures.items())
        self.bar.set_postfix_str(f"step {at.step}  {text}")
        if self.bar.disable:
            print(self._line(at, text), file=sys.stderr, flush=True)
        with self.log.open("a", encoding="utf-8") as log:
            log.write(json.dumps({"step": at.step, "s": at.elapsed_s, **figures}) + "\n")
        for name, value in figures.items():
            self.board.add_scalar(name, value, at.step)

    def close(self) -> None:
        """Finish the bar's line and TensorBoard's file."""
        self.bar.close()
        self.board.close()

    def _line(self, at: Place, text: str) -> str:
        left_s = at.elapsed_s * (1 / max(at.share, 1e-6) - 1)
        return (
            f"step {at.step}  {min(at.share, 1):.0%}  {text}  "
            f"{at.elapsed_s / at.step:.2f} s/step  {left_s / 60:.1f} min left"
        )
