"""The training loop that every stage shares: AdamW, warm-up and cosine, EMA, resume, budgets."""

import argparse
import json
import math
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from . import checkpoint
from .config import OptimiserConfig


class Step(NamedTuple):
    """What one training step gives: the loss to minimise and figures for the log."""

    loss: Tensor
    figures: Mapping[str, float]


class Moment(NamedTuple):
    """Where the training stands: steps done, and the share of the budget used, in [0, 1)."""

    step: int
    progress: float


class Task(Protocol):
    """One stage: a network and its loss on a fresh random batch.

    All randomness must come from ``rng`` or torch's global generator, and all state must lie in
    the model, so that a resumed run repeats an unbroken one.
    """

    @property
    def model(self) -> nn.Module: ...

    def step(self, rng: torch.Generator, moment: Moment) -> Step: ...


class Budget(NamedTuple):
    """How long to train: a number of steps, or minutes of wall-clock time when given."""

    steps: int
    minutes: float | None = None

    def progress(self, step: int, elapsed_s: float) -> float:
        return step / self.steps if self.minutes is None else elapsed_s / (60 * self.minutes)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what every training stage takes besides its recipe."""
    parser.add_argument("--minutes", type=float, help="train this long, whatever the recipe says")
    parser.add_argument("--threads", type=int, help="CPU threads (default: the recipe's)")
    parser.add_argument("--restart", action="store_true", help="begin anew, do not resume")


class Files(NamedTuple):
    """Where a run keeps its checkpoint and its JSON-lines log."""

    checkpoint: Path
    log: Path


class Trainer:
    """One run of a task, which continues from its checkpoint when there is one."""

    def __init__(self, task: Task, options: OptimiserConfig, budget: Budget, files: Files) -> None:
        torch.manual_seed(options.seed)
        self.task, self.options, self.budget, self.files = task, options, budget, files
        self.rng = torch.Generator().manual_seed(options.seed)
        self.optimiser = torch.optim.AdamW(
            task.model.parameters(),
            lr=options.learning_rate,
            weight_decay=options.weight_decay,
            betas=(0.9, 0.99),
        )
        self.ema = {name: value.clone() for name, value in task.model.state_dict().items()}
        self.step, self.elapsed_s = 0, 0.0

    def run(self, extra: Mapping[str, Any]) -> None:
        """Train to the end of the budget; ``extra`` goes into the checkpoint as it is.

        Raises KeyboardInterrupt, after saving, on SIGINT or SIGTERM.
        """
        if self.progress >= 1:
            return
        saved_at = time.monotonic()
        with _stop_requested() as stop:
            while self.progress < 1 and not stop:
                self._advance()
                if time.monotonic() - saved_at > self.options.checkpoint_every_s:
                    self.save(extra)
                    saved_at = time.monotonic()
        self.save(extra)
        if stop:
            raise KeyboardInterrupt

    @property
    def progress(self) -> float:
        return self.budget.progress(self.step, self.elapsed_s)

    def save(self, extra: Mapping[str, Any]) -> None:
        """Write everything that a resumed run needs, and the averaged weights as ``ema``."""
        state = {
            "model": self.task.model.state_dict(),
            "ema": self.ema,
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "elapsed_s": self.elapsed_s,
            "rng": self.rng.get_state(),
            "torch_rng": torch.get_rng_state(),
        }
        checkpoint.save(self.files.checkpoint, {**state, **extra})

    def resume(self, state: checkpoint.State) -> None:
        """Continue from what ``save`` wrote."""
        self.task.model.load_state_dict(state["model"])
        self.ema = state["ema"]
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.elapsed_s = state["step"], state["elapsed_s"]
        self.rng.set_state(state["rng"])
        torch.set_rng_state(state["torch_rng"])

    def _advance(self) -> None:
        began = time.monotonic()
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.options, self.step, self.progress)
        result = self.task.step(self.rng, Moment(self.step, self.progress))
        self.optimiser.zero_grad(set_to_none=True)
        result.loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.task.model.parameters(), self.options.grad_clip)
        self.optimiser.step()
        self._average()
        self.step += 1
        self.elapsed_s += time.monotonic() - began
        if self.step % self.options.log_every == 0:
            self._report(result)

    @torch.no_grad()
    def _average(self) -> None:
        # Young averages forget faster, else a short run would remember its random start.
        decay = min(self.options.ema_decay, (1 + self.step) / (10 + self.step))
        for name, value in self.task.model.state_dict().items():
            if value.dtype.is_floating_point:
                self.ema[name].lerp_(value, 1 - decay)
            else:
                self.ema[name].copy_(value)

    def _report(self, result: Step) -> None:
        figures = {"loss": result.loss.item(), **result.figures}
        left_s = self.elapsed_s * (1 / max(self.progress, 1e-6) - 1)
        text = "  ".join(f"{name} {value:.4f}" for name, value in figures.items())
        print(
            f"step {self.step}  {min(self.progress, 1):.0%}  {text}  "
            f"{self.elapsed_s / self.step:.2f} s/step  {left_s / 60:.1f} min left",
            file=sys.stderr,
            flush=True,
        )
        self.files.log.parent.mkdir(parents=True, exist_ok=True)
        with self.files.log.open("a", encoding="utf-8") as log:
            log.write(json.dumps({"step": self.step, "s": self.elapsed_s, **figures}) + "\n")


def fit(
    task: Task,
    options: OptimiserConfig,
    files: Files,
    args: argparse.Namespace,
    extra: Mapping[str, Any],
) -> None:
    """Train a task as its command line says, from its checkpoint unless ``--restart`` is given.

    Raises CheckpointError when the checkpoint holds another recipe's network.
    """
    torch.set_num_threads(args.threads or options.threads)
    trainer = Trainer(task, options, Budget(options.steps, args.minutes), files)
    if files.checkpoint.is_file() and not args.restart:
        state = checkpoint.load(files.checkpoint, "again with --restart")
        checkpoint.check_same(state, extra, files.checkpoint)
        trainer.resume(state)
    trainer.run(extra)


def precision(options: OptimiserConfig) -> torch.autocast:
    """The context for a network's forward pass: bfloat16 products when the recipe says so."""
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=options.bfloat16)


def learning_rate(options: OptimiserConfig, step: int, progress: float) -> float:
    """Linear warm-up over the first steps, then a cosine to 2 % at the end of the budget."""
    warm = min(1.0, (step + 1) / max(1, options.warmup_steps))
    cosine = 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))
    return options.learning_rate * warm * (0.02 + 0.98 * cosine)


@contextmanager
def _stop_requested() -> Iterator[list[int]]:
    """A list that becomes non-empty when the user or the system asks the run to stop."""
    stop: list[int] = []
    caught = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda got, _: stop.append(got)) for number in caught]
    try:
        yield stop
    finally:
        for number, handler in zip(caught, before, strict=True):
            signal.signal(number, handler)
