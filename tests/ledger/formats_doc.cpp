#include "ledger/formats_doc.h"

#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>

namespace baolian::ledger::test {
namespace {

constexpr const char* kDocument = "docs/formats.md";

enum class BlockKind : std::uint8_t { table, hex };

/// The name of the block that a line opens; empty if it opens none.
std::string opened_block(const std::string& line, BlockKind& kind) {
  const auto between = [&](std::string_view head, std::string_view tail) -> std::string {
    if (!line.starts_with(head) || !line.ends_with(tail)) return {};
    return line.substr(head.size(), line.size() - head.size() - tail.size());
  };
  kind = BlockKind::table;
  std::string name = between("<!-- table:", " -->");
  if (!name.empty()) return name;
  kind = BlockKind::hex;
  return between("```hex ", "");
}

/// Walks through the document: `line` gets every line outside of blocks and the lines that open and
/// close them, `block` every content.
void walk(const std::string& text, const std::function<void(const std::string&)>& on_line,
          const std::function<void(BlockKind, const std::string&, const std::string&)>& on_block) {
  std::istringstream in(text);
  std::string line;
  while (std::getline(in, line)) {
    on_line(line);
    BlockKind kind{};
    const std::string name = opened_block(line, kind);
    if (name.empty()) continue;
    const std::string close = kind == BlockKind::table ? "<!-- end -->" : "```";
    std::string content;
    while (std::getline(in, line) && line != close) content += line + "\n";
    on_block(kind, name, content);
    on_line(line);
  }
}

std::string path_of(const std::string& relative_path) {
  return std::string(BAOLIAN_SOURCE_DIR) + "/" + relative_path;
}

}  // namespace

FormatsDocument FormatsDocument::load() {
  FormatsDocument document;
  document.text_ = read_source_file(kDocument);
  walk(
      document.text_, [](const std::string&) {},
      [&](BlockKind kind, const std::string& name, const std::string& content) {
        auto& blocks = kind == BlockKind::table ? document.tables_ : document.hex_blocks_;
        if (!blocks.emplace(name, content).second) document.repeated_.insert(name);
      });
  return document;
}

Bytes FormatsDocument::bytes(const std::string& name) const {
  const auto found = hex_blocks_.find(name);
  if (found == hex_blocks_.end()) return {};
  std::string digits;
  for (const char c : found->second) {
    if (c != '\n' && c != ' ') digits += c;
  }
  auto bytes = from_hex(digits);
  return bytes.has_value() ? *bytes : Bytes{};
}

std::string FormatsDocument::filled(const std::map<std::string, std::string>& tables,
                                    const std::map<std::string, std::string>& hex_blocks) const {
  std::string out;
  walk(
      text_, [&](const std::string& line) { out += line + "\n"; },
      [&](BlockKind kind, const std::string& name, const std::string& content) {
        const auto& blocks = kind == BlockKind::table ? tables : hex_blocks;
        const auto found = blocks.find(name);
        out += found != blocks.end() ? found->second : content;
      });
  return out;
}

void FormatsDocument::save(const std::string& text) { write_source_file(kDocument, text); }

std::string hex_lines(BytesView bytes) {
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 32) {
    out += to_hex(bytes.subspan(at, std::min<std::size_t>(32, bytes.size() - at))) + "\n";
  }
  return out;
}

std::string read_source_file(const std::string& relative_path) {
  std::ifstream in(path_of(relative_path), std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write_source_file(const std::string& relative_path, std::string_view text) {
  std::ofstream out(path_of(relative_path), std::ios::binary | std::ios::trunc);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
}

bool should_rewrite() {
  const char* value = std::getenv("BAOLIAN_REWRITE");
  return value != nullptr && std::string_view(value) == "1";
}

}  // namespace baolian::ledger::test
