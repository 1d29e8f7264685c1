#include "ledger/json.h"
#include "node/api.h"
#include "node/api_json.h"

namespace baolian::node {

using api::json;

Result<std::string> Api::status(const ApiCall&) {
  const ReplicaStatus replica = replica_status_();
  const auto header = services_.chain.header(services_.chain.height());
  json peers = json::array();
  for (const auto& peer : replica.peers) {
    peers.push_back({{"name", peer.name}, {"connected", peer.connected}});
  }
  json warnings = json::array();
  if (services_.genesis.subject_id_scheme == 0) {
    warnings.push_back(
        "subject ids are of scheme 0: whoever holds a key file can derive pseudonyms of that "
        "audience");
  }
  if (replica.stopped) warnings.push_back("this node has stopped voting; see its log");
  return json{{"name", services_.config.name},
              {"institution", services_.self.hex()},
              {"institution_name", institution_name(services_.state(), services_.self)},
              {"chain_id", services_.chain.chain_id().hex()},
              {"height", services_.chain.height().value},
              {"certified_height", services_.chain.certified_height().value},
              {"durable_height", services_.chain.durable_height().value},
              {"stable_height", replica.certified.value},
              {"view", replica.view},
              {"active", replica.active},
              {"role", replica.validator ? "validator" : "observer"},
              {"is_primary", replica.primary},
              {"stopped", replica.stopped},
              {"state_root", header->state_root.hex()},
              {"header_hash", ledger::header_hash(*header).hex()},
              {"validators", services_.genesis.epoch.validators.size()},
              {"peers", peers},
              {"pending_stays", desk_.pending_count()},
              {"warnings", warnings}}
      .dump();
}

Result<std::string> Api::header(const ApiCall& call) {
  std::uint64_t height = 0;
  const std::string& digits = call.path[2];
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), height);
  if (error != std::errc{} || end != digits.data() + digits.size()) {
    return api::bad_body("the height must be a number");
  }
  const auto found = services_.chain.header(Height{height});
  if (!found) return fail(Errc::not_found, "this height is not executed here yet");
  return json{{"height", height},
              {"header_hash", ledger::header_hash(*found).hex()},
              {"state_root", found->state_root.hex()},
              {"operations_root", found->operations_root.hex()},
              {"timestamp_ms", found->timestamp.value},
              {"certified", height <= services_.chain.certified_height().value}}
      .dump();
}

/// Validators that signed two things of which a correct one signs at most one. Bodies and
/// signatures are there, so that anyone with the genesis can check them.
Result<std::string> Api::contradictions(const ApiCall&) {
  json out = json::array();
  for (const consensus::Evidence& one : replica_status_().contradictions) {
    const auto& keys = services_.genesis.epoch.validators;
    const bool is_known = one.signer < keys.size();
    out.push_back(
        {{"validator", one.signer},
         {"key", is_known ? keys[one.signer].hex() : ""},
         {"signed_as", std::string(enum_name(one.type))},
         {"epoch", one.epoch.value},
         {"first", {{"body", to_hex(one.first_body)}, {"signature", one.first_signature.hex()}}},
         {"second",
          {{"body", to_hex(one.second_body)}, {"signature", one.second_signature.hex()}}}});
  }
  return json{{"contradictions", out}}.dump();
}

Result<std::string> Api::checkpoint(const ApiCall&) {
  const Height height = services_.chain.certified_height();
  const auto found = services_.chain.header(height);
  const auto certificate = services_.chain.certificate(height);
  if (!found || !certificate) return fail(Errc::not_certified, "no block is certified here yet");
  return json{{"header", ledger::to_json_form(*found)},
              {"certificate", ledger::to_json_form(*certificate)}}
      .dump();
}

}  // namespace baolian::node
