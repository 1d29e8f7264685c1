#include "bench/background.h"

namespace baolian::bench {
namespace {

/// Calls under way at most: more than a network that keeps up with its rate needs.
constexpr std::size_t kClients = 48;

}  // namespace

Background::Background(const Settings& settings, const Records& records,
                       std::vector<std::unique_ptr<Department>>& departments)
    : drive_(
          departments, /*tx_per_call=*/1,
          [&](std::size_t hospital) {
            return make_script("readings", records, hospital, settings.ops_per_tx);
          },
          settings.seed),
      crew_({.clients = kClients,
             .calls_per_s = settings.background_rate / static_cast<double>(settings.ops_per_tx)}) {}

void Background::start() {
  thread_ = std::thread([this] { result_ = crew_.run(drive_, [] {}); });
}

Result<Tally> Background::finish() {
  crew_.end();
  thread_.join();
  return std::move(result_);
}

Background::~Background() {
  if (!thread_.joinable()) return;
  crew_.end();
  thread_.join();
}

}  // namespace baolian::bench
