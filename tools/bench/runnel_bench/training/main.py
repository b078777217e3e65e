"""`tools/bench/training`: Runnel and PyTorch train the same networks in turns, in one run."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from .. import build, machine
from ..candidates import CandidateFailure, Restarted
from ..files import write_whole
from ..progress import Progress
from ..tool import ToolFailure
from . import chart, noise, page, speed, task, trainers

ROUNDS, QUICK_ROUNDS = 7, 3
#: What losses are compared on, and for how many epochs.
CURVES = [task.Case("lstm", 128, "one-hot"), task.Case("gru", 64, "index")]
SEEDS, EPOCHS = 3, 24


def arguments(words):
    parser = argparse.ArgumentParser(
        prog="tools/bench/training",
        description="Trains the same character models with Runnel and with PyTorch, in turns: characters a second with "
        "the quotient that is required, and the losses of some seeds side by side. Writes training.md, training.svg "
        "and training.json beside itself; a run of some cases only writes to .work instead. Fails where a quotient is "
        "less than required or losses differ.",
    )
    parser.add_argument("--quick", action="store_true", help="one-hot of 32 and 128 units only, three rounds")
    parser.add_argument("--cells", help=f"some of {','.join(task.CELLS)}")
    parser.add_argument("--units", help=f"instead of {','.join(map(str, task.UNITS))}")
    parser.add_argument("--inputs", help=f"some of {','.join(task.INPUTS)}")
    parser.add_argument("--rounds", type=int, help=f"turns of both (default: {ROUNDS})")
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"of each curve, from 2 (default: {SEEDS})")
    parser.add_argument("--threads", type=int, default=2, help="of both (default: 2)")
    options = parser.parse_args(words)
    options.is_partial = options.quick or any((options.cells, options.units, options.inputs))
    options.cells = chosen(parser, "--cells", options.cells, task.CELLS)
    options.inputs = chosen(parser, "--inputs", options.inputs, ["one-hot"] if options.quick else task.INPUTS)
    try:
        default = [32, 128] if options.quick else task.UNITS
        options.units = [int(word) for word in options.units.split(",")] if options.units else default
    except ValueError:
        parser.error(f"--units: found {options.units}, expected numbers with commas between them")
    if options.rounds is None:
        options.rounds = QUICK_ROUNDS if options.quick else ROUNDS
    for name, value, least in (
        ("units", min(options.units), 1),
        ("rounds", options.rounds, 1),
        ("seeds", options.seeds, 2),
        ("threads", options.threads, 1),
    ):
        if value < least:
            parser.error(f"--{name}: found {value}, expected at least {least}")
    return options


def chosen(parser, option, words, known):
    if words is None:
        return known
    names = words.split(",")
    unknown = [name for name in names if name not in known]
    if unknown:
        parser.error(f"{option}: found {', '.join(unknown)}, expected some of {', '.join(known)}")
    return names


def curve(case, ours, theirs, seeds):
    """The losses of both trainers, and what `noise` makes of them."""
    losses = [
        [trainer.train(case, 0, EPOCHS, seed)["losses"] for seed in range(1, seeds + 1)] for trainer in (ours, theirs)
    ]
    return {**case.as_dict(), "runnel": losses[0], "torch": losses[1], **noise.compare(*losses)}


def measure(options):
    machine.pin_to(options.threads)
    Progress(0).say("building runnel")
    tool = build.runnel()
    cases = task.cases(options.cells, options.units, options.inputs)
    curves = [case for case in CURVES if case in cases or not options.is_partial] or cases[:1]
    progress = Progress(len(cases) + len(curves))
    build.WORK.mkdir(exist_ok=True)
    with open(build.WORK / "training.log", "w") as log, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text_file = folder / "text.txt"
        text_file.write_text(task.text())
        ours = trainers.Runnel(tool, text_file, folder, options.threads)
        theirs = trainers.PyTorch(text_file, log, options.threads)
        try:
            speeds, losses = [], []
            for case in cases:
                speeds.append(speed.compare(case, ours, theirs, options.rounds))
                progress.advance(f"{case.title}: {speeds[-1]['ratio']:.2f}")
            for case in curves:
                losses.append(curve(case, ours, theirs, options.seeds))
                progress.advance(f"losses of {case.title}")
        finally:
            theirs.close()
        torch = {theirs.process.about["distribution"]: theirs.process.about["version"]}
    commit = build.run(["git", "rev-parse", "--short", "HEAD"], "finding the commit").strip()
    return {
        "cpu": machine.cpu_name(),
        "date": machine.today(),
        "threads": options.threads,
        "rounds": options.rounds,
        "versions": {"Runnel": commit, **torch},
        "speeds": speeds,
        "curves": losses,
    }


def write(document, folder):
    write_whole(folder / "training.json", json.dumps(document, indent=1) + "\n")
    write_whole(folder / "training.svg", chart.svg(document))
    write_whole(folder / "training.md", page.full_page(document))


def main(words=None):
    options = arguments(words)
    try:
        document = measure(options)
        folder = build.WORK if options.is_partial else build.BENCH
        write(document, folder)
    except (build.BuildFailure, CandidateFailure, Restarted, ToolFailure, ValueError, OSError) as error:
        print(f"training: {error}", file=sys.stderr)
        return 1
    print(page.full_page(document))
    print(folder / "training.md")
    return 0 if all(part["passes"] for part in document["speeds"]) and all_agree(document) else 1


def all_agree(document):
    return all(curve["agrees"] for curve in document["curves"])


if __name__ == "__main__":
    sys.exit(main())
