/// Three correct validators of four in one thread: real engines, and around each what the replica
/// driver, the log, the executor and the store do, reduced to what an engine can tell apart. The
/// fuzzer decides what is delivered, made durable and executed when, and who crashes. The fourth
/// validator is not here: liar.h speaks for it.
///
/// ASSERTs after every step: the engines' own invariants; nobody stops or bans a correct node
/// (I16); evidence names the liar only and proves it; all execute the same batches (I1), one height
/// after the other; h, executed height and view never fall within a run (I6).
///
/// FUZZ_TRACE=1 in the environment prints every input and every message sent.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "consensus/engine.h"
#include "consensus/replica/past_epoch.h"
#include "fuzz/witness.h"

namespace baolian::fuzz {

inline constexpr std::size_t kValidators = 4;
inline constexpr std::uint64_t kWallOffset = 1'700'000'000'000;

ChainId fuzz_chain();
const crypto::Signer& fuzz_signer(std::size_t validator);
Hash fuzz_header_hash(BytesView header);
/// `epoch_last` is A - 1 while a change of validators is pending, else 0 (1.10).
Bytes fuzz_header(Height height, const Hash& parent, const Hash& batch_digest,
                  Height epoch_last = {});
consensus::HeaderReader fuzz_header_reader();

/// A body tells by its ninth byte whether it is valid for every correct node.
SharedBytes make_transaction(std::uint64_t number, bool is_valid);
TxHash transaction_hash(const Bytes& body);

struct StoredBlock {
  Bytes header;
  Hash header_hash;
  Hash digest;
  SharedBytes batch;
  std::vector<SharedBytes> bodies;
  std::optional<crypto::ExecCertificate> certificate;
};

struct WireMessage {
  ReplicaId from = 0;
  ReplicaId to = 0;
  MessageKind kind{};
  SharedBytes bytes;
};

struct CorrectNode {
  consensus::EngineConfig config;
  std::unique_ptr<consensus::Engine> engine;  ///< null while it is down
  std::vector<consensus::LogRecord> log;      ///< durable
  std::deque<consensus::Persist> persisting;
  std::deque<consensus::Commit> executing;
  std::deque<consensus::Input> inputs;  ///< the driver's answers
  std::vector<StoredBlock> store;       ///< index = height
  Height flushed;
  std::map<TxHash, SharedBytes> bodies;        ///< transactions that are here
  std::map<TxHash, Tick> waiting;              ///< admitted, not executed; stamp of admission
  std::set<TxHash> in_slot;                    ///< proposed in this view
  std::map<Hash, std::vector<TxHash>> wanted;  ///< batches that wait for bodies
  consensus::Status last;                      ///< status after the last step of this run
  bool is_cut = false;                         ///< hears and is heard by nobody
  /// The epoch ended here: there is no engine any more, but who is late is served.
  std::optional<consensus::PastEpoch> ended;

  Height height() const { return {store.size() - 1}; }
};

class CorrectNodes {
 public:
  /// The block at `change_at` fixes a change of validators, so that the epoch ends `window` heights
  /// later; 0: it never ends. What comes after it is not played.
  CorrectNodes(ValidatorIndex liar, std::uint16_t window, std::uint16_t in_flight,
               Height change_at = {});

  ValidatorIndex liar() const { return liar_; }
  const crypto::EpochRecord& epoch() const { return epoch_; }
  const Witness& witness() const { return witness_; }
  CorrectNode& node(std::size_t i) { return nodes_[i]; }
  bool is_up(std::size_t i) const { return nodes_[i].engine != nullptr; }
  /// A correct validator; the liar's place goes to the next one.
  ReplicaId correct(std::size_t choice) const;
  TimeMs wall() const { return {kWallOffset + now_.value}; }
  std::size_t steps() const { return steps_; }
  /// The change of validators is fixed at this node.
  bool is_ending(const CorrectNode& node) const {
    return change_at_ != Height{} && node.height() >= change_at_;
  }
  /// A - 1; nothing if the epoch does not end.
  std::optional<Height> epoch_last() const;
  /// Rare branches taken by all engines so far.
  consensus::ProbeCounts probes() const;

  // What the fuzzer may do.
  void start(std::size_t i);
  /// Loses what is not durable; the store keeps heights up to `kept`, at least the flushed ones.
  void crash(std::size_t i, Height kept);
  void tick(std::uint64_t milliseconds);
  /// Does all work of the nodes, and delivers what is not of a held kind, until nothing is left.
  void run();
  void deliver(std::size_t choice);
  void drop(std::size_t choice);
  bool persist_one(std::size_t i);
  bool execute_one(std::size_t i);
  bool answer_one(std::size_t i);
  void propose(std::size_t transactions_max);
  void flush(std::size_t i);
  void install_state(std::size_t i);
  /// The body reaches a node by push: it is admitted there.
  void admit(std::size_t i, const SharedBytes& body);
  void hold(std::uint16_t kinds) { held_ = kinds; }  ///< bit 1 << kind
  /// Something from the liar, on the wire as it is. Refused at the door like in the driver.
  void receive(std::size_t i, const SharedBytes& bytes);
  /// Ends cuts and holds, starts who is down.
  void heal();

 private:
  using Effects = consensus::Effects;

  crypto::EpochRecord next_epoch() const;
  consensus::Verdict give(std::size_t i, consensus::Input input);
  void trace(std::size_t i, const consensus::Input& input) const;
  void check_after(std::size_t i);
  void interpret(std::size_t i, Effects effects);
  void handle(std::size_t i, const consensus::Send& send);
  void handle(std::size_t i, consensus::Persist& persist);
  void handle(std::size_t i, const consensus::NeedBodies& need);
  void handle(std::size_t i, consensus::Commit& commit);
  void handle(std::size_t i, const consensus::Certified& certified);
  void handle(std::size_t i, const consensus::ReadBlocks& read);
  void handle(std::size_t i, const consensus::CutLog& cut);
  void handle(std::size_t i, const consensus::BanPeer& ban);
  void handle(std::size_t i, const consensus::ViewEntered& entered);
  void handle(std::size_t i, const consensus::EpochEnded& ended);
  void handle(std::size_t i, const consensus::Stop& stop);
  void learn(std::size_t i, const SharedBytes& body);
  void finish_wanted(std::size_t i);
  bool deliver_next();
  void deliver(const WireMessage& message);
  bool give_message(std::size_t i, ReplicaId from, const SharedBytes& bytes);
  void give_verified(std::size_t i, consensus::Verified message, bool wanted);
  consensus::BlocksReadInput blocks_read(const CorrectNode& node,
                                         const consensus::ReadBlocks& read) const;
  void serve_past(std::size_t i, Effects effects);

  crypto::EpochRecord epoch_;
  ValidatorIndex liar_;
  Height change_at_;
  std::array<CorrectNode, kValidators> nodes_;  ///< the liar's place stays empty
  std::deque<WireMessage> wire_;
  std::map<Height, Hash> decided_;
  Witness witness_;
  std::uint16_t held_ = 0;
  Tick now_{1000};
  std::size_t steps_ = 0;
  consensus::ProbeCounts ended_probes_;  ///< of runs that a crash ended
};

}  // namespace baolian::fuzz
