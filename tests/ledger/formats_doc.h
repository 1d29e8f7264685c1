/// docs/formats.md as its test sees it: text with blocks that the code fills.
///
///   <!-- table:NAME -->  ... <!-- end -->     a table
///   ```hex NAME  ...  ```                     bytes, 32 a line
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "core/bytes.h"

namespace baolian::ledger::test {

class FormatsDocument {
 public:
  /// Reads docs/formats.md of the source tree.
  static FormatsDocument load();

  const std::map<std::string, std::string>& tables() const { return tables_; }
  const std::map<std::string, std::string>& hex_blocks() const { return hex_blocks_; }
  /// Names of blocks that stand there twice.
  const std::set<std::string>& repeated() const { return repeated_; }
  /// The bytes of a hex block. Empty if there is none.
  Bytes bytes(const std::string& name) const;
  /// The same document with other contents of its blocks; blocks without one stay as they are.
  std::string filled(const std::map<std::string, std::string>& tables,
                     const std::map<std::string, std::string>& hex_blocks) const;
  static void save(const std::string& text);

 private:
  std::string text_;
  std::map<std::string, std::string> tables_;
  std::map<std::string, std::string> hex_blocks_;
  std::set<std::string> repeated_;
};

/// Hexadecimal text, 32 bytes a line, every line ended.
std::string hex_lines(BytesView bytes);

/// Everything that the code says about the blocks of the document.
std::map<std::string, std::string> format_tables();
std::map<std::string, std::string> format_examples();

/// Content of a whole file of the source tree; empty if it is not there.
std::string read_source_file(const std::string& relative_path);
void write_source_file(const std::string& relative_path, std::string_view text);

/// True if the environment asks tests to write documents and golden files anew (BAOLIAN_REWRITE=1).
bool should_rewrite();

}  // namespace baolian::ledger::test
