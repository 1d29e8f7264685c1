#include "node/header_reader.h"

#include "ledger/header.h"

namespace baolian::node {

consensus::HeaderReader header_reader() {
  return [](BytesView canonical) -> Result<consensus::HeaderFacts> {
    TRY(const ledger::Header header, decode<ledger::Header>(canonical));
    consensus::HeaderFacts facts;
    facts.epoch = header.epoch;
    facts.height = header.height;
    facts.header_hash = ledger::header_hash(header);
    facts.batch_digest = header.batch_digest;
    facts.parent_hash = header.parent_hash;
    facts.epoch_last_height = header.epoch_last_height;
    return facts;
  };
}

}  // namespace baolian::node
