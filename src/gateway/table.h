/// Plain text tables for a terminal: columns line up also where Chinese characters take two cells,
/// and no control character of the data reaches the terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace baolian::gateway {

/// Terminal cells of a UTF-8 text: 2 for wide and full-width characters (East Asian Width W and F),
/// 0 for combining marks, 1 for all others.
std::size_t text_width(std::string_view utf8);

/// The text with control characters, also those that turn the writing direction, as '?', and bytes
/// that are no UTF-8 as '?'.
std::string printable(std::string_view text);

enum class Align : std::uint8_t { left, right };

/// Rows of cells under a heading. Value type.
class Table {
 public:
  struct Column {
    std::string heading;
    Align align = Align::left;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// Requires: one cell for each column.
  void add_row(std::vector<std::string> cells);

  /// Lines, each ended by a newline, cells two spaces apart, no spaces at the end of a line.
  std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace baolian::gateway
