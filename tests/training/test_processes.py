"""Several processes do what one does with a batch as large as theirs together."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training import toy
from training import __main__ as training
from training import checkpoint, config, rig_file, stage2
from training.latents import Example, Prepared
from training.processes import Processes

# Quantised from the start, so that codes are counted and revived; each step is logged.
STEPS = """
[stage1]
quantise_from = 0.0
[stage1.optimiser]
steps = 3
log_every = 1
batch = {batch}
"""
LAUNCH = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2",
          "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no",
          "--main_process_port", "0", "-m", "training"]  # fmt: skip


def recipe(work: Path, batch: int) -> str:
    """A folder with the toy's data, and the recipe of that batch."""
    toy.write_corpus(work / "corpus")
    toy.write_rig(work / "rig.npz")
    (work / "steps.toml").write_text(STEPS.format(batch=batch), encoding="utf-8")
    return f"tiny+{work / 'steps.toml'}"


def log(work: Path) -> list[dict[str, float]]:
    lines = (work / "stage1.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_two_launched_processes_do_what_one_does_with_twice_the_batch(tmp_path: Path) -> None:
    two, one = tmp_path / "two", tmp_path / "one"
    options = ["--work", str(two), "--device", "cpu"]
    quiet = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    command = [*LAUNCH, "train-stage1", "--recipe", recipe(two, batch=2), *options]
    ran = subprocess.run(command, env=quiet, capture_output=True, text=True, timeout=280)
    assert ran.returncode == 0, ran.stderr[-4000:]
    own = ["train-stage1", "--recipe", recipe(one, batch=4), "--work", str(one)]
    assert training.main([*own, "--device", "cpu"]) == 0
    for left, right in zip(log(two), log(one), strict=True):
        assert left["loss"] == pytest.approx(right["loss"], abs=1e-5)
        assert left["used"] == right["used"]
    codes = [checkpoint.load(work / "stage1.pt", "")["model"]["quantizer.codes"]
             for work in (two, one)]  # fmt: skip
    assert torch.allclose(*codes, atol=1e-5)


def test_the_second_stage_is_shared_out_alike(tmp_path: Path) -> None:
    toy.write_rig(tmp_path / "rig.npz")
    draw = np.random.default_rng(0)
    examples = [Example(torch.from_numpy(draw.random((40, 16), np.float32)),
                        torch.from_numpy(draw.random((1, 40, 8), np.float32)), 0)
                for _ in range(3)]  # fmt: skip
    rig, tiny = rig_file.read(tmp_path / "rig.npz"), config.load("tiny")
    prepared = Prepared(examples, ("Even",), 1.0, None, 0)
    losses = {}
    for batch, processes in ((4, [Processes()]), (2, [Processes(0, 2), Processes(1, 2)])):
        given = config.from_dict(config.to_dict(tiny) | {"stage2": section(tiny, batch)})
        tasks = [stage2.Stage2Task(given, prepared, rig, here) for here in processes]
        losses[batch] = [task.step(torch.Generator().manual_seed(0), None).loss.item()
                         for task in tasks]  # fmt: skip
    assert losses[2][0] != losses[2][1]
    assert np.mean(losses[2]) == pytest.approx(losses[4][0], abs=1e-6)


def section(tiny: config.Recipe, batch: int) -> dict[str, object]:
    """Stage 2 of the tiny recipe with another batch."""
    plain = config.to_dict(tiny)["stage2"]
    return {**plain, "optimiser": {**plain["optimiser"], "batch": batch}}
