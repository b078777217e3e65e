"""`tools/bench/bench`: Runnel beside its peers, in one run."""

import argparse
import json
import platform
import sys
import tempfile
from pathlib import Path

from . import build, chart, machine, peers, table
from .candidates import CandidateFailure, Peer, PeerProcess, Runnel
from .cases import QUICK_SIZES, SIZES, cases, parsed_sizes
from .comparison import Comparison, Disagreement
from .files import write_whole
from .peers import Unavailable
from .progress import Progress
from .tool import ToolFailure

ROUNDS, QUICK_ROUNDS = 7, 3
README = build.ROOT / "README.md"


def arguments(words):
    parser = argparse.ArgumentParser(
        prog="tools/bench/bench",
        description="Measures Runnel and its peers side by side: the same cells with the same weights, in turns, one "
        "thread, states kept, inputs bound. Checks every output against the cell in float64. Writes results.md, "
        "results.svg and results.json beside itself and the table in the README; a run with some sizes or peers only "
        "writes to .work instead.",
    )
    parser.add_argument("--quick", action="store_true", help="two sizes, three rounds")
    parser.add_argument(
        "--peers", metavar="A,B", help="some of " + ", ".join(peers.MODULES) + ", or none of them: ''"
    )
    parser.add_argument("--sizes", metavar="1x8,64x128", help="INPUTxHIDDEN, instead of all")
    parser.add_argument("--rounds", type=int, help=f"turns of each candidate (default: {ROUNDS})")
    parser.add_argument("--no-readme", action="store_true", help="leave the README as it is")
    parser.add_argument("--core", type=int, help="the core to run on (default: the first that is allowed)")
    options = parser.parse_args(words)
    options.is_partial = options.quick or options.sizes is not None or options.peers is not None
    options.writes_readme = not options.no_readme and not options.is_partial
    try:
        default = QUICK_SIZES if options.quick else SIZES
        options.sizes = parsed_sizes(options.sizes) if options.sizes else default
    except ValueError as error:
        parser.error(f"--sizes: {error}")
    chosen = ",".join(peers.MODULES) if options.peers is None else options.peers
    options.peers = [name for name in chosen.split(",") if name]
    unknown = [name for name in options.peers if name not in peers.MODULES]
    if unknown:
        parser.error(f"--peers: found {', '.join(unknown)}, expected some of {', '.join(peers.MODULES)}")
    if options.rounds is None:
        options.rounds = QUICK_ROUNDS if options.quick else ROUNDS
    if options.rounds < 1:
        parser.error(f"--rounds: found {options.rounds}, expected 1 or more")
    return options


#: Titles and options of Runnel's rows, by types of weights.
RUNNEL_ROWS = [
    ("f32", "Runnel", []),
    ("f16", "Runnel", []),
    ("bf16", "Runnel", []),
    ("int8", "Runnel (16-bit inputs)", ["--activation-bits", "16"]),
    ("int8", "Runnel (8-bit inputs)", ["--activation-bits", "8"]),
]


def candidates_of(options, tool, log, progress):
    """All candidates, and the processes of the peers."""
    candidates = [Runnel(tool, weight_type, title, extra) for weight_type, title, extra in RUNNEL_ROWS]
    processes = []
    for name in options.peers:
        try:
            process = PeerProcess(name, log)
        except (Unavailable, CandidateFailure) as reason:
            progress.say(f"skipped: {reason}")
            continue
        processes.append(process)
        candidates += [Peer(process, weight_type) for weight_type in process.about["weightTypes"]]
    return candidates, processes


def versions(processes):
    """The versions of what was measured."""
    found = {"Runnel": build.run(["git", "rev-parse", "--short", "HEAD"], "finding the commit").strip()}
    for process in processes:
        found[process.about["distribution"]] = process.about["version"]
    found["Python"] = platform.python_version()
    return found


def measure(options):
    core = machine.pin(options.core)
    progress = Progress(0)
    progress.say("building runnel")
    tool = build.runnel()
    all_cases = cases(options.sizes)
    progress = Progress(len(all_cases))
    build.WORK.mkdir(exist_ok=True)
    with open(build.WORK / "peers.log", "w") as log, tempfile.TemporaryDirectory() as folder:
        candidates, processes = candidates_of(options, tool, log, progress)
        try:
            comparison = Comparison(candidates, Path(folder), options.rounds, progress)
            for case in all_cases:
                comparison.run(case)
        finally:
            for process in processes:
                process.close()
    for text in table.gap_list(comparison.gaps).splitlines():
        progress.say(f"not measured {text}")
    notes = []
    without_amx = [process.name for process in processes if process.without_amx]
    if without_amx:
        notes.append(f"AMX, which this CPU lists and this machine traps, is off for {', '.join(without_amx)}")
    return {
        "cpu": machine.cpu_name(), "cpuKey": machine.cpu_key(), "date": machine.today(), "core": core,
        "rounds": options.rounds, "versions": versions(processes), "notes": notes,
        "results": comparison.results, "gaps": comparison.gaps,
    }


def write(document, options):
    """Writes the pages, the README last."""
    folder = build.WORK if options.is_partial else build.BENCH
    write_whole(folder / "results.json", json.dumps(document, indent=1) + "\n")
    write_whole(folder / "results.svg", chart.svg(document))
    write_whole(folder / "results.md", table.full_page(document))
    if options.writes_readme:
        write_whole(README, table.with_section(README.read_text(), table.readme_section(document)))
    print(folder / "results.md")


def main(words=None):
    options = arguments(words)
    try:
        if options.writes_readme:
            table.with_section(README.read_text(), "")  # Fails now rather than after all is measured.
        document = measure(options)
        write(document, options)
    except (build.BuildFailure, CandidateFailure, Disagreement, ToolFailure, ValueError, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
