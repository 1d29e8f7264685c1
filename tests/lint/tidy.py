#!/usr/bin/env python3
"""Lint of the whole tree: layers, banned tokens, sizes, links. Prints every finding, exits 1 if there is one.

The layering table below is docs/ARCHITECTURE.md's; the test compares the two.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Folder -> folders whose headers it may include, besides its own.
LAYERS = {
    "core": [],
    "crypto": ["core"],
    "consensus": ["core", "crypto"],
    "ledger": ["core", "crypto"],
    "contracts": ["core", "crypto", "ledger"],
    "net": ["core", "crypto"],
    "vault": ["core", "crypto", "ledger", "contracts"],
    "gateway": ["core", "crypto", "ledger", "contracts", "vault"],
    "node": ["core", "crypto", "consensus", "ledger", "contracts", "net", "vault", "gateway"],
    "sim": ["core", "crypto", "consensus", "ledger", "contracts", "vault", "gateway", "node"],
}

# Outside library -> folders that may include it.
LIBRARIES = {
    "sodium": ["crypto"],
    "openssl/": ["crypto", "net"],
    "rocksdb/": ["ledger"],
    "boost/": ["net", "tools"],  # tools: the bench makes connections slow
    "nlohmann/": ["ledger", "gateway", "node", "tools"],
    "CLI/": ["tools"],
    "toml++/": ["node"],
    "spdlog/": ["node"],
    "fmt/": ["ledger", "net", "vault", "gateway", "node", "sim", "tools"],
}

# The pure core knows no clock, thread, socket, file, randomness, float or unordered iteration.
PURE = ["consensus", "contracts"]
PURE_BANNED = [
    "<chrono>", "<thread>", "<mutex>", "<atomic>", "<random>", "<fstream>", "<iostream>", "<filesystem>",
    "<unordered_map>", "<unordered_set>", "<ctime>", "<cstdlib>", "crypto/random.h", "float ", "double ", "rand(",
    "time(nullptr", "getenv",
]

findings = []


def finding(path, line, text):
    findings.append(f"{path.relative_to(ROOT)}:{line}: {text}")


def strip_comment(line):
    return re.sub(r'"(\\.|[^"\\])*"', '""', re.sub(r"//.*$", "", line)) if "#include" not in line else line


def sources():
    for base in ("src", "tools", "tests", "bench"):
        for path in sorted((ROOT / base).rglob("*")):
            if path.suffix in (".h", ".cpp"):
                yield path


def check_includes(path, folder, number, line):
    match = re.match(r'\s*#include\s+([<"])([^>"]+)[>"]', line)
    if not match:
        return
    name = match.group(2)
    if match.group(1) == '"':
        target = name.split("/")[0]
        if folder in LAYERS and target in LAYERS and target != folder and target not in LAYERS[folder]:
            finding(path, number, f"layer: {folder} may not include {name}")
        return
    for library, allowed in LIBRARIES.items():
        if name.startswith(library) and folder not in allowed and path.parts[len(ROOT.parts)] != "tests":
            finding(path, number, f"library: <{name}> belongs in {', '.join(allowed)} only")


def check_file(path):
    relative = path.relative_to(ROOT)
    top = relative.parts[0]
    folder = relative.parts[1] if top == "src" else top
    lines = path.read_text(encoding="utf-8").splitlines()
    limit = 1200 if top == "tests" else 800
    if len(lines) > limit:
        finding(path, len(lines), f"size: {len(lines)} lines, at most {limit}")
    if path.suffix == ".h" and "#pragma once" not in lines:
        finding(path, 1, "header without #pragma once")
    if path.suffix == ".cpp" and top == "src":
        own = f'#include "{relative.relative_to("src").with_suffix(".h").as_posix()}"'
        first = next((l for l in lines if l.startswith("#include")), None)
        if (path.with_suffix(".h")).exists() and first != own:
            finding(path, 1, f"the first include must be {own}")
    for number, line in enumerate(lines, 1):
        if len(line) > 100:
            finding(path, number, f"line of {len(line)} characters, at most 100")
        check_includes(path, folder, number, line)
        code = strip_comment(line)
        if top == "src" and folder in PURE:
            for token in PURE_BANNED:
                if token in code:
                    finding(path, number, f"purity: {token.strip()} in {folder}")
        if path.suffix == ".h" and re.match(r"\s*using namespace", code):
            finding(path, number, "using namespace in a header")
        if re.search(r"\b(TODO|FIXME|XXX)\b(?!\(#\d+\))", line):
            finding(path, number, "TODO without an issue number")
        if top == "tests" and "e2e" not in relative.parts and re.search(r"sleep_for|usleep\(|\bsleep\(", code):
            finding(path, number, "a test below e2e sleeps")
        if folder == "contracts" and "sha256(" in code and "hash_in_domain" not in code:
            finding(path, number, "a bare hash in a contract: use commit() or hash_in_domain()")
        if re.search(r"/(work|root|home)/\w", line):
            finding(path, number, "a path of some machine")
    if path.suffix == ".cpp" and top in ("src", "tools"):
        check_function_lengths(path, lines)


def check_function_lengths(path, lines):
    """A function body: from a line that ends in '{' at column 0 level to the '}' in column 0."""
    start = None
    for number, line in enumerate(lines, 1):
        if start is None and re.match(r"^[A-Za-z].*[)\w] ?(const|noexcept|override|\s)*\{$", line) and not re.match(
            r"^(namespace|struct|class|enum|union|extern)", line
        ):
            start = number
        elif line.startswith("}") and start is not None:
            if number - start + 1 > 72:
                finding(path, start, f"function of {number - start + 1} lines, at most 70")
            start = None


def check_beast():
    users = [p for p in sources() if "boost/beast" in p.read_text(encoding="utf-8")]
    if len(users) > 4:
        for path in users:
            finding(path, 1, "more than four files include Beast")


def check_layer_table():
    text = (ROOT / "docs/ARCHITECTURE.md").read_text(encoding="utf-8")
    table = dict(re.findall(r"^\| `src/(\w+)` \| ([^|]*) \|", text, re.M))
    for folder, allowed in LAYERS.items():
        stated = re.findall(r"\w+", table.get(folder, "missing"))
        if sorted(stated) != sorted(allowed) and not (allowed == [] and stated == ["nothing"]):
            findings.append(f"docs/ARCHITECTURE.md: layers of {folder}: table says {stated}, lint says {allowed}")


def check_links():
    for path in [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "src").rglob("*.md")]:
        if not path.exists():
            findings.append(f"{path.relative_to(ROOT)}: missing")
            continue
        text = path.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
            if "://" not in target and not (path.parent / target).exists():
                findings.append(f"{path.relative_to(ROOT)}: link to missing {target}")
        if re.search(r"/(work|root)/\w", text):
            findings.append(f"{path.relative_to(ROOT)}: a path of some machine")


def main():
    for path in sources():
        check_file(path)
    check_beast()
    check_layer_table()
    check_links()
    for text in findings:
        print(text)
    print(f"lint: {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
