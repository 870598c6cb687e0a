"""The training loop: resuming, stopping, budgets."""

import argparse
import dataclasses
import json
import os
import signal
from pathlib import Path

import pytest
import torch
from torch import nn

from training import checkpoint, crops, loop, processes
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


def test_batches_are_accumulated_to_their_mean_gradient(tmp_path: Path) -> None:
    class Fixed(Line):
        """Two batches whose losses are the weight times 1 and times 3."""

        factors = (1.0, 3.0)

        def step(self, rng: torch.Generator, moment: loop.Moment) -> loop.Step:
            self.factors = self.factors[::-1]
            return loop.Step(self.factors[1] * self.model[0].weight[0, 0], {})

    task = Fixed()
    options = dataclasses.replace(OPTIONS, accumulate=2, grad_clip=1e9)
    files = loop.Files(tmp_path / "line.pt", tmp_path / "line.jsonl")
    trainer = loop.Trainer(task, options, loop.Budget(1), files)
    trainer._accumulate()
    assert task.model[0].weight.grad[0, 0].item() == pytest.approx(2.0)


def test_a_run_is_told_in_lines_json_and_tensorboard(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(tmp_path, Line())
    assert "step 8  100%  loss" in capsys.readouterr().err
    rows = (tmp_path / "line.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(row)["step"] for row in rows] == [4, 8]
    (events,) = (tmp_path / "tensorboard" / "line").iterdir()
    assert b"loss" in events.read_bytes()


def test_a_checkpoint_of_one_process_resumes_in_more_or_on_another_device(tmp_path: Path) -> None:
    train(tmp_path, Line())
    state = checkpoint.load(tmp_path / "line.pt", "train")
    files = loop.Files(tmp_path / "line.pt", tmp_path / "line.jsonl")
    trainer = loop.Trainer(Line(), OPTIONS, loop.Budget(8), files)
    for states in (state["torch_rng"][0], state["torch_rng"][:, :16]):  # as once; of a GPU
        trainer.resume({**state, "torch_rng": states})
        assert trainer.step == 8


def test_a_batch_holds_crops_of_about_equal_length() -> None:
    rng, lengths = torch.Generator().manual_seed(0), torch.tensor([20.0, 24.0, 60.0, 90.0, 500.0])
    drawn = [crops.draw(rng, lengths, 4, 80) for _ in range(50)]
    spans = [[crop.stop - crop.start for crop in batch] for batch in drawn]
    assert all(max(span) <= crops.STRETCH * min(span) for span in spans)
    assert {max(span) for span in spans} == {20, 24, 60, 80}


def test_clips_are_drawn_by_their_length_whatever_their_bucket() -> None:
    rng, lengths = torch.Generator().manual_seed(0), torch.tensor([10.0, 30.0, 60.0])
    drawn = [crop.clip for _ in range(500) for crop in crops.draw(rng, lengths, 4, 1000)]
    shares = torch.bincount(torch.tensor(drawn)) / len(drawn)
    assert shares.tolist() == pytest.approx([0.1, 0.3, 0.6], abs=0.06)


def test_a_device_that_is_not_there_is_named() -> None:
    if torch.backends.mps.is_available():
        pytest.skip("this machine has every device but one")
    with pytest.raises(processes.DeviceError, match="has no device mps"):
        processes.start("mps")
    assert processes.start("cpu") == processes.ALONE
