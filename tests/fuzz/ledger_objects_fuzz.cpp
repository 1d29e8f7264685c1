/// Objects of the ledger that come from outside: transactions from clients and peers, headers from
/// peers, genesis and evidence from files.
#include "fuzz/decoders.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  baolian::fuzz::LedgerObjects::check({data, size});
  return 0;
}
