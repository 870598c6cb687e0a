"""Training in one process or in many, as ``accelerate launch -m training ...`` starts them.

Gradients are averaged here and not by a wrapper around the network: stages call parts of their
networks, and one sum of all gradients a step is cheap beside the step. Every process draws the
whole batch's random numbers from the same generator and keeps its own rows, so that N processes do
what one does with a batch N times as large.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import Tensor, distributed, nn

from backend.errors import SoliloquyError

# The others wait this long while the first one listens to a whole corpus.
PATIENCE = timedelta(hours=12)
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Processes:
    """The processes that train together, as each of them sees it, and the device of this one."""

    rank: int = 0
    count: int = 1
    device: torch.device = CPU

    def mine(self, rows: Tensor) -> Tensor:
        """This process' rows of a whole batch (N * count, ...), on its device (N, ...)."""
        return rows[self.rank :: self.count].to(self.device)

    def placed(self, values: Tensor) -> Tensor:
        """A tensor that all processes have, on this one's device."""
        return values.to(self.device)

    def gathered(self, rows: Tensor) -> Tensor:
        """Every process' rows (N, ...) as the whole batch (N * count, ...) that `mine` cut up."""
        if self.count == 1:
            return rows
        parts = [torch.empty_like(rows) for _ in range(self.count)]
        distributed.all_gather(parts, rows.contiguous())
        return torch.stack(parts, dim=1).flatten(0, 1)

    def mean(self, values: Tensor) -> Tensor:
        """The mean of a tensor over the processes."""
        if self.count == 1:
            return values
        total = values.clone()
        distributed.all_reduce(total)
        return total / self.count

    @torch.no_grad()
    def average_gradients(self, network: nn.Module) -> None:
        """Give every process the mean gradient; a parameter that one did not use counts as 0."""
        if self.count == 1:
            return
        weights = [weight for weight in network.parameters() if weight.requires_grad]
        own = [torch.zeros_like(w) if w.grad is None else w.grad for w in weights]
        shared = self.mean(torch.cat([gradient.flatten() for gradient in own]))
        parts = torch.split(shared, [weight.numel() for weight in weights])
        for weight, part in zip(weights, parts, strict=True):
            weight.grad = part.reshape(weight.shape)

    @torch.no_grad()
    def average_buffers(self, network: nn.Module) -> None:
        """Give every process the mean of what networks count as they go: running statistics."""
        if self.count > 1:
            for buffer in network.buffers():
                if buffer.dtype.is_floating_point:
                    buffer.copy_(self.mean(buffer))

    @contextmanager
    def first_before_others(self) -> Iterator[None]:
        """The first process goes through this block before any other enters it."""
        if self.rank > 0:
            distributed.barrier()
        yield
        if self.rank == 0 and self.count > 1:
            distributed.barrier()

    def leave(self) -> None:
        """End together: one that goes before the others are done takes their connection along."""
        if self.count > 1:
            distributed.barrier()
            distributed.destroy_process_group()


ALONE = Processes()


class DeviceError(SoliloquyError):
    """A device that this machine lacks."""


def start(device: str) -> Processes:
    """Join the processes that were launched together; ``device`` is auto, cpu, cuda or mps.

    Raises DeviceError.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return Processes(device=chosen(device))
    from accelerate import PartialState  # takes seconds, and few trainings need it

    state = PartialState(cpu=chosen(device).type == "cpu", timeout=PATIENCE)
    return Processes(state.process_index, state.num_processes, torch.device(state.device))


def chosen(device: str) -> torch.device:
    """The device of a name; "auto" is a CUDA GPU when there is one. Raises DeviceError."""
    there = {"cpu": True, "cuda": torch.cuda.is_available(),
             "mps": torch.backends.mps.is_available()}  # fmt: skip
    name = device if device != "auto" else "cuda" if there["cuda"] else "cpu"
    if not there[name]:
        others = ", ".join(key for key, found in there.items() if found)
        raise DeviceError("device", f"this machine has no device {name}", f"give one of: {others}")
    return torch.device(name)


def random_state(device: torch.device) -> Tensor:
    """The state (N,) of torch's own generator on a device, which dropout draws from."""
    if device.type == "cpu":
        return torch.get_rng_state()
    state: Tensor = torch.get_device_module(device).get_rng_state()
    return state


def set_random_state(device: torch.device, state: Tensor) -> None:
    """Set what `random_state` gives."""
    if device.type == "cpu":
        torch.set_rng_state(state)
    else:
        torch.get_device_module(device).set_rng_state(state)
