/// Members of the network who ask their nodes through the JSON API: one key, many connections.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "bench/cluster.h"
#include "crypto/signing.h"
#include "net/https_client.h"

namespace baolian::bench {

/// Who asks. Threads: const, any.
struct Holder {
  std::string node;  ///< short name of the institution
  cli::Profile profile;
  std::unique_ptr<const crypto::Signer> signer;
};

/// `role`: as in the profile's name, "registrar" in hospital-1-registrar.
/// Returns: Errc::io_failed, bad_passphrase, config_invalid.
Result<Holder> load_holder(const Cluster& cluster, const std::string& node,
                           const std::string& role);

/// What a node answered, whatever its HTTP status.
struct Answer {
  unsigned status = 0;
  nlohmann::json body;

  bool is_ok() const { return status == 200; }
  /// Nothing was done, or it is not known: the same request may be sent again.
  bool is_busy() const { return status == 503; }
  /// For people: the status and the body's message.
  std::string problem() const;
};

/// One connection. Requires: a holder that outlives it. Threads: one at a time.
class Caller {
 public:
  explicit Caller(const Holder& holder);

  /// Returns: errors of net::HttpsClient; Errc::bad_json.
  Result<Answer> request(const std::string& method, const std::string& target,
                         std::string body = {}, const std::string& type = "application/json");
  /// The same, until the node is not busy any more and gives 200, for what must succeed.
  /// Returns: Errc::rejected with the API's words for another status; Errc::timed_out.
  Result<nlohmann::json> require(const std::string& method, const std::string& target,
                                 const nlohmann::json& body);

 private:
  const Holder* holder_;
  net::HttpsClient http_;
};

}  // namespace baolian::bench
