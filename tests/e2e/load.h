/// The load generator of the end-to-end tests: readings over HTTPS, receipts kept outside of the
/// nodes, and the check that what was acknowledged is there.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/client.h"

namespace baolian::e2e {

/// One node's own record, and who reads it there.
struct Target {
  std::string node;
  std::string profile;
  std::string record;
};

/// An acknowledged reading: HTTP 200, certified.
struct Receipt {
  std::string record;
  std::string node;
  std::string request_id;
  std::string tx_id;
  std::uint64_t height = 0;
  std::uint32_t leaf = 0;
};

struct LoadOptions {
  std::string network;
  std::string receipts;
  std::size_t clients = 8;
  std::uint64_t count = 0;        ///< acknowledged readings in all; 0: until `seconds` have passed
  std::uint64_t seconds = 0;      ///< 0: no end by time
  std::uint64_t warm_up = 0;      ///< readings before the measured ones, kept but not measured
  std::uint64_t give_up_s = 120;  ///< a reading without any outcome for so long is abandoned
};

/// One record a hospital; registered on the first call and noted in DIR/load-targets.json.
Result<std::vector<Target>> prepare_targets(const std::string& network);

/// Reads until the end and returns the summary: counts, p50 and p99 in milliseconds.
/// Returns: errors of the profiles and of the receipts file; failed readings are counted instead.
Result<nlohmann::json> run_load(const LoadOptions& options);

/// Are all readings of the receipts file in the complete log of every node, are headers and state
/// roots equal, and does each node answer the newest request ids with their first outcome?
/// `problems` in the answer is empty exactly if all of that holds.
Result<nlohmann::json> check_receipts(const std::string& network, const std::string& receipts,
                                      std::uint64_t wait_s);

struct EnrolOptions {
  std::string network;
  std::uint64_t persons = 0;
  std::uint64_t first_person = 0;  ///< number of the first one: others than in an earlier run
  std::size_t clients = 8;
};

/// Enrols persons at both insurers and returns persons a second; draws a progress bar on a
/// terminal. Returns: the first error that did not go away.
Result<nlohmann::json> run_enrolment(const EnrolOptions& options);

/// Posts a file's bytes as they are, signed, and says how the node answered: {"status", "code",
/// "message"}. An HTTP error is an answer here.
/// Returns: errors of the connection and of the files.
Result<nlohmann::json> post_file(const std::string& profile, const std::string& target,
                                 const std::string& path);

}  // namespace baolian::e2e
