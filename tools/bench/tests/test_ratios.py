import contextlib
import io
import json
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from runnel_bench import machine, metrics, ratios, thresholds
from runnel_bench.metrics import Measurement, Metric, step_bound
from runnel_bench.peers import Unavailable


class FakeTool:
    """A tool whose steps take so many nanoseconds by the type of weights."""

    def __init__(self, times):
        self.times = times

    def bench(self, arguments, frames="100"):
        weights = arguments[arguments.index("--weights") + 1] if "--weights" in arguments else "f32"
        if weights not in self.times:
            raise Unavailable(f"no {weights}")
        return {"medianNs": self.times[weights]}


class Silent:
    def advance(self, what):
        self.last = what

    say = advance


def probe(program, *arguments):
    if arguments == ("peaks",):
        return {("-", "fma_peak"): 100.0}
    return {(arguments[0], f"limit_{name}"): limit for name, limit in
            {"f32": 100.0, "f16": 80.0, "bf16": 50.0, "int8": 40.0}.items()}


class MetricTests(unittest.TestCase):
    def measurement(self, times):
        patch = mock.patch.object(metrics, "probe_figures", probe)
        patch.start()
        self.addCleanup(patch.stop)
        return Measurement(FakeTool(times), "limits", 3, Silent())

    def test_steps_are_quotients_by_the_limit_of_their_type(self):
        found = self.measurement({"f32": 104, "bf16": 60, "int8": 44}).steps("lstm", (64, 128))
        self.assertEqual(
            {metric.name: (metric.value, metric.passes) for metric in found},
            {
                "LSTM 64,128 f32": (1.04, True), "LSTM 64,128 bf16": (1.2, False), "LSTM 64,128 int8": (1.1, True),
                "LSTM 64,128 int8/16": (1.1, True),
            },
        )

    def test_what_a_build_has_not_is_missing_with_its_reason(self):
        measurement = self.measurement({"f32": 104})
        measurement.steps("gru", (1, 8))
        self.assertEqual(measurement.missing["GRU 1,8 f16"], "no f16")

    def test_streams_are_shares_of_the_peak(self):
        operations = 2 * 4 * 128 * 192 * 64
        found = self.measurement({"f32": operations / 85, "int8": operations / 250}).streams("lstm", (64, 128))
        values = {metric.name: (round(metric.value, 6), metric.passes) for metric in found}
        self.assertEqual(values["LSTM 64,128 f32, 64 streams"], (0.85, True))
        self.assertEqual(values["LSTM 64,128 int8, 64 streams, to f32"], (round(250 / 85, 6), True))

    def test_bounds_are_those_that_are_required(self):
        self.assertEqual([step_bound("f32", 32), step_bound("f32", 40)], [1.0, 1.05])
        self.assertEqual([step_bound("bf16", 24), step_bound("bf16", 32)], [None, 1.1])
        self.assertEqual([step_bound("int8", 40), step_bound("int8", 64), step_bound("int8/16", 64)], [None, 1.15, 1.6])


class ThresholdTests(unittest.TestCase):
    def test_a_fifth_worse_is_allowed_and_more_is_not(self):
        for lower, allowed, refused in ((True, 1.19, 1.21), (False, 0.84, 0.83)):
            self.assertTrue(thresholds.verdict({"m": 1.0}, [Metric("m", allowed, lower)]).passes)
            self.assertFalse(thresholds.verdict({"m": 1.0}, [Metric("m", refused, lower)]).passes)

    def test_a_threshold_that_nothing_was_measured_for_fails(self):
        self.assertEqual(thresholds.verdict({"m": 1.0}, []).unmeasured, ["m"])

    def test_a_new_metric_passes(self):
        self.assertTrue(thresholds.verdict({}, [Metric("m", 9.0, True)]).passes)

    def test_the_better_of_two_measurements_counts(self):
        first = [Metric("time", 1.3, True), Metric("share", 0.5, False)]
        second = [Metric("time", 1.1, True), Metric("share", 0.4, False)]
        self.assertEqual([metric.value for metric in thresholds.better_of(first, second)], [1.1, 0.5])

    def test_an_update_keeps_the_other_cpus(self):
        table = {"b/1/2": {"name": "B", "date": "d", "metrics": {"m": 1.0}}}
        new = thresholds.updated(table, "a/3/4", "A", "d", [Metric("m", 1.23456, True)])
        self.assertEqual(list(new), ["a/3/4", "b/1/2"])
        self.assertEqual(new["a/3/4"]["metrics"], {"m": 1.23})

    def test_a_broken_file_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "thresholds.json"
            for text in ("", "[]", '{"a": {}}', '{"a": {"metrics": {"m": 0}}}', '{"a": {"metrics": {"m": "x"}}}'):
                path.write_text(text)
                with self.assertRaises(thresholds.ThresholdFault, msg=text):
                    thresholds.read(path)


class CheckTests(unittest.TestCase):
    """`ratios --check` as a whole, with a machine that is played."""

    def check(self, accepted, times, key="CPU"):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "thresholds.json"
            path.write_text(json.dumps({"CPU": {"name": "C", "date": "d", "metrics": accepted}}))
            output = io.StringIO()
            patches = [
                mock.patch.object(machine, "cpu_key", lambda: key),
                mock.patch.object(machine, "pin", lambda core: 0),
                mock.patch.object(machine, "has_wide_dot_products", lambda: True),
                mock.patch.object(metrics, "probe_figures", probe),
                mock.patch.object(ratios, "THRESHOLDS", path),
                mock.patch.object(ratios, "CHECK_SIZES", [(1, 32)]),
                mock.patch.object(ratios, "PAUSE", 0),
                mock.patch.object(
                    ratios, "measurement",
                    lambda options, progress: Measurement(times(), "limits", 1, progress)),
                contextlib.redirect_stdout(output),
                contextlib.redirect_stderr(output),
            ]
            with contextlib.ExitStack() as stack:
                for patch in patches:
                    stack.enter_context(patch)
                return ratios.main(["--check"]), output.getvalue()

    def test_as_good_as_accepted_passes(self):
        status, _ = self.check({"LSTM 1,32 f32": 1.0}, lambda: FakeTool({"f32": 110}))
        self.assertEqual(status, 0)

    def test_much_worse_fails_and_says_by_how_much(self):
        status, text = self.check({"LSTM 1,32 f32": 1.0}, lambda: FakeTool({"f32": 150}))
        self.assertEqual(status, 1)
        self.assertIn("LSTM 1,32 f32: found 1.500, accepted 1.000", text)
        self.assertIn("measuring again (5 of 5)", text)

    def test_one_slow_measurement_is_measured_again(self):
        class Recovering(FakeTool):
            def bench(self, arguments, frames="100"):
                self.times = {"f32": 100} if getattr(self, "asked", False) else {"f32": 500}
                self.asked = True
                return super().bench(arguments)

        status, text = self.check({"LSTM 1,32 f32": 1.0}, lambda: Recovering({"f32": 500}))
        self.assertEqual(status, 0)
        self.assertIn("measuring again (1 of 5)", text)

    def test_an_unknown_cpu_passes_and_says_so(self):
        status, text = self.check({"LSTM 1,32 f32": 1.0}, lambda: FakeTool({"f32": 900}), key="another")
        self.assertEqual(status, 0)
        self.assertIn("no thresholds for this CPU", text)

    def test_a_cpu_without_wide_dot_products_passes_the_check_only(self):
        with mock.patch.object(machine, "has_wide_dot_products", lambda: False), \
                contextlib.redirect_stderr(io.StringIO()):
            self.assertEqual(ratios.main(["--check"]), 0)
            self.assertEqual(ratios.main([]), 69)
