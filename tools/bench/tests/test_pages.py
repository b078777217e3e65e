import io
import unittest
import xml.etree.ElementTree as ElementTree

from runnel_bench import chart, table
from runnel_bench.cases import SIZES, Case, cases, parsed_sizes
from runnel_bench.progress import Progress, minutes


def result(runtime, title, weights, nanoseconds, **case):
    shape = {"cell": "lstm", "input": 64, "hidden": 128, "streams": 1, "frames": 1, **case}
    return {
        **shape, "runtime": runtime, "title": title, "weights": weights, "way": "w", "deviation": 1e-7,
        "callNs": nanoseconds, "fastestNs": nanoseconds, "slowestNs": 1.25 * nanoseconds,
    }


def document(results, gaps=()):
    return {
        "cpu": "Some & CPU <x>", "date": "2026-01-02", "rounds": 7, "versions": {"Runnel": "abc", "peer": "1.2"},
        "notes": ["a note"], "results": results, "gaps": list(gaps),
    }


RESULTS = [
    result("torch", "PyTorch", "f32", 9000.0),
    result("runnel", "Runnel", "f32", 2000.0),
    result("runnel", "Runnel", "int8", 700.0),
    result("torch", "PyTorch", "int8", 600.0),
    result("torch", "PyTorch", "f32", 64000.0, streams=64),
]


class TableTests(unittest.TestCase):
    def test_runnel_comes_first_and_the_best_of_each_type_is_bold(self):
        lines = table.markdown_table(RESULTS, [Case("lstm", 64, 128)], ["64, 128"]).splitlines()
        self.assertEqual(
            lines[2:],
            [
                "| Runnel, f32 | **2.00k** |", "| Runnel, int8 | 700 |",
                "| PyTorch, f32 | 9.00k |", "| PyTorch, int8 | **600** |",
            ],
        )

    def test_times_are_those_of_a_frame_of_a_stream(self):
        lines = table.markdown_table(RESULTS, [Case("lstm", 64, 128, streams=64)], ["x"]).splitlines()
        self.assertEqual(lines[2:], ["| PyTorch, f32 | **1.00k** |"])

    def test_numbers_have_three_digits(self):
        found = [table.nanoseconds(value) for value in (9.87, 45.23, 99.97, 441.2, 999.7, 2214, 12345, 309200, 1518000)]
        self.assertEqual(found, ["9.9", "45.2", "100", "441", "1.00k", "2.21k", "12.3k", "309k", "1.52M"])

    def test_the_page_says_cpu_date_and_versions_and_what_is_missing(self):
        gap = {**result("litert", "LiteRT", "f32", 0), "reason": "no wheel"}
        page = table.full_page(document(RESULTS, [gap, gap]))
        for words in ("Some & CPU <x>", "2026-01-02", "Runnel abc, peer 1.2", "a note.", "is 25% above"):
            self.assertIn(words, page)
        self.assertIn("LiteRT, f32: no wheel (2 cases)", page)


class ReadmeTests(unittest.TestCase):
    def test_only_what_is_between_the_markers_changes(self):
        text = f"before\n{table.START}\nold\n{table.END}\nafter\n"
        new = table.with_section(text, "new\n")
        self.assertEqual(new, f"before\n{table.START}\nnew\n{table.END}\nafter\n")

    def test_a_text_without_its_markers_is_refused(self):
        for text in ("", table.START, f"{table.END}{table.START}", f"{table.START}{table.START}{table.END}"):
            with self.assertRaisesRegex(ValueError, "single pair"):
                table.with_section(text, "new")


class ChartTests(unittest.TestCase):
    def test_the_picture_is_xml_with_a_line_for_each_row_of_single_streams(self):
        root = ElementTree.fromstring(chart.svg(document(RESULTS)))
        lines = root.findall("{http://www.w3.org/2000/svg}polyline")
        self.assertEqual(len(lines), 4)

    def test_slower_is_higher(self):
        root = ElementTree.fromstring(chart.svg(document(RESULTS)))
        heights = {
            line.get("stroke") + line.get("stroke-dasharray"): float(line.get("points").split(",")[1])
            for line in root.findall("{http://www.w3.org/2000/svg}polyline")
        }
        self.assertLess(heights[chart.COLOURS["torch"]], heights[chart.COLOURS["runnel"]])


class CaseTests(unittest.TestCase):
    def test_sizes_are_read(self):
        self.assertEqual(parsed_sizes("1x8, 64x128"), [(1, 8), (64, 128)])

    def test_sizes_that_are_none_are_refused(self):
        for text in ("", "8", "1x", "1x0", "ax8", "1x8,", "-1x8", "1x8x9"):
            with self.assertRaisesRegex(ValueError, "expected INPUTxHIDDEN"):
                parsed_sizes(text)

    def test_all_modes_are_there(self):
        modes = [case.mode for case in cases(SIZES)]
        self.assertEqual([modes.count(mode) for mode in ("stream", "streams", "sequence")], [22, 4, 4])


class ProgressTests(unittest.TestCase):
    def test_time_left_is_that_of_the_steps_to_come(self):
        stream, times = io.StringIO(), iter([0.0, 10.0, 20.0])
        progress = Progress(4, stream, lambda: next(times))
        progress.advance("one")
        progress.advance("two")
        self.assertEqual(stream.getvalue(), "[1/4] one; 0:30 left\n[2/4] two; 0:20 left\n")

    def test_minutes(self):
        self.assertEqual([minutes(5), minutes(760.4)], ["0:05", "12:40"])
