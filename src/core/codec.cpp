#include "core/codec.h"

#include <algorithm>

namespace baolian {

Error Decoder::at_place(Errc code, std::string what) const {
  return fail(code, std::string(place_) + ": " + what);
}

Error Decoder::truncated() const { return at_place(Errc::truncated, "the bytes end too early"); }

Error Decoder::bad_enum(std::uint64_t value) const {
  return at_place(Errc::not_canonical, "unknown value " + std::to_string(value));
}

Error Decoder::not_ascending() const {
  return at_place(Errc::not_canonical, "items are not strictly ascending");
}

Result<void> Decoder::finish() const {
  if (!in_.empty()) {
    return fail(Errc::trailing_bytes, std::to_string(in_.size()) + " bytes follow the object");
  }
  return ok();
}

Result<void> Decoder::version(std::uint8_t expected) {
  std::uint8_t found = 0;
  TRY(integer(found));
  if (found != expected) {
    return at_place(Errc::unknown_version, "version " + std::to_string(found) +
                                               ", this program knows " + std::to_string(expected));
  }
  return ok();
}

Result<void> Decoder::boolean(bool& out) {
  std::uint8_t raw = 0;
  TRY(integer(raw));
  if (raw > 1) return bad_enum(raw);
  out = raw == 1;
  return ok();
}

Result<void> Decoder::fixed(std::span<std::uint8_t> out) {
  if (in_.size() < out.size()) return truncated();
  std::copy_n(in_.begin(), out.size(), out.begin());
  in_ = in_.subspan(out.size());
  return ok();
}

Result<void> Decoder::list_length(std::uint32_t& count, const Limits& limits) {
  TRY(integer(count));
  if (count > limits.max || count < limits.min) {
    return at_place(Errc::limit_exceeded, std::to_string(count) + " is outside " +
                                              std::to_string(limits.min) + ".." +
                                              std::to_string(limits.max));
  }
  if (count > in_.size()) return truncated();
  return ok();
}

Result<void> Decoder::bytes(Bytes& out, const Limits& limits) {
  std::uint32_t count = 0;
  TRY(list_length(count, limits));
  out.assign(in_.begin(), in_.begin() + count);
  in_ = in_.subspan(count);
  return ok();
}

Result<void> Decoder::text(std::string& out, const Limits& limits) {
  std::uint32_t count = 0;
  TRY(list_length(count, limits));
  out.assign(in_.begin(), in_.begin() + count);
  in_ = in_.subspan(count);
  if (!is_utf8(out)) return at_place(Errc::bad_utf8, "not UTF-8");
  return ok();
}

}  // namespace baolian
