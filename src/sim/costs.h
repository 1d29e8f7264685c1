/// What ordering costs: messages and bytes by kind, and signature checks. Counted, not modelled: on
/// the simulated network, and in the verifier that engines and drivers use.
#pragma once

#include <array>
#include <cstdint>

#include "consensus/engine.h"
#include "crypto/signing.h"
#include "sim/wire.h"

namespace baolian::sim {

struct Costs {
  struct Sent {
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
  };
  /// By the number of the MessageKind; 0: messages of the transaction pool.
  std::array<Sent, enum_names(consensus::MessageKind{}).size()> sent{};
  /// Of consensus messages and certificates; not those of transactions, which are the clients'.
  std::uint64_t signature_checks = 0;
  std::uint64_t blocks = 0;
  std::uint64_t virtual_ms = 0;

  void count(BytesView message) {
    const auto view = peek(message);
    Sent& one = sent[view ? static_cast<std::size_t>(view->kind) : 0];
    ++one.messages;
    one.bytes += message.size();
  }
};

/// The toy verifier, counting. Threads: none.
class CountingVerifier final : public crypto::Verifier {
 public:
  bool verify(const PublicKey& key, BytesView message, const Signature& signature) const override {
    ++checks_;
    return crypto::toy_verifier().verify(key, message, signature);
  }
  std::uint64_t checks() const { return checks_; }

 private:
  mutable std::uint64_t checks_ = 0;
};

}  // namespace baolian::sim
