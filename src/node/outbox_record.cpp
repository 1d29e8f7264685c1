#include "node/outbox_record.h"

#include "core/assert.h"
#include "crypto/hash.h"

namespace baolian::node {
namespace {

constexpr std::size_t kFrameBytes = 8;
constexpr std::uint32_t kRecordBytesMax = 512 * 1024;

std::uint32_t u32_at(BytesView bytes) {
  std::uint32_t out = 0;
  const auto read = Decoder(bytes).integer(out);
  ASSERT(read.has_value());
  return out;
}

/// The bytes of the whole record at the front; empty if there is none. An empty record is none: a
/// power cut may leave zeros, and zero bytes have the checksum zero.
BytesView whole_record(BytesView rest) {
  if (rest.size() < kFrameBytes) return {};
  const std::uint32_t length = u32_at(rest);
  if (length == 0 || length > kRecordBytesMax || rest.size() - kFrameBytes < length) return {};
  const BytesView body = rest.subspan(kFrameBytes, length);
  return crypto::crc32c(body) == u32_at(rest.subspan(4)) ? body : BytesView{};
}

bool holds_record(BytesView rest) {
  for (; rest.size() > kFrameBytes; rest = rest.subspan(1)) {
    const bool may_begin = rest[kFrameBytes] == Version<1>::kValue;  // spares most checksums
    if (!may_begin) continue;
    const BytesView body = whole_record(rest);
    if (!body.empty() && decode<OutboxRecord>(body).has_value()) return true;
  }
  return false;
}

}  // namespace

void append_framed(Bytes& out, const OutboxRecord& record) {
  const Bytes body = encode(record);
  Encoder encoder(out);
  encoder.integer(static_cast<std::uint32_t>(body.size()));
  encoder.integer(crypto::crc32c(body));
  encoder.raw(body);
}

OutboxExtent read_outbox(
    BytesView file,
    const std::function<void(std::size_t offset, Result<OutboxRecord> record)>& each) {
  BytesView rest = file;
  for (BytesView body = whole_record(rest); !body.empty(); body = whole_record(rest)) {
    each(file.size() - rest.size(), decode<OutboxRecord>(body));
    rest = rest.subspan(kFrameBytes + body.size());
  }
  return {file.size() - rest.size(), !rest.empty() && holds_record(rest.subspan(1))};
}

}  // namespace baolian::node
