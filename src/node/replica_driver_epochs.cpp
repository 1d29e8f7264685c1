/// Epochs in the driver (consensus.md 1.10): names of replicas become numbers of nodes, the next
/// engine takes over, and peers of an epoch that ended are served.
#include "core/assert.h"
#include "node/replica_driver.h"

namespace baolian::node {

// ------------------------------------------------------------------ names

void ReplicaDriver::address(consensus::Send&& send, std::vector<consensus::Send>& out) const {
  if (send.to.has_value()) {
    send.to = engines_.node_of(*send.to);
    return out.push_back(std::move(send));
  }
  if (engines_.is_first()) return out.push_back(std::move(send));
  for (const ReplicaId node : engines_.other_validators()) {
    out.push_back(consensus::Send{node, send.message_class, send.bytes});
  }
}

void ReplicaDriver::transmit(const consensus::Send& send) {
  if (send.to.has_value()) {
    ports_.transport.send(*send.to, send.message_class, send.bytes);
  } else {
    ports_.transport.send_to_validators(send.message_class, send.bytes);
  }
}

void ReplicaDriver::broadcast(MessageClass message_class, const SharedBytes& bytes) {
  consensus::Send send{std::nullopt, message_class, bytes};
  handle(send);
}

consensus::ProbeCounts ReplicaDriver::probes() const {
  consensus::ProbeCounts out = probes_before_;
  out.add(engines_.engine().probes());
  return out;
}

void ReplicaDriver::transfer_leadership(ReplicaId node) {
  if (node >= engines_.node_count()) return;
  give(consensus::TransferLeadershipInput{engines_.replica_of(node)});
}

// ------------------------------------------------------------------ the next engine

/// Transactions of batches that the old epoch did not decide can be proposed again; what it asked
/// for is not wanted any more.
void ReplicaDriver::handle(consensus::EpochEnded& ended) {
  probes_before_.add(engines_.engine().probes());
  const Result<void> begun = engines_.begin(std::move(ended.next));
  if (!begun) return on_execution_failed(begun.error());
  pool_.release_slots();
  pool_.restart_request_clock(engines_.engine().status().request_clock);
  wanted_.clear();
  wanted_by_.clear();
  inputs_.clear();  // of the old engine
  append_opening();
  give(consensus::TickInput{now_, wall_, pool_.oldest_request()});
}

void ReplicaDriver::append_opening() {
  if (auto certificate = engines_.take_start_certificate()) {
    ports_.application.put_certificate(*std::move(certificate));
  }
  std::optional<consensus::LogRecord> opening = engines_.take_opening();
  if (!opening.has_value()) return;
  log_bytes_ += opening->body->size();
  writing_.emplace(next_write_, Writing{engines_.epoch().epoch, PersistId{}, {}});
  ports_.log.append(std::exchange(next_write_, PersistId{next_write_ + 1}), {*std::move(opening)});
}

// ------------------------------------------------------------------ other epochs

void ReplicaDriver::on_other_epoch(ReplicaId from, Epoch epoch, SharedBytes bytes) {
  if (epoch > engines_.epoch().epoch) {
    return give(consensus::PeerAheadInput{engines_.replica_of(from)});
  }
  EpochEngines::Past* past = engines_.past(epoch);
  if (past == nullptr) return;  // not known here
  const auto verified =
      consensus::verify_envelope(past->replica_of[from], std::move(bytes), config_.engine.chain_id,
                                 past->server.epoch(), *config_.engine.verifier);
  if (!verified) return ports_.transport.ban(from, verified.error().context);
  consensus::Effects effects;
  static_cast<void>(past->server.on_message(*verified, now_, effects));
  handle_past(effects, *past);
}

void ReplicaDriver::handle_past(consensus::Effects& effects, const EpochEngines::Past& past) {
  for (consensus::Effect& effect : effects) {
    if (auto* send = std::get_if<consensus::Send>(&effect)) {
      ASSERT(send->to.has_value());
      ports_.transport.send(past.node_of[*send->to], send->message_class, std::move(send->bytes));
    } else if (const auto* read = std::get_if<consensus::ReadBlocks>(&effect)) {
      snapshots_.on_blocks_wanted(past.node_of[read->peer], read->first);
      ports_.application.read_blocks(*read);
    }
  }
}

}  // namespace baolian::node
