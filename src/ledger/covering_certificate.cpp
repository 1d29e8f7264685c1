#include "ledger/covering_certificate.h"

#include <string>

namespace baolian::ledger {

Result<CoveringCertificate> covering_certificate(const Chain& chain, Height height) {
  CoveringCertificate out;
  Height at = height;
  auto certificate = chain.certificate(at);
  while (!certificate) {
    ++at;
    auto header = chain.header(at);
    if (!header || out.later.size() == kCoveredHeadersMax) {
      return fail(Errc::not_certified, "no certificate that covers block " +
                                           std::to_string(height.value) +
                                           " is on this node yet; ask again");
    }
    out.later.push_back(*std::move(header));
    certificate = chain.certificate(at);
  }
  out.certificate = *std::move(certificate);
  return out;
}

}  // namespace baolian::ledger
