#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include "load.h"

namespace baolian::e2e {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;
using Place = std::pair<std::uint64_t, std::uint32_t>;  // height, leaf

constexpr std::size_t kEvidenceSamples = 5;
constexpr std::size_t kAskedAgain = 100;
constexpr std::size_t kPage = 1000;

struct NodeView {
  std::string name;
  cli::ApiClient client;
};

Result<std::vector<Receipt>> load_receipts(const std::string& path) {
  std::ifstream in(path);
  if (!in) return fail(Errc::io_failed, "the receipts file cannot be read");
  std::vector<Receipt> out;
  for (std::string line; std::getline(in, line);) {
    const json item = json::parse(line, nullptr, false);
    if (!item.is_object()) return fail(Errc::bad_json, "a line of the receipts is no object");
    Receipt receipt;
    receipt.record = item.value("record", "");
    receipt.node = item.value("node", "");
    receipt.request_id = item.value("request_id", "");
    receipt.tx_id = item.value("tx_id", "");
    receipt.height = item.value("height", std::uint64_t{0});
    receipt.leaf = item.value("leaf", 0U);
    out.push_back(std::move(receipt));
  }
  return out;
}

/// Every node of the network, asked as its compliance officer.
Result<std::vector<NodeView>> connect_nodes(const std::string& network) {
  std::vector<NodeView> out;
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(network + "/nodes")) {
    names.insert(entry.path().filename().string());
  }
  for (const auto& name : names) {
    TRY(const cli::Profile profile,
        cli::load_profile(network + "/profiles/" + name + "-compliance.json"));
    TRY(cli::ApiClient client, cli::ApiClient::connect(profile));
    out.push_back({name, std::move(client)});
  }
  if (out.empty()) return fail(Errc::not_found, "the network has no nodes");
  return out;
}

/// A height that all nodes have certified, not below `least`; 0 when time is up.
Result<std::uint64_t> common_height(std::vector<NodeView>& nodes, std::uint64_t least,
                                    std::uint64_t wait_s, json& problems) {
  const auto deadline = Clock::now() + std::chrono::seconds(wait_s);
  while (true) {
    std::uint64_t common = UINT64_MAX;
    std::string behind;
    for (auto& node : nodes) {
      const auto status = node.client.request_json("GET", "/v1/status");
      const std::uint64_t height = status ? status->value("certified_height", std::uint64_t{0}) : 0;
      if (height < common) behind = node.name;
      common = std::min(common, height);
    }
    if (common >= least) return common;
    if (Clock::now() > deadline) {
      problems.push_back(fmt::format("{} is at height {}, a receipt at {}", behind, common, least));
      return common;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

Result<void> compare_headers(std::vector<NodeView>& nodes, std::uint64_t height, json& out) {
  json first;
  for (auto& node : nodes) {
    TRY(const json header, node.client.request_json("GET", fmt::format("/v1/headers/{}", height)));
    if (first.is_null()) {
      first = header;
      out["state_root"] = header["state_root"];
    }
    for (const char* field : {"header_hash", "state_root", "operations_root"}) {
      if (header.at(field) == first.at(field)) continue;
      out["problems"].push_back(
          fmt::format("{} of height {} differs at {}", field, height, node.name));
    }
  }
  return ok();
}

/// Places of the readings in the record's complete log at one node.
Result<std::map<Place, std::string>> read_log(NodeView& node, const std::string& record) {
  std::map<Place, std::string> out;
  std::uint64_t after = 0;
  while (true) {
    TRY(const json page,
        node.client.request_json(
            "GET", fmt::format("/v1/audit/log?kind=reads_of_record&id={}&limit={}&after={}", record,
                               kPage, after)));
    for (const auto& entry : page.at("entries")) {
      out[{entry.at("height").get<std::uint64_t>(), entry.at("leaf").get<std::uint32_t>()}] =
          entry.at("operation").get<std::string>();
    }
    if (page.at("next").is_null()) return out;
    after = page.at("next").get<std::uint64_t>();
  }
}

/// Each acknowledged reading stands in the log; how many stand there that nobody acknowledged.
Result<void> check_logs(NodeView& node, const std::vector<Receipt>& receipts, json& out) {
  std::map<std::string, std::set<Place>> acknowledged;
  for (const auto& receipt : receipts) {
    if (acknowledged[receipt.record].insert({receipt.height, receipt.leaf}).second) continue;
    out["problems"].push_back("two receipts name one place: " + receipt.request_id);
  }
  std::uint64_t missing = 0;
  std::uint64_t extra = 0;
  for (const auto& [record, places] : acknowledged) {
    TRY(const auto log, read_log(node, record));
    for (const auto& place : places) {
      const auto found = log.find(place);
      const bool there = found != log.end() && found->second == "records.read";
      missing += there ? 0U : 1U;
    }
    for (const auto& [place, operation] : log) extra += places.contains(place) ? 0U : 1U;
  }
  out["nodes"][node.name] = {{"missing", missing}, {"unacknowledged", extra}};
  if (missing > 0) {
    out["problems"].push_back(
        fmt::format("{}: {} acknowledged readings are not in its log", node.name, missing));
  }
  return ok();
}

/// Evidence of single operations names the request that was acknowledged.
Result<void> sample_evidence(NodeView& node, const std::vector<Receipt>& receipts, json& out) {
  const std::size_t step = std::max<std::size_t>(1, receipts.size() / kEvidenceSamples);
  for (std::size_t i = 0; i < receipts.size(); i += step) {
    const Receipt& receipt = receipts[i];
    TRY(const std::string evidence,
        node.client.request_text("GET", fmt::format("/v1/audit/evidence?height={}&leaf={}",
                                                    receipt.height, receipt.leaf)));
    if (evidence.find(receipt.request_id) == std::string::npos) {
      out["problems"].push_back(
          fmt::format("{}: the evidence at height {} leaf {} is of another request", node.name,
                      receipt.height, receipt.leaf));
    }
  }
  return ok();
}

/// The node that took a reading gives its first outcome again, and executes nothing.
Result<void> ask_again(const std::string& network, const std::vector<Receipt>& receipts,
                       json& out) {
  std::map<std::string, cli::ApiClient> clients;
  const std::size_t first = receipts.size() > kAskedAgain ? receipts.size() - kAskedAgain : 0;
  for (std::size_t i = first; i < receipts.size(); ++i) {
    const Receipt& receipt = receipts[i];
    auto client = clients.find(receipt.node);
    if (client == clients.end()) {
      TRY(const cli::Profile profile,
          cli::load_profile(network + "/profiles/" + receipt.node + "-doctor.json"));
      TRY(cli::ApiClient made, cli::ApiClient::connect(profile));
      client = clients.emplace(receipt.node, std::move(made)).first;
    }
    TRY(const json answer,
        client->second.request_json("POST", "/v1/records/" + receipt.record + "/read",
                                    {{"purpose", "TREAT"}, {"request_id", receipt.request_id}}));
    const bool same = answer.value("tx_id", "") == receipt.tx_id &&
                      answer.value("height", std::uint64_t{0}) == receipt.height &&
                      answer.value("leaf", 0U) == receipt.leaf;
    if (!same) {
      out["problems"].push_back("asked again, another outcome: " + receipt.request_id);
    }
  }
  return ok();
}

}  // namespace

Result<json> check_receipts(const std::string& network, const std::string& path,
                            std::uint64_t wait_s) {
  TRY(const std::vector<Receipt> receipts, load_receipts(path));
  TRY(std::vector<NodeView> nodes, connect_nodes(network));
  json out = {{"receipts", receipts.size()}, {"problems", json::array()}};
  std::uint64_t newest = 0;
  for (const auto& receipt : receipts) newest = std::max(newest, receipt.height);
  TRY(const std::uint64_t height, common_height(nodes, newest, wait_s, out["problems"]));
  out["height"] = height;
  TRY(ask_again(network, receipts, out));
  // A header binds all of history, so one common header stands for the heights below it.
  TRY(compare_headers(nodes, height, out));
  for (auto& node : nodes) {
    TRY(check_logs(node, receipts, out));
    TRY(sample_evidence(node, receipts, out));
  }
  return out;
}

}  // namespace baolian::e2e
