"""The training loop: resuming, stopping, budgets."""

import argparse
import os
import signal
from pathlib import Path

import pytest
import torch
from torch import nn

from training import checkpoint, loop
from training.config import OptimiserConfig

OPTIONS = OptimiserConfig(steps=8, learning_rate=0.05, warmup_steps=2, log_every=4)


class Line:
    """Fit a line to random points, with dropout, so that every random source is in use."""

    def __init__(self, stop_at: int | None = None) -> None:
        torch.manual_seed(0)
        self.model = nn.Sequential(nn.Linear(2, 4), nn.Dropout(0.5), nn.Linear(4, 1))
        self.stop_at = stop_at

    def step(self, rng: torch.Generator, moment: loop.Moment) -> loop.Step:
        if moment.step == self.stop_at:
            os.kill(os.getpid(), signal.SIGTERM)
        points = torch.randn(16, 2, generator=rng)
        error = self.model(points)[:, 0] - points @ torch.tensor([2.0, -1.0])
        return loop.Step(error.square().mean(), {})


def train(folder: Path, task: Line, network: str = "line", minutes: float | None = None) -> None:
    files = loop.Files(folder / "line.pt", folder / "line.jsonl")
    args = argparse.Namespace(threads=1, minutes=minutes, restart=False)
    loop.fit(task, OPTIONS, files, args, {"network": {"kind": network}})


def weights(folder: Path) -> torch.Tensor:
    state = checkpoint.load(folder / "line.pt", "train")
    return torch.cat([state[part]["0.weight"].flatten() for part in ("model", "ema")])


def test_a_run_that_was_stopped_resumes_to_the_same_numbers(tmp_path: Path) -> None:
    train(tmp_path / "whole", Line())
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "broken", Line(stop_at=3))
    assert checkpoint.load(tmp_path / "broken" / "line.pt", "train")["step"] == 4
    train(tmp_path / "broken", Line())
    assert torch.equal(weights(tmp_path / "broken"), weights(tmp_path / "whole"))


def test_a_finished_run_is_left_as_it_is(tmp_path: Path) -> None:
    train(tmp_path, Line())
    before = (tmp_path / "line.pt").read_bytes()
    train(tmp_path, Line())
    assert (tmp_path / "line.pt").read_bytes() == before


def test_another_network_does_not_continue_a_checkpoint(tmp_path: Path) -> None:
    train(tmp_path, Line())
    with pytest.raises(checkpoint.CheckpointError, match=r"other network.*--restart"):
        train(tmp_path, Line(), network="curve")


def test_a_budget_of_minutes_overrules_the_steps() -> None:
    assert loop.Budget(100).progress(step=25, elapsed_s=1e9) == 0.25
    assert loop.Budget(100, minutes=2).progress(step=25, elapsed_s=30) == 0.25


def test_the_learning_rate_warms_up_and_falls_to_a_fiftieth() -> None:
    rates = [loop.learning_rate(OPTIONS, step, step / 8) for step in (0, 1, 8)]
    assert rates[0] == pytest.approx(0.025)
    assert rates[1] < 0.05 and rates[2] == pytest.approx(0.001)


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(checkpoint.CheckpointError, match=r"x\.pt cannot be read"):
        checkpoint.load(tmp_path / "x.pt", "train-stage1")
    with pytest.raises(checkpoint.CheckpointError, match="train-stage1"):
        checkpoint.load(tmp_path / "none.pt", "train-stage1")
