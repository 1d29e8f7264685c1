#include "node/api.h"

#include <chrono>
#include <nlohmann/json.hpp>

#include "net/thread_name.h"
#include "node/api_json.h"
#include "node/version.h"

namespace baolian::node {
namespace {

using api::json;

constexpr const char* kOctets = "application/octet-stream";
constexpr std::size_t kJobsMax = 10'000;
constexpr auto kHeightWait = std::chrono::seconds(5);
constexpr auto kHeightPoll = std::chrono::milliseconds(5);

unsigned status_of(Errc code) {
  switch (code) {
    case Errc::not_authorized:
      return 403;
    case Errc::not_found:
      return 404;
    case Errc::pruned:
      return 410;
    case Errc::rejected:
    case Errc::request_conflict:
    case Errc::already_exists:
      return 409;
    case Errc::fhir_too_large:
    case Errc::limit_exceeded:
      return 413;
    case Errc::busy:
    case Errc::not_certified:
    case Errc::timed_out:
      return 503;
    case Errc::internal:
    case Errc::io_failed:
    case Errc::store_corrupt:
      return 500;
    default:
      return 400;
  }
}

std::string what_to_do(Errc code) {
  switch (code) {
    case Errc::busy:
    case Errc::timed_out:
      return "try again shortly";
    case Errc::not_certified:
      return "the outcome is open: ask again with the same request id";
    case Errc::not_authorized:
      return "sign as a member that may do this";
    case Errc::not_found:
      return "check the id";
    default:
      return "";
  }
}

net::HttpResponse error_response(const Error& error) {
  net::HttpResponse out;
  out.status = status_of(error.code);
  if (error.code == Errc::busy) out.headers.emplace_back("Retry-After", "1");  // seconds
  // A chain's rejection brings its own stable code in front of the sentence.
  std::string code(errc_name(error.code));
  std::string message = error.context;
  if (error.code == Errc::rejected) {
    const std::size_t colon = message.find(": ");
    if (colon != std::string::npos) {
      code = message.substr(0, colon);
      message = message.substr(colon + 2);
    }
  }
  out.body = json{
      {"code", code},
      {"message", message},
      {"what_to_do", what_to_do(error.code)},
      {"request_id",
       ""}}.dump();
  return out;
}

std::vector<std::string> segments(const std::string& path) {
  std::vector<std::string> out;
  std::string part;
  for (const char c : path + "/") {
    if (c != '/') {
      part.push_back(c);
    } else if (!part.empty()) {
      out.push_back(std::move(part));
      part.clear();
    }
  }
  return out;
}

bool is_transactions(const net::HttpRequest& request) {
  return request.method == "POST" && request.path == "/v1/transactions";
}

/// A read may say how far this node must have come (`min_height`): who was acknowledged at a height
/// anywhere then sees what he wrote here too (consensus.md 1.13 (a)). Waits a little for a node
/// that is about to get there.
Result<void> reach_min_height(const ledger::Chain& chain, const net::HttpRequest& request) {
  TRY(const std::uint64_t wanted, api::query_number(request, "min_height", 0));
  const auto deadline = std::chrono::steady_clock::now() + kHeightWait;
  while (chain.certified_height().value < wanted) {
    if (std::chrono::steady_clock::now() > deadline) {
      return fail(Errc::timed_out, "this node stands at certified height " +
                                       std::to_string(chain.certified_height().value) +
                                       ", below the min_height that was asked for");
    }
    std::this_thread::sleep_for(kHeightPoll);
  }
  return ok();
}

}  // namespace

Api::Api(const Services& services, DischargeDesk& desk, ReadingAgent& reading,
         AttestationDesk& attestation, TransactionDesk& transactions, const ClaimParts& claims,
         std::function<ReplicaStatus()> replica_status, const Hash& certificate_fingerprint,
         std::size_t threads)
    : services_(services),
      desk_(desk),
      reading_(reading),
      attestation_(attestation),
      transactions_(transactions),
      claims_(claims),
      replica_status_(std::move(replica_status)),
      authenticator_(services.chain.chain_id(), crypto::ed25519_verifier(),
                     {.server = certificate_fingerprint,
                      .started = services.clock(),
                      .may_ask = [&services](const PublicKey& key) {
                        return member_of_key(services.state(), key).has_value();
                      }}) {
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this] {
      net::name_thread("api");
      run();
    });
  }
}

Api::~Api() { stop(); }

void Api::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    jobs_.clear();  // unanswered responders answer 500
  }
  wake_.notify_all();
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

net::HttpHandler Api::handler() {
  return [this](net::HttpRequest request, net::Responder responder) {
    bool refused = false;
    {
      const std::lock_guard lock(mutex_);
      refused = stopping_ || jobs_.size() >= kJobsMax;
      if (!refused) jobs_.push_back({std::move(request), responder});
    }
    if (refused) {
      responder.respond(error_response(fail(Errc::busy, "too many requests wait")));
    } else {
      wake_.notify_one();
    }
  };
}

void Api::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (stopping_) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    if (is_transactions(job.request)) {
      take_transactions(std::move(job));
    } else {
      job.responder.respond(answer(job.request));
    }
    lock.lock();
  }
}

/// Each transaction brings its own signature, so the request needs none. Answered when the last
/// one is certified: no thread waits for it.
void Api::take_transactions(Job job) {
  auto message = decode<SignedTransactions>(as_bytes(job.request.body));
  if (message && message->transactions.empty()) {
    message = fail(Errc::bad_argument, "the call holds no transaction");
  }
  if (!message) {
    job.responder.respond(error_response(message.error()));
    return;
  }
  transactions_.submit(std::move(message->transactions),
                       [responder = std::move(job.responder)](const TransactionOutcomes& outcomes) {
                         net::HttpResponse out;
                         out.content_type = kOctets;
                         out.body = std::string(as_text(encode(outcomes)));
                         responder.respond(std::move(out));
                       });
}

Result<contracts::MemberState> Api::authenticate(const net::HttpRequest& request) {
  const auto header = net::find_header(request.headers, "authorization");
  if (!header) return fail(Errc::not_authorized, "the request is not signed");
  TRY(const PublicKey key, authenticator_.check(*header, request.method, request.target,
                                                request.body, services_.clock()));
  const auto member = member_of_key(services_.state(), key);
  const auto now = services_.chain.header(services_.chain.height())->timestamp;
  if (!member || !member->is_valid_at(std::max(now, services_.clock()))) {
    return fail(Errc::not_authorized, "this key is no valid member of the chain");
  }
  if (member->institution != services_.self) {
    return fail(Errc::not_authorized, "this node serves the members of another institution");
  }
  return *member;
}

net::HttpResponse Api::answer(const net::HttpRequest& request) {
  net::HttpResponse out;
  if (request.method == "GET" && request.path == "/healthz") {
    out.body = "{\"ok\":true}";
    return out;
  }
  if (request.method == "GET" && request.path == "/version") {
    out.body = json{{"version", version_number()}, {"commit", commit_id()}}.dump();
    return out;
  }
  if (request.method == "GET" && request.path == "/readyz") {
    const ReplicaStatus status = replica_status_();
    std::size_t connected = 0;
    for (const auto& peer : status.peers) connected += peer.connected ? 1 : 0;
    const bool ready = !status.stopped && (status.peers.empty() || connected > 0);
    out.status = ready ? 200 : 503;
    out.body = json{{"ready", ready}}.dump();
    return out;
  }
  auto member = authenticate(request);
  if (!member) return error_response(member.error());
  if (request.method == "GET") {
    if (auto reached = reach_min_height(services_.chain, request); !reached) {
      return error_response(reached.error());
    }
  }
  const ApiCall call{request, std::move(*member), segments(request.path)};
  auto body = route(call);
  if (!body) return error_response(body.error());
  out.body = *std::move(body);
  return out;
}

Result<std::string> Api::route(const ApiCall& call) {
  struct Route {
    const char* method;
    std::vector<std::string> path;  // "*" matches one segment
    Result<std::string> (Api::*handler)(const ApiCall&);
  };
  static const std::vector<Route> kRoutes = {
      {"GET", {"v1", "status"}, &Api::status},
      {"GET", {"v1", "headers", "*"}, &Api::header},
      {"GET", {"v1", "checkpoint"}, &Api::checkpoint},
      {"GET", {"v1", "contradictions"}, &Api::contradictions},
      {"POST", {"v1", "products"}, &Api::register_product},
      {"POST", {"v1", "policies"}, &Api::enrol},
      {"POST", {"v1", "consents"}, &Api::give_consent},
      {"POST", {"v1", "consents", "query"}, &Api::query_consents},
      {"POST", {"v1", "consents", "*", "revoke"}, &Api::revoke_consent},
      {"GET", {"v1", "consents", "*", "form"}, &Api::consent_form},
      {"POST", {"v1", "person-keys"}, &Api::register_person_key},
      {"POST", {"v1", "operations"}, &Api::send_cosigned},
      {"POST", {"v1", "records"}, &Api::put_record},
      {"GET", {"v1", "records"}, &Api::list_records},
      {"POST", {"v1", "records", "*", "read"}, &Api::read_record},
      {"POST", {"v1", "records", "*", "request"}, &Api::request_record},
      {"POST", {"v1", "discharges"}, &Api::report_discharges},
      {"GET", {"v1", "claims"}, &Api::list_claims},
      {"GET", {"v1", "claims", "*"}, &Api::show_claim},
      {"GET", {"v1", "claims", "*", "timeline"}, &Api::claim_timeline},
      {"GET", {"v1", "claims", "*", "explanation"}, &Api::explain_claim},
      {"POST", {"v1", "claims", "*", "proposal"}, &Api::propose_decision},
      {"POST", {"v1", "claims", "*", "decision"}, &Api::approve_decision},
      {"POST", {"v1", "claims", "*", "supplement"}, &Api::supplement_claim},
      {"POST", {"v1", "claims", "*", "withdraw"}, &Api::withdraw_claim},
      {"POST", {"v1", "claims", "*", "review"}, &Api::request_review},
      {"POST", {"v1", "claims", "*", "recompute"}, &Api::recompute_payout},
      {"POST", {"v1", "catalog"}, &Api::publish_catalog},
      {"GET", {"v1", "policies", "*"}, &Api::show_policy},
      {"GET", {"v1", "payments"}, &Api::list_payments},
      {"GET", {"v1", "audit", "log"}, &Api::audit_log},
      {"GET", {"v1", "audit", "evidence"}, &Api::audit_evidence},
  };
  for (const auto& route : kRoutes) {
    if (call.http.method != route.method || call.path.size() != route.path.size()) continue;
    bool matches = true;
    for (std::size_t i = 0; i < route.path.size(); ++i) {
      matches = matches && (route.path[i] == "*" || route.path[i] == call.path[i]);
    }
    if (matches) return (this->*route.handler)(call);
  }
  return fail(Errc::not_found, "no such endpoint; see docs/api.md");
}

}  // namespace baolian::node
