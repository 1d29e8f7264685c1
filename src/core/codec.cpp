#include "core/codec.h"

#include <algorithm>

namespace baolian {

bool Decoder::at_place(Errc code, const std::string& what) {
  error_ = fail(code, std::string(place_) + ": " + what);
  return false;
}

bool Decoder::truncated() { return at_place(Errc::truncated, "the bytes end too early"); }

bool Decoder::bad_enum(std::uint64_t value) {
  return at_place(Errc::not_canonical, "unknown value " + std::to_string(value));
}

bool Decoder::not_ascending() {
  return at_place(Errc::not_canonical, "items are not strictly ascending");
}

Result<void> Decoder::outcome(bool good) {
  if (good) return ok();
  ASSERT(error_.has_value());
  return *std::exchange(error_, std::nullopt);
}

Result<void> Decoder::finish() const {
  if (!in_.empty()) {
    return fail(Errc::trailing_bytes, std::to_string(in_.size()) + " bytes follow the object");
  }
  return ok();
}

bool Decoder::version(std::uint8_t expected) {
  std::uint8_t found = 0;
  if (!read_integer(found)) return false;
  if (found == expected) return true;
  return at_place(Errc::unknown_version, "version " + std::to_string(found) +
                                             ", this program knows " + std::to_string(expected));
}

bool Decoder::boolean(bool& out) {
  std::uint8_t raw = 0;
  if (!read_integer(raw)) return false;
  if (raw > 1) return bad_enum(raw);
  out = raw == 1;
  return true;
}

bool Decoder::fixed(std::span<std::uint8_t> out) {
  if (in_.size() < out.size()) return truncated();
  std::copy_n(in_.begin(), out.size(), out.begin());
  in_ = in_.subspan(out.size());
  return true;
}

bool Decoder::list_length(std::uint32_t& count, const Limits& limits) {
  if (!read_integer(count)) return false;
  if (count > limits.max || count < limits.min) {
    return at_place(Errc::limit_exceeded, std::to_string(count) + " is outside " +
                                              std::to_string(limits.min) + ".." +
                                              std::to_string(limits.max));
  }
  return count <= in_.size() || truncated();
}

bool Decoder::bytes(Bytes& out, const Limits& limits) {
  std::uint32_t count = 0;
  if (!list_length(count, limits)) return false;
  out.assign(in_.begin(), in_.begin() + count);
  in_ = in_.subspan(count);
  return true;
}

bool Decoder::text(std::string& out, const Limits& limits) {
  std::uint32_t count = 0;
  if (!list_length(count, limits)) return false;
  out.assign(in_.begin(), in_.begin() + count);
  in_ = in_.subspan(count);
  return is_utf8(out) || at_place(Errc::bad_utf8, "not UTF-8");
}

}  // namespace baolian
