/// Readings at a rate, beside the workload that is measured.
#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "bench/drive.h"
#include "bench/records.h"
#include "bench/settings.h"

namespace baolian::bench {

/// Ownership: a thread. Refers to settings, records and departments. Threads: one at a time.
class Background {
 public:
  Background(const Settings& settings, const Records& records,
             std::vector<std::unique_ptr<Department>>& departments);
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  /// Sends settings.background_rate operations a second from now on.
  void start();
  /// Ends it and waits for all outcomes; their times count from start(). Requires: start().
  Result<Tally> finish();

 private:
  Drive drive_;
  Crew crew_;
  std::thread thread_;
  Result<Tally> result_ = Tally{};
};

}  // namespace baolian::bench
