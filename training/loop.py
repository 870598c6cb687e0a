"""The training loop that every stage shares: AdamW, warm-up and cosine, EMA, resume, budgets.

Batches are crops of equal length, or of about equal length (`crops.draw`), from one process or
many (`processes`).
"""

import argparse
import math
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from . import checkpoint, positive, processes
from .config import OptimiserConfig
from .processes import ALONE, Processes
from .run_log import Place, RunLog


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


def add_device_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--device``, for stages that train on any."""
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto",
                        help="where to train (default: a CUDA GPU when there is one)")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what every training stage takes besides its recipe."""
    parser.add_argument("--minutes", type=positive.number("--minutes"),
                        help="train this long, whatever the recipe says")
    parser.add_argument("--threads", type=positive.count("--threads"),
                        help="CPU threads (default: the recipe's)")
    parser.add_argument("--restart", action="store_true", help="begin anew, do not resume")


class Files(NamedTuple):
    """Where a run keeps its checkpoint and its JSON-lines log."""

    checkpoint: Path
    log: Path


class Trainer:
    """One run of a task, which continues from its checkpoint when there is one."""

    def __init__(
        self,
        task: Task,
        options: OptimiserConfig,
        budget: Budget,
        files: Files,
        here: Processes = ALONE,
    ) -> None:
        torch.manual_seed(options.seed + here.rank)  # dropout: each process its own
        self.task, self.options, self.budget, self.files = task, options, budget, files
        self.here = here
        self.rng = torch.Generator().manual_seed(options.seed)
        self.optimiser = torch.optim.AdamW(
            [weight for weight in task.model.parameters() if weight.requires_grad],
            lr=options.learning_rate,
            weight_decay=options.weight_decay,
            betas=(0.9, 0.99),
        )
        self.ema = {name: value.clone() for name, value in task.model.state_dict().items()}
        self.step, self.elapsed_s, self.stopping = 0, 0.0, False

    def run(self, extra: Mapping[str, Any]) -> None:
        """Train to the end of the budget; ``extra`` goes into the checkpoint as it is.

        Raises KeyboardInterrupt, after saving, on SIGINT or SIGTERM.
        """
        if self.progress >= 1:
            return
        log = RunLog(self.files.log, self.place) if self.here.rank == 0 else None
        saved_at_s = self.elapsed_s
        with _stop_requested() as stop:
            while self.progress < 1 and not self.stopping:
                self._advance(stop, log)
                if self.elapsed_s - saved_at_s > self.options.checkpoint_every_s:
                    self.save(extra)
                    saved_at_s = self.elapsed_s
            self.save(extra)
        if log:
            log.close()
        if self.stopping:
            raise KeyboardInterrupt

    @property
    def progress(self) -> float:
        return self.budget.progress(self.step, self.elapsed_s)

    @property
    def place(self) -> Place:
        return Place(self.step, self.progress, self.elapsed_s)

    def save(self, extra: Mapping[str, Any]) -> None:
        """Write everything that a resumed run needs, and the averaged weights as ``ema``."""
        own = processes.random_state(self.here.device).to(self.here.device)
        state = {
            "model": self.task.model.state_dict(),
            "ema": self.ema,
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "elapsed_s": self.elapsed_s,
            "rng": self.rng.get_state(),
            "torch_rng": self.here.gathered(own[None]).cpu(),
        }
        if self.here.rank == 0:
            checkpoint.save(self.files.checkpoint, {**state, **extra})

    def resume(self, state: checkpoint.State) -> None:
        """Continue from what ``save`` wrote."""
        self.task.model.load_state_dict(state["model"])
        self.ema = {name: value.to(self.here.device) for name, value in state["ema"].items()}
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.elapsed_s = state["step"], state["elapsed_s"]
        self.rng.set_state(state["rng"])
        self._resume_dropout(state["torch_rng"])

    def _resume_dropout(self, states: Tensor) -> None:
        """Set torch's own generator; on another kind of device, or in more processes, seed it."""
        length = len(processes.random_state(self.here.device))
        rows = states.reshape(-1, states.shape[-1])  # one process' checkpoint may hold one row bare
        if self.here.rank < len(rows) and rows.shape[1] == length:
            processes.set_random_state(self.here.device, rows[self.here.rank])
        else:
            torch.manual_seed(self.options.seed + self.here.count * self.step + self.here.rank)

    def _advance(self, stop: list[int], log: RunLog | None) -> None:
        began = time.monotonic()
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.options, self.step, self.progress)
        result = self._accumulate()
        self.here.average_gradients(self.task.model)
        nn.utils.clip_grad_norm_(self.task.model.parameters(), self.options.grad_clip)
        self.optimiser.step()
        self.here.average_buffers(self.task.model)
        self._average()
        self.step += 1
        self.elapsed_s += time.monotonic() - began
        self._agree(stop)
        self._report(result, log)

    def _accumulate(self) -> Step:
        """Gradients of as many batches as the recipe says; their mean loss, the last's figures."""
        self.optimiser.zero_grad(set_to_none=True)
        total, count = torch.zeros(()), self.options.accumulate
        for _ in range(count):
            result = self.task.step(self.rng, Moment(self.step, self.progress))
            (result.loss / count).backward()  # type: ignore[no-untyped-call]
            total = total + result.loss.detach().cpu() / count
        return Step(total, result.figures)

    def _agree(self, stop: list[int]) -> None:
        """All processes take the same time for the budget, and stop when one of them is asked."""
        told = torch.tensor([self.elapsed_s, float(bool(stop))], device=self.here.device)
        if self.here.count > 1:
            self.elapsed_s, stopping = self.here.mean(told).tolist()
            self.stopping = stopping > 0
        else:
            self.stopping = bool(stop)

    @torch.no_grad()
    def _average(self) -> None:
        # Young averages forget faster, else a short run would remember its random start.
        decay = min(self.options.ema_decay, (1 + self.step) / (10 + self.step))
        for name, value in self.task.model.state_dict().items():
            if value.dtype.is_floating_point:
                self.ema[name].lerp_(value, 1 - decay)
            else:
                self.ema[name].copy_(value)

    def _report(self, result: Step, log: RunLog | None) -> None:
        if log:
            log.tick(self.place)
        if self.step % self.options.log_every:
            return
        figures = {"loss": result.loss.item(), **result.figures}
        values = self.here.mean(torch.tensor(list(figures.values()), device=self.here.device))
        if log:
            log.tell(self.place, dict(zip(figures, values.tolist(), strict=True)))


def fit(
    task: Task,
    options: OptimiserConfig,
    files: Files,
    args: argparse.Namespace,
    extra: Mapping[str, Any],
    here: Processes = ALONE,
) -> None:
    """Train a task as its command line says, from its checkpoint unless ``--restart`` is given.

    Processes have left one another afterwards. Raises CheckpointError when the checkpoint holds
    another recipe's network.
    """
    use_threads(args, options)
    trainer = Trainer(task, options, Budget(options.steps, args.minutes), files, here)
    if files.checkpoint.is_file() and not args.restart:
        state = checkpoint.load(files.checkpoint, "again with --restart")
        checkpoint.check_same(state, extra, files.checkpoint)
        trainer.resume(state)
    trainer.run(extra)
    here.leave()


def use_threads(args: argparse.Namespace, options: OptimiserConfig) -> None:
    """Compute with as many CPU threads as the command line says, else the recipe."""
    torch.set_num_threads(args.threads or options.threads)


def precision(options: OptimiserConfig, device: torch.device = ALONE.device) -> torch.autocast:
    """The context for a network's forward pass: bfloat16 products when the recipe says so.

    There is no float16: bfloat16 has float32's range, so that nothing needs scaling or is skipped,
    and every GPU since 2020 has it.
    """
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=options.bfloat16)


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
