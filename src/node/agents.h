/// Runs the institution's own part by itself: reads the events of certified blocks in order and
/// lets the agents act. Acting twice on one block does no harm: every step asks the state first, so
/// the cursor is only saved now and then.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "node/attestation.h"
#include "node/claims/claim_agent.h"
#include "node/claims/content_exchange.h"
#include "node/claims/countersign_desk.h"
#include "node/discharge_desk.h"
#include "node/reading_agent.h"
#include "node/release_agent.h"
#include "node/services.h"

namespace baolian::node {

class Agents {
 public:
  /// All outlive this object.
  struct Parts {
    DischargeDesk& discharge;
    ReleaseAgent& release;
    ReadingAgent& reading;
    AttestationDesk& attestation;
    ClaimAgent& claims;
    CountersignDesk& countersign;
    AdjudicationDesk& adjudication;
    ContentExchange& contents;
    PaymentDesk& payments;
    NoticeDesk& notices;
  };
  Agents(const Services& services, const Parts& parts);
  ~Agents();

  /// Begins at the saved cursor, but not before this height is certified here: what was done about
  /// blocks that a crash took back would meet a state that does not know of them.
  void start(Height known_certified);
  void stop();

  /// Heights up to this one are executed and certified here.
  void on_certified(Height height);
  /// A message of class sync from a node of another institution (mesh thread; does not block).
  void on_message(const InstitutionId& from, Bytes message);

 private:
  void run(Height known_certified);
  void process(Height height);
  void take_message(const InstitutionId& from, Bytes message);
  void act_on(const ledger::OperationLeaf& leaf, Height height, std::uint32_t index);
  void act_on_reading(const ledger::Event& event, Height height, std::uint32_t index);
  void act_on_claim(const ledger::Event& event);
  Height load_cursor() const;
  void save_cursor(Height done) const;

  const Services& services_;
  Parts parts_;
  std::mutex mutex_;
  std::condition_variable wake_;
  Height certified_;
  std::deque<std::pair<InstitutionId, Bytes>> messages_;
  bool consents_changed_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace baolian::node
