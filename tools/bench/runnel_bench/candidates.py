"""The candidates of a comparison: peers in processes of their own, and Runnel's tool.

A candidate is a runtime with weights of one type. All have

- `title`, `runtime` (its key in the results), `weight_type`, and `process`, what a peer shares with its other types;
- `prepare(case, weights, folder)`: raises Unavailable with the reason where it cannot do the case;
- `outputs(frames)`: hidden states of frames [calls, frames, streams, input], from a fresh state, of each way of
  calling it;
- `measure()`: nanoseconds of a call.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np

from . import peers
from .peers import Unavailable

#: How long a peer is called in one round.
ROUND_NANOSECONDS = 60_000_000

#: oneDNN, which OpenVINO and PyTorch are built on, without AMX: what it is told where AMX traps.
WITHOUT_AMX = {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_FP16"}


class CandidateFailure(Exception):
    """A candidate that broke, in words."""


class Restarted(Exception):
    """A worker died and was started again: what it had prepared is gone. `retry` where it may work now."""

    def __init__(self, reason, retry):
        super().__init__(reason)
        self.retry = retry


class PeerProcess:
    """The worker of a peer, started again when it dies, with so many threads. After an illegal instruction it is
    started without AMX: some virtual machines list AMX among the CPU's features and trap its instructions."""

    def __init__(self, name, log, module=f"{__package__}.worker", threads=1):
        self.name = name
        self.log = log
        self.module = module
        self.threads = threads
        self.without_amx = False
        self.process = None
        self.start()

    def start(self):
        without_amx = WITHOUT_AMX if self.without_amx else {}
        environment = dict(os.environ, OMP_NUM_THREADS=str(self.threads), **without_amx)
        self.process = subprocess.Popen(
            [sys.executable, "-m", self.module, self.name],
            cwd=Path(__file__).parent.parent, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.log, text=True,
        )
        line = self.process.stdout.readline()
        if not line:
            status = self.process.wait()
            raise CandidateFailure(f"{self.name} ended with status {status} at its start; see {self.log.name}")
        #: What it is: its title, distribution, version and more.
        self.about = self.read(line)

    def ask(self, **request):
        """The worker's answer; raises Unavailable, CandidateFailure, or Restarted."""
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # The reason shows when the answer is missing.
        line = self.process.stdout.readline()
        if not line:
            status = self.process.wait()
            traps = status == -signal.SIGILL and not self.without_amx
            self.without_amx = self.without_amx or traps
            self.start()
            if traps:
                raise Restarted("AMX traps on this machine; from here on without it", retry=True)
            raise Restarted(f"its process ended with status {status}", retry=False)
        return self.read(line)

    def read(self, line):
        answer = json.loads(line)
        if "unavailable" in answer:
            raise Unavailable(answer["unavailable"])
        if "error" in answer:
            raise CandidateFailure(f"{self.name}: {answer['error']}; more is in {self.log.name}")
        return answer

    def close(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait()


class Peer:
    """A peer with weights of one type."""

    def __init__(self, process, weight_type):
        self.process = process
        self.runtime = process.name
        self.title = process.about["title"]
        self.weight_type = weight_type
        self.ways = []
        self.fastest = None

    def prepare(self, case, weights, folder):
        self.folder = folder
        self.fastest = None
        answer = self.process.ask(
            do="prepare", case=case.as_dict(), weights=str(folder / "weights.npz"), type=self.weight_type
        )
        self.ways = answer["ways"]

    def outputs(self, frames):
        for way, name in enumerate(self.ways):
            result = self.folder / "outputs.npy"
            self.process.ask(
                do="outputs", type=self.weight_type, way=way, frames=str(self.folder / "frames.npy"), to=str(result)
            )
            yield name, np.load(result)

    def time_of(self, way):
        return self.process.ask(
            do="measure", type=self.weight_type, way=way, nanoseconds=ROUND_NANOSECONDS
        )["nanoseconds"]

    def choose(self):
        """Settles on the fastest of the ways, each tried twice."""
        times = [min(self.time_of(way), self.time_of(way)) for way in range(len(self.ways))]
        self.fastest = times.index(min(times))

    def measure(self):
        return self.time_of(self.fastest)

    @property
    def way(self):
        return self.ways[self.fastest]


class Runnel:
    """Runnel with weights of one type; `extra` are further options of `runnel bench`."""

    runtime = "runnel"
    way = "runnel bench"
    process = None

    def __init__(self, tool, weight_type, title="Runnel", options=()):
        self.tool = tool
        self.weight_type = weight_type
        self.title = title
        self.options = list(options)

    def prepare(self, case, weights, folder):
        options = list(self.options)
        if self.weight_type != "f32":
            options += ["--weights", self.weight_type]
        if case.streams > 1:
            options += ["--streams", str(case.streams)]
        if case.frames > 1:
            options += ["--sequence", str(case.frames)]
        self.arguments = [str(folder / "cell.runnel"), *options]
        self.model = folder / "cell.runnel"
        self.folder = folder
        self.case = case
        self.tool.bench(self.arguments)

    def outputs(self, frames):
        """Of the first stream: `runnel run` has one. Groups and sequences give the same bits, which Tests/ hold."""
        model = self.model
        if self.weight_type != "f32":
            model = self.folder / f"cell-{self.weight_type}.runnel"
            self.tool.quantize(self.model, model, self.weight_type, self.options)
        stream = np.ascontiguousarray(frames[:, :, 0], "<f4").tobytes()
        yield "runnel run", np.array(self.tool.run(model, stream))[:, None]

    def choose(self):
        """There is one way."""

    def measure(self):
        return self.tool.bench(self.arguments)["medianNs"]
