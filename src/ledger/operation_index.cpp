#include "ledger/operation_index.h"

namespace baolian::ledger {
namespace {

/// Where the detail of an event stands in its body.
constexpr std::size_t kDetailOffset = 1;

std::uint16_t detail_of(const Event& event) {
  std::uint16_t out = 0;
  if (event.body.size() < kDetailOffset + sizeof out) return 0;
  const auto read = Decoder(BytesView(event.body).subspan(kDetailOffset)).integer(out);
  ASSERT(read.has_value());
  return out;
}

}  // namespace

Result<OperationRow> operation_row(const OperationLeaf& leaf) {
  OperationRow row;
  // The kind is an operation's first field; the rest may be long and is not needed.
  if (!leaf.operation.empty()) {
    TRY(Decoder(leaf.operation).integer(row.kind));
  }
  TRY(const Receipt receipt, decode<Receipt>(leaf.receipt));
  row.status = receipt.status;
  row.code = receipt.code;
  row.sender = leaf.sender;
  row.events.reserve(receipt.events.size());
  for (const Event& event : receipt.events) row.events.push_back({event.kind, detail_of(event)});
  return row;
}

}  // namespace baolian::ledger
