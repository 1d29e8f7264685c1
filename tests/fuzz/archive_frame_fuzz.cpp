/// Frames of archive files. Any bytes unpack or are refused, and give no more than they can hold;
/// what was packed comes out again, however it repeats itself.
#include "core/assert.h"
#include "ledger/archive_frame.h"

namespace baolian::fuzz {
namespace {

void check_unpack(BytesView in) {
  const auto content = ledger::unpack_frame(in);
  ASSERT(!content || content->size() <= 255 * in.size());
}

void check_round(BytesView content) {
  const Bytes frame = ledger::pack_frame(content);
  const auto unpacked = ledger::unpack_frame(frame);
  ASSERT(unpacked.has_value());
  ASSERT(std::equal(unpacked->begin(), unpacked->end(), content.begin(), content.end()));
}

/// Bytes that repeat what came before, as blocks do: pairs of (how far back, how many), else a
/// byte.
Bytes repeating(BytesView in) {
  constexpr std::size_t kContentMax = std::size_t{1} << 17;
  Bytes out;
  for (std::size_t i = 0; i + 2 < in.size() && out.size() < kContentMax; i += 3) {
    const std::size_t back = in[i] * std::size_t{257};
    if (back == 0 || back > out.size()) {
      out.push_back(in[i + 1]);
      continue;
    }
    for (std::size_t n = in [i + 1] + std::size_t{in[i + 2]} * 16; n > 0; --n) {
      out.push_back(out[out.size() - back]);
    }
  }
  return out;
}

}  // namespace
}  // namespace baolian::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace baolian;
  if (size == 0) return 0;
  const BytesView in = BytesView(data, size).subspan(1);
  switch (data[0] % 3) {
    case 0:
      fuzz::check_unpack(in);
      break;
    case 1:
      fuzz::check_round(in);
      break;
    default:
      fuzz::check_round(fuzz::repeating(in));
  }
  return 0;
}
