"""Builds what is measured: the runnel program and the probe."""

import subprocess
from pathlib import Path

from . import machine
from .tool import Tool

BENCH = Path(__file__).resolve().parent.parent
ROOT = BENCH.parent.parent
WORK = BENCH / ".work"


class BuildFailure(Exception):
    """A build that failed, with what it said."""


def run(arguments, what):
    try:
        result = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise BuildFailure(f"{what}: found no program '{arguments[0]}'; install it") from error
    if result.returncode != 0:
        raise BuildFailure(f"{what} failed: {' '.join(map(str, arguments))}\n{result.stdout}{result.stderr}")
    return result.stdout


def runnel():
    """The runnel program, built for release."""
    run(["swift", "build", "-c", "release", "--product", "runnel"], "building runnel")
    folder = run(["swift", "build", "-c", "release", "--show-bin-path"], "finding runnel").strip()
    return Tool(Path(folder) / "runnel")


def probe():
    """The path of the probe, built for this CPU where it is not there or older than its source."""
    source = BENCH / "probe" / "limits.cpp"
    WORK.mkdir(exist_ok=True)
    program = WORK / f"limits-{machine.cpu_key().replace('/', '-')}"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        fresh = program.with_suffix(".new")
        run(["g++", "-O3", "-march=native", "-std=c++17", str(source), "-o", str(fresh)], "building the probe")
        fresh.replace(program)
    return program
