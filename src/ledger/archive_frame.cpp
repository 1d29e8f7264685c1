#include "ledger/archive_frame.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "core/assert.h"

namespace baolian::ledger {
namespace {

// Of the LZ4 block format: matches have 4 bytes or more, the last 5 bytes are literals, and no
// match begins in the last 12.
constexpr std::size_t kMatchMin = 4;
constexpr std::size_t kLastLiterals = 5;
constexpr std::size_t kNoMatchBehind = 12;
constexpr std::size_t kOffsetMax = 65'535;
constexpr std::size_t kShortLengthMax = 15;
constexpr std::size_t kExpansionMax = 255;

constexpr unsigned kTableBits = 15;
constexpr std::uint32_t kHashFactor = 2'654'435'761U;
constexpr std::uint32_t kNowhere = std::numeric_limits<std::uint32_t>::max();

Error corrupt(const char* what) { return fail(Errc::store_corrupt, what); }

std::uint32_t little_endian_at(BytesView bytes, std::size_t at) {
  return static_cast<std::uint32_t>(bytes[at]) | static_cast<std::uint32_t>(bytes[at + 1]) << 8 |
         static_cast<std::uint32_t>(bytes[at + 2]) << 16 |
         static_cast<std::uint32_t>(bytes[at + 3]) << 24;
}

void append_length(Bytes& out, std::size_t length) {
  if (length < kShortLengthMax) return;
  for (length -= kShortLengthMax; length >= 255; length -= 255) out.push_back(255);
  out.push_back(static_cast<std::uint8_t>(length));
}

/// Literals, then a match; `match` 0: the last literals.
void append_sequence(Bytes& out, BytesView literals, std::size_t offset, std::size_t match) {
  const std::size_t beyond = match == 0 ? 0 : match - kMatchMin;
  const auto token =
      std::min(literals.size(), kShortLengthMax) << 4 | std::min(beyond, kShortLengthMax);
  out.push_back(static_cast<std::uint8_t>(token));
  append_length(out, literals.size());
  append(out, literals);
  if (match == 0) return;
  out.push_back(static_cast<std::uint8_t>(offset & 0xFF));
  out.push_back(static_cast<std::uint8_t>(offset >> 8));
  append_length(out, beyond);
}

/// Greedy: at each place the last place with the same hash of four bytes, taken as far as it goes.
void pack(BytesView in, Bytes& out) {
  std::vector<std::uint32_t> table(std::size_t{1} << kTableBits, kNowhere);
  std::size_t literals_from = 0;
  std::size_t at = 0;
  while (at + kNoMatchBehind <= in.size()) {
    const std::uint32_t here = little_endian_at(in, at);
    std::uint32_t& seen = table[(here * kHashFactor) >> (32 - kTableBits)];
    const std::uint32_t earlier = seen;
    seen = static_cast<std::uint32_t>(at);
    const bool is_match =
        earlier != kNowhere && at - earlier <= kOffsetMax && little_endian_at(in, earlier) == here;
    if (!is_match) {
      ++at;
      continue;
    }
    std::size_t length = kMatchMin;
    while (at + length + kLastLiterals < in.size() && in[earlier + length] == in[at + length]) {
      ++length;
    }
    append_sequence(out, in.subspan(literals_from, at - literals_from), at - earlier, length);
    at += length;
    literals_from = at;
  }
  append_sequence(out, in.subspan(literals_from), 0, 0);
}

/// Reads a packed block from its front.
class Unpacker {
 public:
  Unpacker(BytesView in, std::size_t size) : in_(in), size_(size) { out_.reserve(size); }

  Result<Bytes> run() {
    for (;;) {
      if (in_.empty()) return corrupt("a frame ends without its last literals");
      const std::uint8_t token = in_.front();
      in_ = in_.subspan(1);
      TRY(const std::size_t literals, length(token >> 4));
      if (literals > in_.size() || literals > size_ - out_.size()) {
        return corrupt("a frame has more literals than bytes");
      }
      append(out_, in_.first(literals));
      in_ = in_.subspan(literals);
      if (in_.empty()) break;
      TRY(copy_match(token & 15));
    }
    if (out_.size() != size_) return corrupt("a frame's content is shorter than it says");
    return std::move(out_);
  }

 private:
  Result<std::size_t> length(std::size_t first) {
    std::size_t out = first;
    if (first < kShortLengthMax) return out;
    for (;;) {
      if (in_.empty()) return corrupt("a frame ends in a length");
      const std::uint8_t more = in_.front();
      in_ = in_.subspan(1);
      out += more;
      if (more != 255) return out;
      if (out > size_) return corrupt("a frame has a length above its size");
    }
  }

  Result<void> copy_match(std::size_t first) {
    if (in_.size() < 2) return corrupt("a frame ends in an offset");
    const std::size_t offset = in_[0] | static_cast<std::size_t>(in_[1]) << 8;
    in_ = in_.subspan(2);
    TRY(const std::size_t beyond, length(first));
    const std::size_t count = beyond + kMatchMin;
    if (offset == 0 || offset > out_.size() || count > size_ - out_.size()) {
      return corrupt("a frame copies from nowhere");
    }
    // Byte by byte: a match may reach into itself.
    for (std::size_t i = 0; i < count; ++i) out_.push_back(out_[out_.size() - offset]);
    return ok();
  }

  BytesView in_;
  const std::size_t size_;
  Bytes out_;
};

}  // namespace

Bytes pack_frame(BytesView content) {
  ASSERT(content.size() <= std::size_t{1} << 31);
  Bytes out;
  out.reserve(content.size() / 2);
  for (unsigned shift = 0; shift < 32; shift += 8) {
    out.push_back(static_cast<std::uint8_t>(content.size() >> shift));
  }
  pack(content, out);
  return out;
}

Result<Bytes> unpack_frame(BytesView frame) {
  if (frame.size() < 5) return corrupt("a frame is too short");
  const std::size_t size = little_endian_at(frame, 0);
  if (size / kExpansionMax > frame.size()) return corrupt("a frame is too short for its content");
  return Unpacker(frame.subspan(4), size).run();
}

}  // namespace baolian::ledger
