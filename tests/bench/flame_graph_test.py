#!/usr/bin/env python3
"""bench/flame_graph.py: names are shortened, equal stacks merge by thread, the SVG has every frame above the limit."""
import io
import pathlib
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / "bench" / "flame_graph.py"
sys.dont_write_bytecode = True
sys.path.insert(0, str(PROGRAM.parent))
import flame_graph  # noqa: E402  (only now can it be found)

# Two threads of one name in two processes, one with a recursion, a stack that was cut, a name with a blank.
STACKS = """executor 100/101  5.000001:
\t            10 [unknown] (/usr/lib/libcrypto.so.3)
\t            20 baolian::ledger::Chain::apply (/opt/baoliand)
\t            30 start_thread (/usr/lib/libc.so.6)
\t            40 clone3 (/usr/lib/libc.so.6)

executor 200/201 [001]  5.000002:   10101010 cpu-clock:
\t            10 [unknown] (/usr/lib/libcrypto.so.3 (deleted))
\t            20 baolian::ledger::Chain::apply(baolian::Block const&)+0x1f (/opt/baoliand)
\t            21 void baolian::ledger::Chain::apply<int>(int) (/opt/baoliand)
\t            30 start_thread (/usr/lib/libc.so.6)
\t            40 clone3 (/usr/lib/libc.so.6)

rocksdb low 100/103  5.000003:
\t            50 rocksdb::Block::next<&a> (/usr/lib/librocksdb.so)
\tffffffffffffffff [unknown] ([unknown])
"""

NAMES = {
    "baolian::ledger::Chain::apply(baolian::ledger::Block const&, std::vector<int>) const": "ledger::Chain::apply",
    "baolian::(anonymous namespace)::read_row(int) [clone .isra.0]": "read_row",
    "baolian::node::Replica::run()::{lambda(int)#2}::operator()(int) const": "node::Replica::run::lambda",
    "void boost::asio::detail::call<a::b<c>, std::less<int> >(x (*)(y))": "boost::asio::detail::call",
    "decltype (((a)->b)()) std::__invoke_impl<x>(y)&&": "std::__invoke_impl",
    "std::ostream& std::operator<< <char>(int)": "std::operator<<",
    "bool baolian::core::operator<=>(baolian::A const&, int)": "core::operator<=>",
    "baolian::Text::operator bool() const": "Text::operator bool",
    "operator new(unsigned long)": "operator new",
    "operator delete[](void*)": "operator delete[]",
    "clock_gettime@@GLIBC_2.17": "clock_gettime",
    "finish_task_switch.isra.0": "finish_task_switch",
    "SHA256_Update": "SHA256_Update",
}


class FlameGraphTest(unittest.TestCase):
    def test_names_lose_arguments_and_the_outer_namespace(self):
        for symbol, name in NAMES.items():
            self.assertEqual(flame_graph.short_name(symbol), name)

    def test_stacks_merge_by_the_name_of_the_thread(self):
        stacks, cut = flame_graph.fold(flame_graph.read_samples(io.StringIO(STACKS)))
        self.assertEqual(stacks, {("executor", "ledger::Chain::apply", "[libcrypto.so.3]"): 2,
                                  ("rocksdb low", "rocksdb::Block::next"): 1})
        self.assertEqual(cut, 1)

    def test_text_is_clipped_to_its_frame(self):
        self.assertEqual(flame_graph.clipped("ledger::Chain::apply", 12.34, 400), "ledger::Chain::apply 12.3 %")
        self.assertEqual(flame_graph.clipped("ledger::Chain::apply", 12.34, 100), "Chain::apply")
        self.assertEqual(flame_graph.clipped("ledger::Chain::apply", 12.34, 36), "app…")
        self.assertEqual(flame_graph.clipped("ledger::Chain::apply", 12.34, 8), "")

    def run_program(self, directory, *options):
        picture = pathlib.Path(directory) / "picture.svg"
        done = subprocess.run([sys.executable, PROGRAM, "-o", picture, *options], input=STACKS, capture_output=True,
                              text=True, check=True)
        root = xml.etree.ElementTree.parse(picture).getroot()
        titles = [title.text for title in root.iter("{http://www.w3.org/2000/svg}title")]
        return done.stdout, titles

    def test_the_picture_has_the_frames_and_the_tables_the_percents(self):
        with tempfile.TemporaryDirectory() as directory:
            folded = pathlib.Path(directory) / "folded"
            tables, titles = self.run_program(directory, "--title", "<a & b>", "--folded", folded)
            self.assertEqual(titles, ["all: 3 samples, 100.00 %", "executor: 2 samples, 66.67 %",
                                      "ledger::Chain::apply: 2 samples, 66.67 %",
                                      "[libcrypto.so.3]: 2 samples, 66.67 %", "rocksdb low: 1 samples, 33.33 %",
                                      "rocksdb::Block::next: 1 samples, 33.33 %"])
            self.assertRegex(tables, r"3 samples; 33\.3 % of the stacks cut")
            self.assertRegex(tables, r"rocksdb low +33\.33\n")
            self.assertEqual(folded.read_text(encoding="utf-8").splitlines()[0],
                             "executor;ledger::Chain::apply;[libcrypto.so.3] 2")

    def test_rare_frames_are_left_out_of_the_picture_only(self):
        with tempfile.TemporaryDirectory() as directory:
            tables, titles = self.run_program(directory, "--min-percent", "50")
            self.assertEqual(len(titles), 4)
            self.assertIn("rocksdb::Block::next", tables)

    def test_input_without_samples_is_an_error(self):
        done = subprocess.run([sys.executable, PROGRAM], input="nothing\n", capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no samples", done.stderr)


if __name__ == "__main__":
    unittest.main()
