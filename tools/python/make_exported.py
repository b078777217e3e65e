#!/usr/bin/env python3
"""Exports small PyTorch modules, with their own predictions as golden frames, to Tests/Fixtures.

    PYTHONPATH=tools/python python3 tools/python/make_exported.py Tests/Fixtures

Needs torch and the package of this folder; the committed files were made with torch 2.13.0 on the CPU. Everything is
seeded. The Swift tests run the files on every level, without Python.
"""

import sys
from pathlib import Path

import torch
from torch import nn

import runnel.torch


class Strided(nn.Module):
    """Causal convolutions, one of them with a stride, in front of a GRU: an answer to every second frame."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv1d(4, 6, 3, stride=2)
        self.second = nn.Conv1d(6, 8, 3, dilation=2, groups=2)
        self.recurrent = nn.GRU(8, 9, batch_first=True)
        self.head = nn.Linear(9, 3)

    def forward(self, x):
        x = self.first(nn.functional.pad(x.transpose(1, 2), (2, 0))).relu()
        x = self.second(nn.functional.pad(x, (4, 0))).tanh()
        return self.head(self.recurrent(x.transpose(1, 2))[0])


class BothDirections(nn.Module):
    """Two LSTM layers in both directions: whole sequences only."""

    def __init__(self):
        super().__init__()
        self.recurrent = nn.LSTM(5, 7, num_layers=2, bidirectional=True, batch_first=True)
        self.head = nn.Linear(14, 2)

    def forward(self, x):
        return self.head(self.recurrent(x)[0])


class WithinFrames(nn.Module):
    """Convolution, pooling and normalisation over the 24 positions of each frame, and an LSTM over the frames."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv1d(1, 5, 4, stride=2, padding=1)
        self.norm = nn.GroupNorm(1, 5)
        self.recurrent = nn.LSTM(15, 6, batch_first=True)

    def forward(self, x):
        x = self.norm(self.convolution(x[0][:, None])).relu()
        x = nn.functional.max_pool1d(x, 4)
        return self.recurrent(x.flatten(1)[None])[0]


class NormalisedCell(nn.Module):
    """An LSTM cell with layer norms, which torch has not as a layer."""

    def __init__(self):
        super().__init__()
        self.gates = nn.Linear(3 + 8, 32)
        self.norms = nn.ModuleList(nn.LayerNorm(8) for _ in range(5))

    def forward(self, x, h, c):
        gates = self.gates(torch.cat([x, h], 1)).chunk(4, 1)
        i, f, g, o = (norm(gate) for norm, gate in zip(self.norms, gates))
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * self.norms[4](c).tanh()
        return h, h, c


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: make_exported.py FIXTURES_FOLDER")
    folder = Path(sys.argv[1])
    torch.set_num_threads(1)
    state = torch.zeros(1, 8)
    for name, make, example, options in (
        ("strided", Strided, torch.zeros(1, 20, 4), {}),
        ("both-directions", BothDirections, torch.zeros(1, 6, 5), {}),
        ("within-frames", WithinFrames, torch.zeros(1, 6, 24), {}),
        ("normalised-cell", NormalisedCell, (torch.zeros(1, 3), state, state), {"states": {"h": 1, "c": 2}}),
    ):
        torch.manual_seed(1)
        path = folder / f"exported-{name}.runnel"
        runnel.torch.export(make(), example, path, **options)
        print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
