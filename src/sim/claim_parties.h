/// The parties to a claim: a hospital that reports, releases and countersigns, insurers that
/// enrol, read, decide, pay and explain, and a bureau whose agent sweeps deadlines. They know what
/// is certified and what the others tell them; on some bills they play a ClaimStrategy.
///
/// Transport of the sealed payload is not simulated: once its release is certified, the reader has
/// it.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "contracts/events.h"
#include "sim/claim_wire.h"

namespace baolian::sim {

/// An insurer asks for a countersignature and opens what it pays.
struct SignatureRequest {
  std::uint64_t serial = 0;  ///< of the attempt; an answer carries it back
  InstitutionId insurer;
  contracts::ClaimsDecide content;
  std::vector<Opening> payouts;  ///< one for each line
};

class Hospital {
 public:
  Hospital(ClaimScene& scene, OpeningBook book, Prng prng);

  void step();
  bool idle() const;

  /// Calls `answer` with the cosignature, with nothing if it refuses, or not at all.
  using Answer = std::function<void(std::uint64_t serial, std::optional<ledger::Cosignature>)>;
  void on_signature_request(const SignatureRequest& request, const Answer& answer);
  /// Calls `answer` if it knows the opening of the balance.
  void on_balance_request(const GroupElement& balance,
                          const std::function<void(const Opening&)>& answer);
  /// The openings of a decision that was made without this hospital, line by line.
  void on_openings(const contracts::ClaimsDecide& content, const std::vector<Opening>& payouts);

  const OpeningBook& book() const { return book_; }

 private:
  void report_due_bills();
  void release(const contracts::Granted& granted, const Bill& bill);
  void read(const Certified& entry);
  bool may_sign(const SignatureRequest& request);
  /// The balances that remain of these lines; nullopt if a line does not open or pays too much.
  std::optional<std::vector<Opening>> remainders(const contracts::ClaimsDecide& content,
                                                 const std::vector<Opening>& payouts) const;

  ClaimScene& scene_;
  const Seat& seat_;
  OpeningBook book_;
  ClaimWire wire_;
  std::size_t read_ = 0;
  std::size_t enrolled_ = 0;  ///< insurers whose persons are enrolled
  std::vector<bool> reported_;
  std::map<ClaimId, Bill*> claims_;
  std::map<ClaimId, std::size_t> insurer_of_;
  std::map<RecordId, Bill*> payloads_;
  std::set<ClaimId> late_;  ///< late countersignatures on their way
};

/// A decision on its way.
struct Attempt {
  std::uint64_t serial = 0;
  contracts::ClaimsDecide content;
  std::vector<Opening> payouts;  ///< as shown to the hospital, one for each line
  std::optional<ledger::Cosignature> signature;
  std::uint64_t asked = 0;
  Tick ask_at;
};

enum class WorkStage : std::uint8_t {
  filed,
  granted,
  released,
  opened,
  asking,   ///< for the countersignature
  holding,  ///< signed, waits for the decision that it is to meet
  decided,
  paid,
  ended,
  submitting,  ///< a transaction is under way; its outcome says what comes next
};

/// What an insurer does about one claim.
struct ClaimWork {
  ClaimId claim;
  Bill* bill = nullptr;
  PolicyId policy;
  WorkStage stage{WorkStage::filed};
  bool is_parked = false;       ///< silent on purpose
  std::optional<TimeMs> wakes;  ///< when it goes on nevertheless
  bool has_acted = false;       ///< what is forbidden was done, with its outcome
  std::uint16_t number = 1;     ///< of the next decision
  std::uint16_t refusals = 0;   ///< of honest attempts, because another decision came first
  GrantId grant;
  TimeMs grant_expires;
  TimeMs opened_at;
  Tick query_at;
  std::optional<Attempt> attempt;
  std::optional<Attempt> lost;  ///< its answer came late
  std::uint16_t twins_open = 0;
  std::uint16_t twins_applied = 0;
};

class Insurer {
 public:
  Insurer(ClaimScene& scene, Hospital& hospital, std::size_t index, Prng prng);

  void start();
  void step();
  /// Nothing to do before somebody else acts or time leaps.
  bool idle() const;
  /// What it is busy with, for people.
  std::string busy_text() const;
  /// The earliest civil time at which a parked claim goes on.
  std::optional<TimeMs> wakes() const;

  const InsurerBook& book() const { return book_; }

 private:
  bool plays(const ClaimWork& work, ClaimStrategy strategy) const {
    return work.bill->plays(strategy, index_);
  }
  bool acts(const ClaimWork& work, ClaimStrategy strategy) const {
    return plays(work, strategy) && !work.has_acted;
  }
  void park(ClaimWork& work, ClaimStrategy strategy);
  bool waits_for_freeze(const ClaimWork& work) const;

  void enrol();
  void read(const Certified& entry);
  void file(const contracts::Filed& filed);
  void advance(ClaimWork& work);
  void request(ClaimWork& work);
  void receive(ClaimWork& work);
  void open(ClaimWork& work);
  void pay_too_early(ClaimWork& work);

  // claim_decides.cpp
  bool may_decide(const ClaimWork& work) const;
  bool prepare(ClaimWork& work);
  /// Openings of the balances as they stand; nullopt: not now.
  std::optional<std::vector<Opening>> balances(ClaimWork& work, const ledger::StateReader& state);
  std::optional<contracts::Accumulators> accumulators(const ClaimWork& work,
                                                      const ledger::StateReader& state,
                                                      contracts::ClaimsDecide& content) const;
  void fill(ClaimWork& work, const contracts::Decision& decision,
            const std::vector<Opening>& balances, Attempt& attempt);
  void distort(ClaimWork& work, Attempt& attempt);
  void ask(ClaimWork& work);
  void on_answer(const ClaimId& claim, std::uint64_t serial,
                 const std::optional<ledger::Cosignature>& signature);
  void hold_or_decide(ClaimWork& work);
  bool barrier_is_open(ClaimWork& work);
  void decide(ClaimWork& work);
  void decide_twice(ClaimWork& work);
  void decide_alone(ClaimWork& work);
  void submit_decision(ClaimWork& work, const Attempt& attempt, ClaimWire::Done done);
  /// An act that must be refused with `expected`; the claim goes on honestly after it.
  void on_forbidden(ClaimWork& work, ClaimStrategy strategy, contracts::Code expected,
                    const Certified& entry);
  void on_decided(ClaimWork& work, const Certified& entry);
  void on_twin(ClaimWork& work, const Attempt& attempt, const Certified& entry);
  void accept(ClaimWork& work);
  void replay(ClaimWork& work);
  void send_openings(ClaimWork& work);

  // claim_insurer.cpp
  void pay(ClaimWork& work);
  void pay_twice(ClaimWork& work);
  void explain(ClaimWork& work);
  contracts::ClaimsPay payment(const ClaimWork& work);

  ClaimScene& scene_;
  Hospital& hospital_;
  const std::size_t index_;
  const Insurance& own_;
  Prng prng_;
  ClaimWire wire_;
  InsurerBook book_;
  std::size_t read_ = 0;
  std::uint64_t next_serial_ = 1;
  std::map<ClaimId, ClaimWork> works_;
  std::map<GroupElement, Opening> told_;             ///< balances that the hospital opened
  std::map<PolicyId, Commitment> old_accumulators_;  ///< one that once stood
};

/// The bureau's agent: says aloud which deadlines passed.
class Sweeper {
 public:
  Sweeper(ClaimScene& scene, Prng prng)
      : scene_(scene), prng_(prng), wire_(scene, scene.world.bureau.agent, prng_.fork(1)) {}
  void begin();
  void step() { wire_.step(); }
  bool idle() const { return wire_.idle(); }

 private:
  void sweep(TimeMs up_to, bool again);

  ClaimScene& scene_;
  Prng prng_;
  ClaimWire wire_;
};

}  // namespace baolian::sim
