"""One peer in a process of its own, that does what its parent tells it, a line of JSON at a time.

It begins with what it is, {"title", "distribution", "version", "weightTypes"}. Then

    {"do": "prepare", "case": {…}, "weights": FILE.npz, "type": "f32"}        gives {"ways": [NAME, …]}
    {"do": "outputs", "type": "f32", "way": 0, "frames": F.npy, "to": Y.npy}  gives {} and writes Y.npy
    {"do": "measure", "type": "f32", "way": 0, "nanoseconds": N}              gives {"nanoseconds": of a call}
    {"do": "forget"}                                                          gives {}

or {"unavailable": WHY}, or {"error": WHY}. So peers share neither threads nor allocators nor caches of code with each
other, and only one process at a time has anything to do.
"""

import importlib.metadata
import json
import os
import sys
import time
import traceback

import numpy as np

from . import peers
from .cases import Case
from .cell import CellWeights


class Worker:
    def __init__(self, peer):
        self.peer = peer
        self.runners = {}
        self.counts = {}

    def prepare(self, request):
        case = Case(**request["case"])
        with np.load(request["weights"]) as arrays:
            weights = CellWeights(
                case.cell, arrays["input_weights"], arrays["recurrent_weights"], arrays["bias"],
                arrays["candidate_bias"],
            )
        try:
            ways = [(name, make()) for name, make in self.peer.ways(case, weights, request["type"])]
        except peers.Unavailable as reason:
            return {"unavailable": str(reason)}
        for index, (_, runner) in enumerate(ways):
            self.runners[request["type"], index] = runner
        return {"ways": [name for name, _ in ways]}

    def outputs(self, request):
        """Runs frames [calls, frames, streams, input] from a fresh state."""
        runner = self.runners[request["type"], request["way"]]
        np.save(request["to"], np.concatenate([runner.call(frames) for frames in np.load(request["frames"])]))
        return {}

    def measure(self, request):
        """The nanoseconds of a call, over about so many nanoseconds."""
        key = request["type"], request["way"]
        runner = self.runners[key]
        if key not in self.counts:
            count = peers.RING
            while (spent := self.timed(runner, count)) < request["nanoseconds"] / 4:
                count *= 2
            calls = count * request["nanoseconds"] / spent
            self.counts[key] = max(1, round(calls / peers.RING)) * peers.RING
        return {"nanoseconds": self.timed(runner, self.counts[key]) / self.counts[key]}

    @staticmethod
    def timed(runner, count):
        start = time.perf_counter_ns()
        runner.repeat(count)
        return time.perf_counter_ns() - start

    def forget(self, request):
        self.runners.clear()
        self.counts.clear()
        return {}


def main():
    # What libraries print belongs on standard error: standard output is the answers'.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    try:
        worker = Worker(peers.load(sys.argv[1]))
        about = {
            "title": worker.peer.TITLE, "weightTypes": worker.peer.WEIGHT_TYPES,
            "distribution": worker.peer.DISTRIBUTION,
            "version": importlib.metadata.version(worker.peer.DISTRIBUTION),
        }
        answers.write(json.dumps(about) + "\n")
    except peers.Unavailable as reason:
        answers.write(json.dumps({"unavailable": str(reason)}) + "\n")
        answers.flush()
        return
    answers.flush()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(worker, request["do"])(request)
        except Exception as error:
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
