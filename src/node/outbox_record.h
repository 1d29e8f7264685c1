/// The file of the outbox: records {u32 length, u32 crc32c of the bytes, canonical OutboxRecord},
/// little-endian, one behind the other.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/codec.h"
#include "core/ids.h"
#include "core/result.h"

namespace baolian::node {

struct OutboxRecord {
  static constexpr std::string_view kTypeName = "OutboxRecord";
  Version<1> version;
  PublicKey sender;
  Nonce nonce;
  TxId tx_id;
  TimeMs expires_at;
  std::vector<RequestId> request_ids;  ///< of its operations, in order; none once forgotten
  Bytes transaction;                   ///< canonical signed transaction; empty once it is settled

  static constexpr auto fields() {
    return field_list(field("version", &OutboxRecord::version, "format version"),
                      field("sender", &OutboxRecord::sender, "member key"),
                      field("nonce", &OutboxRecord::nonce, "of that key"),
                      field("tx_id", &OutboxRecord::tx_id, "H(body)"),
                      field("expires_at", &OutboxRecord::expires_at, "of the transaction, ms"),
                      field("request_ids", &OutboxRecord::request_ids, at_most(1000),
                            "of its operations, in order; none once forgotten"),
                      field("transaction", &OutboxRecord::transaction, at_most(256 * 1024),
                            "canonical signed transaction; empty once it is settled"));
  }
};

/// Appends the record with its frame.
void append_framed(Bytes& out, const OutboxRecord& record);

/// How far whole records stand in a file.
struct OutboxExtent {
  std::size_t whole_bytes = 0;
  /// Whole records follow behind something that is none: it is damaged, not torn.
  bool is_damaged = false;
};
/// Calls `each` with the place and the content of every whole record, from the front to the first
/// that is none. One whose checksum holds and that does not decode is an error.
OutboxExtent read_outbox(
    BytesView file,
    const std::function<void(std::size_t offset, Result<OutboxRecord> record)>& each);

}  // namespace baolian::node
