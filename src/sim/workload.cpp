#include "sim/workload.h"

#include "contracts/operations.h"
#include "sim/draw.h"

namespace baolian::sim {

namespace {

/// How often a client looks after its transactions.
constexpr std::uint64_t kLookMs = 100;
constexpr std::uint64_t kDrainResendMs = 500;

}  // namespace

Workload::Workload(const World& world, const Options& options, EventQueue& events, Checker& checker,
                   std::vector<std::unique_ptr<SimNode>>& nodes, Prng prng)
    : world_(world),
      options_(options),
      events_(events),
      checker_(checker),
      nodes_(nodes),
      prng_(prng) {
  for (const Sender& sender : world.senders) {
    Client client;
    client.sender = sender;
    clients_.push_back(std::move(client));
  }
}

void Workload::start() {
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    clients_[i].submit_at = Tick{prng_.below(options_.pause_ms_max + 1)};
    events_.after(prng_.below(kLookMs), [this, i] { step(i); });
  }
}

void Workload::drain(std::function<bool(const SimNode&)> stays) {
  stays_ = std::move(stays);
  for (Client& client : clients_) {
    for (auto& [id, open] : client.open) {
      open.resend_at = events_.now();
      open.is_old = true;
      ++old_left_;
    }
  }
}

bool Workload::all_settled() const {
  for (const Client& client : clients_) {
    if (!client.open.empty()) return false;
  }
  return true;
}

void Workload::step(std::size_t index) {
  Client& client = clients_[index];
  for (auto at = client.open.begin(); at != client.open.end();) {
    if (checker_.is_settled(at->first)) {
      ++settled_;
      if (at->second.is_old) --old_left_;
      at = client.open.erase(at);
      continue;
    }
    if (at->second.resend_at <= events_.now() && !is_held(at->second)) send(at->second);
    ++at;
  }
  const bool is_working = !stays_ || (options_.goes_on && old_left_ > 0);
  if (is_working && client.submit_at <= events_.now() &&
      client.open.size() < options_.outstanding_max) {
    client.submit_at = events_.now() + prng_.below(options_.pause_ms_max + 1);
    submit_new(client);
  }
  events_.after(kLookMs, [this, index] { step(index); });
}

/// Registers a record of the own institution, or reads one that was registered before.
ledger::Operation Workload::make_operation(Client& client) {
  const auto request_id = draw_id<RequestId>(prng_);
  if (client.records.empty() || prng_.chance_percent(40)) {
    contracts::RecordsRegister content;
    content.record = {draw_id<RecordId>(prng_), 1};
    content.subject.value = draw_id<Tag32>(prng_);
    content.commitment = draw_id<Commitment>(prng_);
    content.vault = client.sender.vault;
    client.records.push_back(content.record.record);
    return contracts::make_operation(content, request_id);
  }
  contracts::RecordsRead content;
  content.record = {client.records[prng_.below(client.records.size())], 1};
  content.basis = {contracts::BasisKind::care, draw_id<Hash>(prng_)};
  content.originator = {client.sender.institution, client.sender.member,
                        contracts::SignedBy::institution};
  content.vault = client.sender.vault;
  return contracts::make_operation(content, request_id);
}

void Workload::submit_new(Client& client) {
  ledger::TransactionBody body;
  body.chain_id = world_.chain_id;
  body.sender = client.sender.signer->public_key();
  body.nonce = Nonce{client.next_nonce++};
  body.expires_at = TimeMs{1'750'000'100'000 + events_.now().value + 590'000};
  const std::uint64_t count = prng_.between(1, options_.operations_max);
  for (std::uint64_t i = 0; i < count; ++i) body.operations.push_back(make_operation(client));
  const auto transaction = ledger::sign_transaction(std::move(body), *client.sender.signer);
  const TxId id = ledger::tx_id(transaction.body);
  auto bytes = std::make_shared<const Bytes>(encode(transaction));
  checker_.on_submitted(id);
  ++submitted_;
  send(client.open.emplace(id, Open{std::move(bytes), {}}).first->second);
}

/// To one node that runs. Busy, known or unreachable: the next turn sends the same bytes again.
void Workload::send(Open& open) {
  open.resend_at = events_.now() + (stays_ ? kDrainResendMs : options_.resend_ms);
  SimNode& node = *nodes_[prng_.below(nodes_.size())];
  if (!node.is_up() || node.is_frozen()) return;
  const auto result = node.submit(open.bytes);
  const bool correct = checker_.is_correct(node.id());
  if (!result && result.error().code != Errc::busy && result.error().code != Errc::already_exists) {
    if (correct) {
      checker_.violation("a node refused a valid transaction: " + result.error().context);
    }
    return;
  }
  const bool holds = result.has_value() || result.error().code == Errc::already_exists;
  const bool keeps = stays_ && correct && holds && world_.is_validator(node.id()) && stays_(node);
  open.holder = keeps ? &node : nullptr;
  open.holder_run = node.run();
}

bool Workload::is_held(const Open& open) {
  return open.holder != nullptr && open.holder->run() == open.holder_run;
}

}  // namespace baolian::sim
