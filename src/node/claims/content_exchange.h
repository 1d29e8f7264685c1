/// Fetches public contents that the chain names and this node lacks, from the institution that
/// published them, and gives its own to whoever asks. On the agents' thread.
#pragma once

#include <map>

#include "contracts/events.h"
#include "node/claims/public_contents.h"
#include "node/services.h"

namespace baolian::node {

class ContentExchange {
 public:
  ContentExchange(const Services& services, PublicContents& contents)
      : services_(services), contents_(contents) {}

  /// What was published while this node was away.
  void start();
  void on_product(const contracts::ProductRegistered& event);
  void on_catalog(const contracts::CatalogPublished& event);
  void on_request(const InstitutionId& from, BytesView message);
  void on_reply(BytesView message);
  /// Asks again for what has not come.
  void work(TimeMs now);

 private:
  void want(const Hash& content, const InstitutionId& publisher);

  static constexpr std::uint64_t kAskAgainMs = 2'000;
  struct Wanted {
    InstitutionId publisher;
    TimeMs asked_at;
  };
  const Services& services_;
  PublicContents& contents_;
  std::map<Hash, Wanted> wanted_;
};

}  // namespace baolian::node
