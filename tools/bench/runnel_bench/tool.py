"""The runnel program: what it can do, and what it measures."""

import json
import subprocess

from .peers import Unavailable

#: Steps that `runnel bench` times one by one beside its median: few, as only the median is compared.
SINGLE_STEPS = "100"


class ToolFailure(Exception):
    """The runnel program failed, in its words."""


class Tool:
    """The runnel program at a path."""

    def __init__(self, path):
        self.path = str(path)
        self.bench_help = self.text("help", "bench")

    def text(self, *arguments):
        result = subprocess.run([self.path, *arguments], capture_output=True, text=True)
        if result.returncode != 0:
            raise ToolFailure(f"{self.path} {' '.join(arguments)}: {result.stderr.strip()}")
        return result.stdout

    def bench(self, arguments, frames=SINGLE_STEPS):
        """What `runnel bench … --json` prints; raises Unavailable where this build has not what is asked for."""
        missing = [
            argument for argument in arguments if argument.startswith("--") and f"{argument} " not in self.bench_help
        ]
        if missing:
            raise Unavailable(f"this build of runnel bench has no {' '.join(missing)}")
        result = subprocess.run(
            [self.path, "bench", *arguments, "--frames", frames, "--json"], capture_output=True, text=True
        )
        if result.returncode != 0:
            reason = result.stderr.strip().split("\n")[0]
            if "not in this version" in reason:
                raise Unavailable(f"this build of runnel bench: {reason}")
            raise ToolFailure(f"{self.path} bench {' '.join(arguments)}: {reason}")
        return json.loads(result.stdout)

    def quantize(self, source, target, weight_type, options):
        """Writes a model with weights of another type; raises Unavailable where this build cannot."""
        arguments = [str(source), "--to", weight_type, "--output", str(target), "--count", "64", *options]
        result = subprocess.run([self.path, "quantize", *arguments], capture_output=True, text=True)
        if result.returncode != 0:
            if "quantize" not in self.text("help"):
                raise Unavailable("this build of runnel has no quantize, with which its outputs could be checked")
            raise ToolFailure(f"{self.path} quantize {' '.join(arguments)}: {result.stderr.strip()}")

    def run(self, model, frames):
        """The predictions of one stream, a list of numbers a frame; frames are bytes of little-endian f32."""
        result = subprocess.run(
            [self.path, "run", str(model), "--input-format", "f32"],
            input=frames, capture_output=True,
        )
        if result.returncode != 0:
            raise ToolFailure(f"{self.path} run {model}: {result.stderr.decode().strip()}")
        return [[float(number) for number in line.split(",")] for line in result.stdout.decode().split()]
