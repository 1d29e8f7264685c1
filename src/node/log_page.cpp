#include "node/log_page.h"

#include <map>
#include <nlohmann/json.hpp>

#include "contracts/codes.h"
#include "contracts/events.h"
#include "contracts/operation_kind.h"
#include "node/services.h"

namespace baolian::node {
namespace {

using nlohmann::json;

std::string outcome_of(const ledger::OperationRow& row) {
  if (row.status != ledger::ReceiptStatus::applied) {
    return std::string(contracts::code_name(row.code));
  }
  std::string out;
  for (const ledger::EventMark& event : row.events) {
    if (!out.empty()) out += ", ";
    out += contracts::event_name(event.kind);
    if (event.kind == static_cast<std::uint16_t>(contracts::EventKind::denied)) {
      out += " (" + std::string(contracts::code_name(event.detail)) + ")";
    }
  }
  return out;
}

/// Names of senders' institutions; a page has few senders.
class Senders {
 public:
  explicit Senders(const ledger::StateReader& state) : state_(state) {}

  const std::string& institution_of(const PublicKey& sender) {
    const auto [place, is_new] = names_.try_emplace(sender);
    if (is_new) {
      const auto member = member_of_key(state_, sender);
      if (member) place->second = institution_name(state_, member->institution);
    }
    return place->second;
  }

 private:
  const ledger::StateReader& state_;
  std::map<PublicKey, std::string> names_;
};

}  // namespace

std::vector<OperationView> views_of(const ledger::Chain& chain,
                                    const std::vector<ledger::PositionedEntry>& entries) {
  std::vector<OperationView> out;
  out.reserve(entries.size());
  Senders senders(chain.state());
  for (const auto& row : chain.operations_of(entries)) {
    OperationView& view = out.emplace_back();
    if (!row) continue;
    view.operation = contracts::kind_name(row->kind);
    view.outcome = outcome_of(*row);
    view.institution = senders.institution_of(row->sender);
  }
  return out;
}

std::string log_page_json(const ledger::Chain& chain, const LogPageQuery& query) {
  const auto found = chain.log_entries(query.log, query.from, query.to, query.after, query.limit);
  const auto views = views_of(chain, found);
  json entries = json::array();
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto& [index, entry] = found[i];
    entries.push_back({{"index", index},
                       {"time_ms", entry.time.value},
                       {"height", entry.height.value},
                       {"leaf", entry.operation},
                       {"operation", views[i].operation},
                       {"outcome", views[i].outcome},
                       {"institution_name", views[i].institution}});
  }
  json next = nullptr;
  if (found.size() == query.limit && query.limit > 0) next = found.back().index + 1;
  return json{{"kind", std::string(enum_name(query.log.kind))},
              {"id", query.log.id.hex()},
              {"count", chain.log_frontier(query.log).count},
              {"first_index_here", chain.first_log_index(query.log)},
              {"entries", entries},
              {"next", next}}
      .dump();
}

}  // namespace baolian::node
