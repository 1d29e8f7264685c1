/// Sentences with gaps, in both languages. Internal to this folder.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace baolian::contracts {

/// A sentence in both languages.
struct Words {
  std::string_view zh;
  std::string_view en;
};

/// Fills each "{}" of the pattern with the next value, its control characters as spaces.
std::string filled(std::string_view pattern, std::initializer_list<std::string> values);

}  // namespace baolian::contracts
