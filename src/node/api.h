/// The node's HTTPS API (docs/api.md): routes, who may ask, answers. Handlers may wait for
/// certificates, so they run on a pool of threads of their own, never on the server's.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <thread>
#include <vector>

#include "consensus/engine.h"
#include "net/https_server.h"
#include "node/api_auth.h"
#include "node/attestation.h"
#include "node/claims/claim_agent.h"
#include "node/discharge_desk.h"
#include "node/reading_agent.h"
#include "node/services.h"
#include "node/snapshot_progress.h"
#include "node/transaction_desk.h"

namespace baolian::node {

/// What the API shows of the replica.
struct ReplicaStatus {
  Epoch epoch;
  std::uint64_t view = 0;  ///< Raft: the term
  bool validator = false;
  bool primary = false;                  ///< Raft: the leader
  std::optional<ValidatorIndex> leader;  ///< who is primary or leads, if known here
  bool stopped = false;
  bool active = false;  ///< votes in the view; false in a view change
  Height certified;     ///< h, the stable checkpoint: may be above what is executed here
  struct Peer {
    std::string name;
    bool connected = false;
  };
  std::vector<Peer> peers;
  std::vector<consensus::Evidence> contradictions;
  std::uint64_t log_syncs = 0;       ///< fdatasyncs of the consensus log since the start
  SnapshotProgress transfer;         ///< a snapshot that is being fetched
  consensus::ProbeCounts probes;     ///< rare branches of the consensus taken since the start
  std::uint64_t pushes_refused = 0;  ///< transactions of other nodes that found no room here
};

/// A request that was authenticated.
struct ApiCall {
  const net::HttpRequest& http;
  contracts::MemberState member;
  std::vector<std::string> path;  ///< segments after /v1
};

class Api {
 public:
  /// Desks behind claims; they outlive the API.
  struct ClaimParts {
    AdjudicationDesk& adjudication;
    PaymentDesk& payments;
    PublicContents& contents;
  };
  Api(const Services& services, DischargeDesk& desk, ReadingAgent& reading,
      AttestationDesk& attestation, TransactionDesk& transactions, const ClaimParts& claims,
      std::function<ReplicaStatus()> replica_status, const Hash& certificate_fingerprint,
      std::size_t threads);
  ~Api();

  /// For net::HttpsServer. The server must be stopped before this object goes.
  net::HttpHandler handler();
  void stop();

 private:
  struct Job {
    net::HttpRequest request;
    net::Responder responder;
  };
  void run();
  net::HttpResponse answer(const net::HttpRequest& request);
  void take_transactions(Job job);
  Result<std::string> route(const ApiCall& call);
  Result<contracts::MemberState> authenticate(const net::HttpRequest& request);

  // api_status.cpp
  Result<std::string> status(const ApiCall& call);
  Result<std::string> header(const ApiCall& call);
  Result<std::string> checkpoint(const ApiCall& call);
  Result<std::string> contradictions(const ApiCall& call);
  // api_consents.cpp
  Result<std::string> register_product(const ApiCall& call);
  Result<std::string> publish_product(const nlohmann::json& body);
  Result<std::string> enrol(const ApiCall& call);
  Result<std::string> give_consent(const ApiCall& call);
  Result<std::string> revoke_consent(const ApiCall& call);
  Result<std::string> query_consents(const ApiCall& call);
  Result<std::string> consent_form(const ApiCall& call);
  // api_person_keys.cpp
  Result<std::string> register_person_key(const ApiCall& call);
  Result<std::string> send_cosigned(const ApiCall& call);
  // api_records.cpp
  Result<std::string> put_record(const ApiCall& call);
  Result<std::string> read_record(const ApiCall& call);
  Result<std::string> request_record(const ApiCall& call);
  Result<std::string> list_records(const ApiCall& call);
  Result<std::string> report_discharges(const ApiCall& call);
  // api_audit.cpp
  Result<std::string> list_claims(const ApiCall& call);
  Result<std::string> show_claim(const ApiCall& call);
  Result<std::string> claim_timeline(const ApiCall& call);
  Result<std::string> audit_log(const ApiCall& call);
  Result<std::string> audit_evidence(const ApiCall& call);

  // api_claims.cpp
  Result<std::string> publish_catalog(const ApiCall& call);
  Result<std::string> explain_claim(const ApiCall& call);
  Result<std::string> propose_decision(const ApiCall& call);
  Result<std::string> approve_decision(const ApiCall& call);
  Result<std::string> supplement_claim(const ApiCall& call);
  Result<std::string> withdraw_claim(const ApiCall& call);
  Result<std::string> request_review(const ApiCall& call);
  Result<std::string> show_policy(const ApiCall& call);
  Result<std::string> list_payments(const ApiCall& call);
  Result<std::string> recompute_payout(const ApiCall& call);

  const Services& services_;
  DischargeDesk& desk_;
  ReadingAgent& reading_;
  AttestationDesk& attestation_;
  TransactionDesk& transactions_;
  ClaimParts claims_;
  std::function<ReplicaStatus()> replica_status_;
  ApiAuthenticator authenticator_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace baolian::node
