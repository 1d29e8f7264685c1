/// The PBFT log between the water marks: one slot per sequence number (height), with fixed room for
/// the votes of every validator.
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <vector>

#include "consensus/engine.h"
#include "consensus/messages.h"

namespace baolian::consensus {

/// Votes of one type for one height (and, for PREPARE and COMMIT, one view): one cell a validator,
/// the first vote stays (N8, N9).
class VoteTable {
 public:
  struct Vote {
    Hash digest;
    Signature signature;
  };
  enum class Outcome : std::uint8_t { stored, duplicate, conflict };

  /// Requires: voter < validator_count.
  Outcome store(ValidatorIndex voter, std::size_t validator_count, const Hash& digest,
                const Signature& signature);
  std::size_t count(const Hash& digest) const;
  /// The digest for which at least `quorum` validators voted. Two cannot be: quorums intersect.
  std::optional<Hash> digest_with(std::size_t quorum) const;
  /// A vote that is stored already: the same again says nothing new.
  bool holds(ValidatorIndex voter, const Hash& digest) const {
    const Vote* vote = vote_of(voter);
    return vote != nullptr && vote->digest == digest;
  }
  /// The vote of a validator, or null.
  const Vote* vote_of(ValidatorIndex voter) const;
  /// Exactly `quorum` signatures for `digest`, ascending. Requires: count(digest) >= quorum.
  crypto::Signatures certificate(const Hash& digest, std::size_t quorum) const;

 private:
  std::vector<std::optional<Vote>> cells_;  ///< empty until the first vote
};

/// Batch and bodies of one digest.
struct Content {
  Hash digest;
  SharedBytes batch;  ///< null for the null batch
  std::vector<TxHash> transactions;
  std::vector<SharedBytes> bodies;
  bool complete = false;       ///< bodies are here and statelessly valid
  bool logged = false;         ///< a record with batch and bodies was issued
  ReplicaId source = 0;        ///< who is asked first for the bodies
  Tick asked_at;               ///< when bodies were last asked for
  std::uint32_t attempts = 0;  ///< how often a peer was asked
};

/// The one pre-prepare of the current view (N1); under Raft the log's entry at this index.
struct Proposal {
  enum class State : std::uint8_t {
    waiting_for_bodies,
    logging,  ///< PP_ACCEPT issued
    durable,  ///< PP_ACCEPT durable: the own PREPARE counts
  };
  crypto::Vote vote;
  Signature signature;  ///< of the primary; zeros if it came from NEW-VIEW's O
  State state = State::waiting_for_bodies;
  ValidatorIndex leader = 0;  ///< Raft: who led the term; PBFT computes it
};

/// An own vote: its bytes are resent as they are. Sent and counted only once durable.
struct OwnMessage {
  SharedBytes bytes;  ///< null: not voted
  Signature signature;
  bool durable = false;
};

/// What was decided for a height: by COMMITs or by a certified block.
struct Decision {
  enum class State : std::uint8_t {
    known,    ///< the digest is certain; batch or bodies may be missing
    logged,   ///< COMMITTED or BLOCK issued
    durable,  ///< and durable: EXEC may be sent
  };
  Hash digest;
  std::optional<crypto::VoteCertificate> certificate;  ///< CommitQC; none if it came as a block
  State state = State::known;
};

/// Q EXECs for a header. `header` is empty while it is not known here.
struct CertifiedHeader {
  crypto::ExecCertificate certificate;
  Bytes header;
};
using SharedCertificate = std::shared_ptr<const CertifiedHeader>;

/// A certified block that came by sync, until it is logged.
struct SyncedBlock {
  Bytes header;
  crypto::ExecCertificate certificate;
  std::vector<Bytes> later_headers;
};

/// Execution here, and what a quorum says about it.
struct Execution {
  std::optional<Hash> header_hash;  ///< own result
  Bytes header;
  OwnMessage exec;
  std::optional<Hash> certified_hash;  ///< header hash that a certificate proves for this height
  SharedCertificate certificate;       ///< ExecCert of exactly this height
  bool certificate_durable = false;
  bool announced = false;  ///< Certified was emitted
};

/// Which votes a slot keeps when a view is entered.
enum class Votes : std::uint8_t { of_next_view, none };

/// All that is known of one height. Votes: index 0 for the current view, 1 for the next.
struct Slot {
  explicit Slot(Height n) : height(n) {}

  Height height;
  std::optional<Proposal> proposal;
  Tick proposed_at;                ///< request clock at its arrival (V1)
  std::optional<View> voted_view;  ///< highest view of an own PREPARE for this height
  std::optional<Hash> refused;     ///< digest refused in this view; judged once (1.11)
  std::vector<Content> contents;
  std::array<VoteTable, 2> prepares;
  std::array<VoteTable, 2> commits;
  VoteTable execs;
  OwnMessage own_prepare;  ///< of the current view
  OwnMessage own_commit;
  std::optional<crypto::VoteCertificate> prepared;  ///< P entry: the highest view ever prepared
  std::optional<Decision> decision;
  std::optional<SyncedBlock> synced;
  Execution execution;

  Content* content(const Hash& digest);
  const Content* content(const Hash& digest) const;
  /// The content of this digest, added empty if there is none.
  Content& content_or_new(const Hash& digest);
  /// A record of the own log has batch and bodies of this height.
  bool is_in_log() const {
    return std::any_of(contents.begin(), contents.end(),
                       [](const Content& content) { return content.logged; });
  }
  bool is_decided() const { return decision.has_value(); }
  bool is_decided_at_least(Decision::State state) const {
    return decision.has_value() && decision->state >= state;
  }
  bool is_prepared_in(View view) const {
    return prepared.has_value() && prepared->vote.view == view;
  }
  Progress progress() const;
  /// Puts away what belongs to the view that is left. P, decisions and accepted contents stay: a
  /// digest that was prepared may come again in any later view (N2, V11).
  void enter_view(Votes votes);
};

/// The slots in height order.
///
/// Bounds:      the engine makes slots only in (min(h, executed), h + L] and, for blocks that it
///              asked for itself, up to a fixed number above the executed height. After a restart
///              also for what the log has and the store has not, which kTailBytesMax bounds.
/// Ownership:   values; references stay valid until the slot is erased. Threads: engine-confined.
/// Persistence: rebuilt from the log's records; never written from here.
/// Source:      Castro & Liskov, OSDI'99 section 4.2-4.3. Differs: one batch per sequence number.
class Slots {
 public:
  using Map = std::map<Height, Slot>;

  Slot* find(Height height);
  const Slot* find(Height height) const;
  Slot& at_or_new(Height height);
  /// The slot that holds a content of this digest, or null.
  Slot* with_content(const Hash& digest);
  void erase_through(Height last);
  /// Erases `first` <= height <= `last`, but for what is in the own log.
  void erase_between(Height first, Height last);

  std::size_t size() const { return slots_.size(); }
  Map::iterator begin() { return slots_.begin(); }
  Map::iterator end() { return slots_.end(); }
  Map::const_iterator begin() const { return slots_.begin(); }
  Map::const_iterator end() const { return slots_.end(); }

 private:
  Map slots_;
};

}  // namespace baolian::consensus
