#include "ledger/json.h"
#include "ledger/state_chunk.h"
#include "node/api.h"
#include "node/api_json.h"

namespace baolian::node {

using api::json;

namespace {

/// The public name of the institution whose node has this key; null if no node of the genesis has.
json home_of(const Services& services, const PublicKey& key) {
  for (const ledger::Institution& institution : services.genesis.institutions) {
    for (const ledger::Node& node : institution.nodes) {
      if (node.consensus_key == key) return institution_name(services.state(), institution.id);
    }
  }
  return nullptr;
}

/// What this node knows of the agreement: the words that hold for every kind (view, is_primary) and
/// those of the epoch's own.
json consensus_of(const Services& services, const ReplicaStatus& replica) {
  const crypto::EpochRecord epoch =
      services.chain.epoch(replica.epoch).value_or(services.genesis.epoch);
  const bool is_raft = epoch.consensus_kind == crypto::ConsensusKind::raft;
  const crypto::Quorum quorum{epoch.validators.size()};
  json leader = nullptr;  // observers follow blocks, not views; between two views nobody is primary
  if (replica.active && replica.leader.has_value() && *replica.leader < epoch.validators.size()) {
    leader = home_of(services, epoch.validators[*replica.leader]);
  }
  return {{"consensus", std::string(enum_name(epoch.consensus_kind))},
          {"view", replica.view},
          {"term", is_raft ? json(replica.view) : json(nullptr)},
          {"leader", std::move(leader)},
          {"is_primary", replica.primary},
          {"validators", epoch.validators.size()},
          {"quorum", quorum.quorum(epoch.consensus_kind)},
          {"crashed_max", quorum.crashed_max(epoch.consensus_kind)},
          {"lying_max", quorum.lying_max(epoch.consensus_kind)},
          {"trust", crypto::trust_words(epoch)}};
}

/// Microseconds of processor time that execution took since the start.
json executor_us_of(const ledger::StageTimes& times) {
  json out = json::object();
  for (std::size_t i = 0; i < ledger::kStageCount; ++i) {
    const auto stage = static_cast<ledger::Stage>(i);
    out[std::string(enum_name(stage))] = times.spent_ns(stage) / 1'000;
  }
  return out;
}

/// How often the consensus took each of its rare branches since the start: why views were left,
/// among others. Those that it never took are left out.
json rare_branches_of(const consensus::ProbeCounts& probes) {
  json out = json::object();
  for (std::size_t i = 0; i < static_cast<std::size_t>(consensus::Probe::kCount); ++i) {
    const auto probe = static_cast<consensus::Probe>(i);
    if (probes[probe] > 0) out[std::string(enum_name(probe))] = probes[probe];
  }
  return out;
}

/// A snapshot that is being fetched; null if none is.
json transfer_of(const ReplicaStatus& replica) {
  if (replica.transfer.height.value == 0) return nullptr;
  return {{"height", replica.transfer.height.value},
          {"chunks", replica.transfer.chunks},
          {"chunks_total", ledger::kChunkCount},
          {"fetched_bytes", replica.transfer.bytes},
          {"snapshot_bytes", replica.transfer.bytes_total},
          {"sources", replica.transfer.sources}};
}

}  // namespace

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
  json out = {{"name", services_.config.name},
              {"institution", services_.self.hex()},
              {"institution_name", institution_name(services_.state(), services_.self)},
              {"chain_id", services_.chain.chain_id().hex()},
              {"height", services_.chain.height().value},
              {"certified_height", services_.chain.certified_height().value},
              {"durable_height", services_.chain.durable_height().value},
              {"stable_height", replica.certified.value},
              {"first_block", services_.chain.first_block().value},
              {"active", replica.active},
              {"role", replica.validator ? "validator" : "observer"},
              {"stopped", replica.stopped},
              {"state_root", header->state_root.hex()},
              {"header_hash", ledger::header_hash(*header).hex()},
              {"peers", peers},
              {"base_height", services_.chain.base().value},
              {"snapshot_transfer", transfer_of(replica)},
              {"pending_stays", desk_.pending_count()},
              {"log_syncs", replica.log_syncs},
              {"executor_us", executor_us_of(services_.chain.stage_times())},
              {"consensus_events", rare_branches_of(replica.probes)},
              {"pushes_refused", replica.pushes_refused},
              {"warnings", warnings}};
  out.update(consensus_of(services_, replica));
  return out.dump();
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
    const auto epoch = services_.chain.epoch(one.epoch).value_or(services_.genesis.epoch);
    const auto& keys = epoch.validators;
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
