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
#include "node/discharge_desk.h"
#include "node/reading_agent.h"
#include "node/release_agent.h"
#include "node/services.h"

namespace baolian::node {

class Agents {
 public:
  /// All outlive this object.
  Agents(const Services& services, DischargeDesk& desk, ReleaseAgent& release,
         ReadingAgent& reading, AttestationDesk& attestation);
  ~Agents();

  /// Begins at the saved cursor.
  void start();
  void stop();

  /// Heights up to this one are executed and certified here.
  void on_certified(Height height);
  /// A message of class sync from a node of another institution (mesh thread; does not block).
  void on_message(const InstitutionId& from, Bytes message);

 private:
  void run();
  void process(Height height);
  void act_on(const ledger::OperationLeaf& leaf, Height height, std::uint32_t index);
  Height load_cursor() const;
  void save_cursor(Height done) const;

  const Services& services_;
  DischargeDesk& desk_;
  ReleaseAgent& release_;
  ReadingAgent& reading_;
  AttestationDesk& attestation_;
  std::mutex mutex_;
  std::condition_variable wake_;
  Height certified_;
  std::deque<std::pair<InstitutionId, Bytes>> messages_;
  bool consents_changed_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace baolian::node
