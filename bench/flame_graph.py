#!/usr/bin/env python3
"""Draws where processor time goes: merges the stacks that `perf script` prints into an SVG and prints two tables.

A frame is as wide as its part of the samples and stands on the one that called it; the lowest row is everything,
the row above it the threads by their names, those of all processes together. A frame's figures show when the
pointer rests on it. Time that a thread waits is not in it: perf samples what runs. The picture needs no script
and no other file.

The tables go to standard output: percent by thread, and the functions with the most time of their own, callees
not counted. Nothing is left out of them.
"""
import argparse
import collections
import html
import re
import sys
import zlib

EXAMPLE = """example:
  perf record -e cpu-clock -F 99 --call-graph dwarf,32768 -p PID -- sleep 20
  perf script --no-inline | bench/flame_graph.py --title "one node" > node.svg

bench/profile.sh does this for the nodes of a benchmark."""

ROW_HEIGHT = 17
FONT_SIZE = 11
# Of a monospaced font; the viewer chooses which one, so a little more than most need.
CHARACTER_WIDTH = 6.8
MARGIN = 10
HEAD_HEIGHT = 52

# Where the stack of a whole thread ends. perf keeps only the top bytes of each stack: one that ends elsewhere was
# cut there.
THREAD_BEGINNINGS = {"__clone3", "clone3", "__clone", "clone", "_start", "ret_from_fork_asm", "ret_from_fork"}
# They only call what matters.
PLUMBING = THREAD_BEGINNINGS | {"start_thread", "execute_native_thread_routine", "std::thread::_State_impl::_M_run",
                                "std::_Function_handler::_M_invoke"}

# "executor 4127 13501.56:", "executor 4100/4127 [001] 13501.56: 10101010 cpu-clock:"; a name may have spaces.
SAMPLE = re.compile(r"^\s*(?P<thread>\S.*?)\s+\d+(?:/\d+)?\s+(?:\[\d+\]\s+)?\d+\.\d+:")
FRAME = re.compile(r"^\s+[0-9a-f]+ (?P<symbol>.*) \((?P<file>[^()]*?)(?: \(deleted\))?\)$")
# Their brackets are no brackets.
OPERATOR = re.compile(r"operator(\(\)|<=>|<<=|>>=|->\*|<<|>>|->|<=|>=|<|>|(?= ))")
QUALIFIERS = re.compile(r"(\s*(const|volatile|noexcept|&&?))+$")
# The place in the function, the jump to a library, a library's version, an ABI's tag, the compiler's copies.
ADDITIONS = re.compile(r"\+0x[0-9a-f]+$|\$plt$|@@?[A-Z]+_[\w.]+$|\[abi:\w+\]|\s?\[clone [^\]]*\]|"
                       r"(\.(isra|part|constprop|cold|lto_priv)(\.\d+)*)+$")


def without_arguments(name):
    """The name without what stands in <> and (): template arguments and parameters."""
    out = []
    depth = 0
    at = 0
    while at < len(name):
        operator = OPERATOR.match(name, at) if depth == 0 and (at == 0 or name[at - 1] in ": ") else None
        if operator:
            # The blank of "operator new" must not look like the one behind a return type.
            out.append(operator.group() if operator.group(1) else "operator\0")
            at = operator.end() + (0 if operator.group(1) else 1)
            continue
        character = name[at]
        if character in "<({":
            if depth == 0 and name.startswith("{lambda", at):
                out.append("lambda")
            depth += 1
        elif character in ")}" or (character == ">" and name[at - 1] != "-"):
            depth = max(0, depth - 1)
        elif depth == 0:
            out.append(character)
        at += 1
    return "".join(out)


def short_name(symbol):
    """A C++ function as a person would call it: `ledger::Chain::apply`. Names of C stay as they are."""
    name = ADDITIONS.sub("", symbol).replace("(anonymous namespace)::", "")
    name = QUALIFIERS.sub("", without_arguments(name)).strip()
    # What is left before the last blank is the type that a template returns.
    name = name.split(" ")[-1].replace("\0", " ")
    name = name.replace("lambda::operator()", "lambda").replace("std::__cxx11::", "std::")
    return name.removeprefix("baolian::") or symbol


def frame_name(symbol, file):
    """Without a symbol the file says at least which library it is."""
    if symbol != "[unknown]":
        return short_name(symbol)
    return "[" + file.strip("[]").rsplit("/", 1)[-1] + "]"


def read_samples(lines):
    """Yields (thread, frames from the innermost outwards) for every sample."""
    thread, frames = None, []
    for line in lines:
        frame = FRAME.match(line) if thread is not None else None
        if frame:
            # Neither function nor file: perf's mark that it got no further.
            if frame["symbol"] != "[unknown]" or frame["file"] != "[unknown]":
                frames.append(frame_name(frame["symbol"], frame["file"]))
            continue
        sample = SAMPLE.match(line)
        if (sample or not line.strip()) and thread is not None:
            yield thread, frames
            thread, frames = None, []
        if sample:
            thread = sample["thread"]
    if thread is not None:
        yield thread, frames


def fold(samples):
    """Counts equal stacks, from the thread inwards. Also returns how many were cut at their outer end."""
    stacks = collections.Counter()
    cut = 0
    for thread, frames in samples:
        cut += not frames or frames[-1] not in THREAD_BEGINNINGS
        stack = [thread]
        for name in reversed(frames):
            # The outermost frame of libstdc++ is std::thread's, which has no symbol in distributions.
            is_plumbing = name in PLUMBING or (len(stack) == 1 and name.startswith("[libstdc++"))
            # Overloads and templates that call themselves are one frame: their names are equal now.
            if not is_plumbing and name != stack[-1]:
                stack.append(name)
        stacks[tuple(stack)] += 1
    return stacks, cut


class Frame:
    """A function in one place of the tree: the samples in it and in what it calls."""

    def __init__(self):
        self.count = 0
        self.children = collections.defaultdict(Frame)


def tree_of(stacks):
    root = Frame()
    for stack, count in stacks.items():
        root.count += count
        at = root
        for name in stack:
            at = at.children[name]
            at.count += count
    return root


def places(frame, name, count_min, left=0, row=0):
    """Yields (name, count, samples to the left, row) of all frames that are drawn, widest child first."""
    yield name, frame.count, left, row
    for child_name, child in sorted(frame.children.items(), key=lambda item: (-item[1].count, item[0])):
        if child.count >= count_min:
            yield from places(child, child_name, count_min, left, row + 1)
        left += child.count


def colour(name):
    """Red to yellow, the same for the same function in every picture."""
    value = zlib.crc32(name.encode())
    return f"#f{8 + value % 8:x}{6 + (value >> 8) % 8:x}{(value >> 16) % 16:x}{3 + (value >> 24) % 4:x}0"


def clipped(name, percent, width):
    """What fits: the percent goes first, then outer namespaces, then the end of the name."""
    room = int((width - 6) / CHARACTER_WIDTH)
    whole = f"{name} {percent:.1f} %"
    if len(whole) <= room:
        return whole
    parts = name.split("::")
    for i in range(len(parts)):
        rest = "::".join(parts[i:])
        if len(rest) <= room:
            return rest
    return parts[-1][: room - 1] + "…" if room >= 4 else ""


def frame_svg(name, part, count, box):
    x, y, width = box
    text = clipped(name, 100 * part, width)
    label = f'<text x="{x + 3:.1f}" y="{y + 12}">{html.escape(text, quote=False)}</text>' if text else ""
    title = html.escape(f"{name}: {count:,} samples, {100 * part:.2f} %", quote=False)
    return (f'<g><title>{title}</title><rect x="{x:.1f}" y="{y}" width="{width:.1f}" fill="{colour(name)}"/>'
            f"{label}</g>")


def svg(root, title, width, percent_min):
    count_min = max(1, root.count * percent_min / 100)
    frames = list(places(root, "all", count_min))
    rows = 1 + max(row for _, _, _, row in frames)
    height = HEAD_HEIGHT + rows * ROW_HEIGHT + MARGIN
    scale = (width - 2 * MARGIN) / max(1, root.count)
    note = (f"{root.count:,} samples. Width: part of the processor time. Lowest row but one: threads. "
            f"Frames below {percent_min:g} % are left out.")
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f"<style>text{{font:{FONT_SIZE}px monospace}}.head{{font:bold 16px sans-serif}}.note{{font-family:sans-serif}}"
        f"g rect{{height:{ROW_HEIGHT - 1}px}}g:hover rect{{stroke:#000}}</style>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text class="head" x="{MARGIN}" y="22">{html.escape(title, quote=False)}</text>',
        f'<text class="note" x="{MARGIN}" y="40">{note}</text>',
    ]
    for name, count, left, row in frames:
        box = (MARGIN + left * scale, height - MARGIN - (row + 1) * ROW_HEIGHT, count * scale)
        out.append(frame_svg(name, count / root.count, count, box))
    return "\n".join([*out, "</svg>", ""])


def print_tables(stacks, cut, out):
    total = sum(stacks.values())
    threads = collections.Counter()
    own = collections.Counter()
    for stack, count in stacks.items():
        threads[stack[0]] += count
        # A sample without a frame counts for its thread only.
        own[stack[-1] if len(stack) > 1 else "[no stack]"] += count
    print(f"{total:,} samples; {100 * cut / total:.1f} % of the stacks cut at their outer end", file=out)
    for head, rows in (("by thread", threads.most_common()), ("own time, top 15", own.most_common(15))):
        print(f"\n  {head:<56} percent", file=out)
        for name, count in rows:
            print(f"    {name:<54} {100 * count / total:7.2f}", file=out)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLE,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", nargs="?", default="-", help="what perf script printed; -: standard input (default)")
    parser.add_argument("-o", "--output", metavar="FILE", help="the SVG (default: standard output, tables then to "
                        "standard error)")
    parser.add_argument("--title", default="Processor time", help="above the picture")
    parser.add_argument("--width", type=int, default=1400, metavar="PIXELS", help="of the picture (default: 1400)")
    parser.add_argument("--min-percent", type=float, default=0.3, metavar="P",
                        help="frames below are left out of the picture (default: 0.3)")
    parser.add_argument("--folded", metavar="FILE", help="also write the merged stacks: frames with ; between, a count")
    arguments = parser.parse_args()
    if arguments.width < 200 or not 0 <= arguments.min_percent < 100:
        parser.error("a width of 200 or more, a percent from 0 to below 100")
    return arguments


def main():
    arguments = parse_arguments()
    try:
        with open(0 if arguments.input == "-" else arguments.input, encoding="utf-8", errors="replace") as lines:
            stacks, cut = fold(read_samples(lines))
    except OSError as error:
        sys.exit(f"flame_graph.py: {error}")
    if not stacks:
        sys.exit("flame_graph.py: no samples in the input; it must be what perf script prints")
    picture = svg(tree_of(stacks), arguments.title, arguments.width, arguments.min_percent)
    if arguments.folded:
        with open(arguments.folded, "w", encoding="utf-8") as file:
            file.writelines(f"{';'.join(stack)} {count}\n" for stack, count in sorted(stacks.items()))
    if arguments.output:
        with open(arguments.output, "w", encoding="utf-8") as file:
            file.write(picture)
        print_tables(stacks, cut, sys.stdout)
    else:
        sys.stdout.write(picture)
        print_tables(stacks, cut, sys.stderr)


if __name__ == "__main__":
    main()
