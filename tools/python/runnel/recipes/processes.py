"""The processes that train together, each with its share of every minibatch."""

import os
from dataclasses import dataclass

import torch
from torch import distributed

from ..errors import TrainingError
from .losses import Score


@dataclass(frozen=True)
class Processes:
    """This process among all of them; torchrun sets the variables that say which one it is."""

    device: torch.device
    rank: int = 0
    count: int = 1

    @property
    def is_first(self):
        return self.rank == 0

    @property
    def are_several(self):
        return self.count > 1

    def sum(self, score):
        """The sums over all processes."""
        if not self.are_several:
            return score
        return Score(*self._reduced([score.rows, score.loss, score.metric], distributed.ReduceOp.SUM))

    def any(self, *flags):
        """Whether each flag is set in any of the processes."""
        if not self.are_several:
            return flags
        return [bool(flag) for flag in self._reduced(list(map(float, flags)), distributed.ReduceOp.MAX)]

    def are_equal(self, numbers):
        """Whether all processes have the same small whole numbers."""
        if not self.are_several:
            return True
        largest = self._reduced([*numbers, *(-number for number in numbers)], distributed.ReduceOp.MAX)
        half = len(numbers)
        return all(high == -low for high, low in zip(largest[:half], largest[half:]))

    def shared(self, data):
        """The bytes of the first process, in all of them."""
        if not self.are_several:
            return data
        size = torch.tensor([len(data) if self.is_first else 0], device=self.device)
        distributed.broadcast(size, 0)
        values = torch.zeros(int(size), dtype=torch.uint8, device=self.device)
        if self.is_first:
            values.copy_(torch.frombuffer(bytearray(data), dtype=torch.uint8))
        distributed.broadcast(values, 0)
        return values.cpu().numpy().tobytes()

    def wrapped(self, network, uses_all):
        """The network, whose gradients become the means over the processes; whether each step uses all parameters."""
        if not self.are_several:
            return network
        devices = [self.device] if self.device.type == "cuda" else None
        return torch.nn.parallel.DistributedDataParallel(network, devices, find_unused_parameters=not uses_all)

    def _reduced(self, numbers, operation):
        values = torch.tensor(numbers, dtype=torch.float64, device=self.device)
        distributed.all_reduce(values, operation)
        return values.tolist()


def joined(device):
    """Joins the other processes, if there are some; device: cpu, cuda or auto. Raises TrainingError."""
    count, rank, local, local_count = (int(os.environ.get(name, default)) for name, default in _VARIABLES)
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda":
        available = torch.cuda.device_count()
        if local_count > available:
            raise TrainingError(
                f"--device cuda: found {available} GPUs for {local_count} processes of this machine, expected one "
                "each; start fewer processes, or give --device cpu"
            )
        torch.cuda.set_device(local)
    place = torch.device(device, local) if device == "cuda" else torch.device(device)
    if count > 1:
        distributed.init_process_group("nccl" if device == "cuda" else "gloo")
    return Processes(place, rank, count)


def left():
    """Ends what `joined` began."""
    if distributed.is_initialized():
        distributed.destroy_process_group()


_VARIABLES = (("WORLD_SIZE", 1), ("RANK", 0), ("LOCAL_RANK", 0), ("LOCAL_WORLD_SIZE", 1))
