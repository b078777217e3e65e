import stat
import tempfile
import unittest
from pathlib import Path

import numpy as np

from runnel_bench.candidates import Restarted
from runnel_bench.cases import Case
from runnel_bench.cell import reference
from runnel_bench.comparison import Comparison, Disagreement
from runnel_bench.peers import Unavailable
from runnel_bench.tool import Tool, ToolFailure


class Silent:
    def advance(self, what):
        self.last = what

    def say(self, text):
        self.last = text


class Candidate:
    """Computes the reference itself, off by `error`, and takes `time` a call."""

    runtime, way, process = "fake", "call", None

    def __init__(self, title, time, calls, error=0.0, weight_type="f32", reason=None):
        self.title, self.time, self.calls, self.error = title, time, calls, error
        self.weight_type, self.reason = weight_type, reason

    def prepare(self, case, weights, folder):
        if self.reason:
            raise Unavailable(self.reason)
        self.weights = weights

    def outputs(self, frames):
        flat = frames.reshape(-1, *frames.shape[2:])
        yield "call", reference(self.weights, flat) + self.error

    def choose(self):
        self.calls.append((self.title, "choose"))

    def measure(self):
        self.calls.append((self.title, "measure"))
        return self.time


class ComparisonTests(unittest.TestCase):
    def compare(self, candidates, case=Case("gru", 3, 5), rounds=3):
        with tempfile.TemporaryDirectory() as folder:
            comparison = Comparison(candidates, Path(folder), rounds, Silent())
            comparison.run(case)
        return comparison

    def test_candidates_take_turns(self):
        calls = []
        self.compare([Candidate("a", 10, calls), Candidate("b", 20, calls)])
        self.assertEqual([title for title, did in calls if did == "measure"], ["a", "b"] * 3)

    def test_results_are_medians(self):
        candidate = Candidate("a", 0, [])
        times = iter([30.0, 10.0, 20.0])
        candidate.measure = lambda: next(times)
        result = self.compare([candidate]).results[0]
        self.assertEqual((result["callNs"], result["fastestNs"], result["slowestNs"]), (20.0, 10.0, 30.0))

    def test_wrong_outputs_stop_the_run(self):
        with self.assertRaisesRegex(Disagreement, "wrong f32 .*, GRU \\(3, 5\\): an output is 2e-05 off"):
            self.compare([Candidate("wrong", 1, [], error=2e-5)])

    def test_outputs_that_are_no_numbers_stop_the_run(self):
        with self.assertRaises(Disagreement):
            self.compare([Candidate("wrong", 1, [], error=np.nan, weight_type="int8")])

    def test_reduced_precision_has_its_own_tolerance(self):
        comparison = self.compare([Candidate("a", 1, [], error=5e-3, weight_type="bf16")])
        self.assertAlmostEqual(comparison.results[0]["deviation"], 5e-3)
        with self.assertRaises(Disagreement):
            self.compare([Candidate("a", 1, [], error=5e-3, weight_type="f16")])

    def test_what_is_unavailable_is_a_gap_and_the_others_go_on(self):
        comparison = self.compare([Candidate("a", 1, [], reason="not here"), Candidate("b", 2, [])])
        self.assertEqual([gap["reason"] for gap in comparison.gaps], ["not here"])
        self.assertEqual([result["title"] for result in comparison.results], ["b"])

    def test_a_worker_that_dies_for_good_is_a_gap(self):
        dead = Candidate("dead", 1, [])
        dead.prepare = lambda *_: (_ for _ in ()).throw(Restarted("it died", retry=False))
        comparison = self.compare([dead, Candidate("b", 2, [])])
        self.assertEqual([gap["reason"] for gap in comparison.gaps], ["it died"])
        self.assertEqual([result["title"] for result in comparison.results], ["b"])

    def test_a_worker_that_works_when_started_again_gets_back_what_it_had(self):
        class Process:
            def ask(self, **request):
                return {}

        prepared = []

        class Shared(Candidate):
            def prepare(self, case, weights, folder):
                prepared.append(self.title)
                super().prepare(case, weights, folder)
                if self.title == "b" and prepared.count("b") == 1:
                    raise Restarted("again", retry=True)

        a, b = Shared("a", 1, []), Shared("b", 2, [], weight_type="bf16")
        a.process = b.process = Process()
        comparison = self.compare([a, b])
        self.assertEqual(prepared, ["a", "b", "a", "b"])
        self.assertEqual([result["title"] for result in comparison.results], ["a", "b"])

    def test_many_streams_and_sequences_are_compared_too(self):
        for case in (Case("lstm", 3, 5, streams=4), Case("lstm", 3, 5, frames=9)):
            with self.assertRaises(Disagreement):
                self.compare([Candidate("wrong", 1, [], error=1e-3)], case)


class ToolTests(unittest.TestCase):
    """The runnel program, played by a script."""

    def tool(self, script):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = Path(folder.name) / "runnel"
        path.write_text("#!/bin/sh\n" + script)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return Tool(path)

    HELP = 'if [ "$1" = help ]; then echo "  --weights TYPE"; exit; fi\n'

    def test_figures_are_read(self):
        tool = self.tool(self.HELP + "echo '{\"medianNs\": 12.5}'\n")
        self.assertEqual(tool.bench(["--weights", "f16"])["medianNs"], 12.5)

    def test_an_option_that_the_build_has_not_is_unavailable(self):
        with self.assertRaisesRegex(Unavailable, "has no --sequence"):
            self.tool(self.HELP).bench(["--sequence", "9"])

    def test_a_value_that_the_build_has_not_is_unavailable(self):
        tool = self.tool(self.HELP + "echo \"runnel: 'f16' is not in this version\" >&2; exit 64\n")
        with self.assertRaisesRegex(Unavailable, "'f16' is not in this version"):
            tool.bench(["--weights", "f16"])

    def test_another_failure_is_one(self):
        tool = self.tool(self.HELP + "echo 'runnel: broken' >&2; exit 70\n")
        with self.assertRaisesRegex(ToolFailure, "broken"):
            tool.bench([])
