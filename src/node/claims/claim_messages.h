/// Messages between an insurer's node and the reporter's about one claim, and for public contents.
/// They travel in the class `sync` like those of institution_messages.h; what only the other side
/// may read is sealed to its vault.
#pragma once

#include <string>

#include "node/claims/opening_book.h"
#include "node/institution_messages.h"

namespace baolian::node {

inline constexpr std::uint8_t kCountersignRequest = 0xD4;
inline constexpr std::uint8_t kCountersignReply = 0xD5;
inline constexpr std::uint8_t kBalanceRequest = 0xD6;
inline constexpr std::uint8_t kBalanceReply = 0xD7;
inline constexpr std::uint8_t kContentRequest = 0xD8;
inline constexpr std::uint8_t kContentReply = 0xD9;

/// What the reporter must see before it signs a decision.
struct CountersignBody {
  static constexpr std::string_view kTypeName = "CountersignBody";
  Version<1> version;
  Bytes content;                        ///< canonical ClaimsDecide
  std::vector<BalanceOpening> payouts;  ///< line by line
  Bytes escrow;

  static constexpr auto fields() {
    return field_list(
        field("version", &CountersignBody::version, "format version"),
        field("content", &CountersignBody::content, at_most(64 * 1024), "canonical ClaimsDecide"),
        field("payouts", &CountersignBody::payouts, at_most(contracts::kPayoutLinesMax),
              "open the payouts, line by line"),
        field("escrow", &CountersignBody::escrow, at_most(5 * 1024 * 1024), "sealed escrow"));
  }
};

struct CountersignRequest {
  static constexpr std::string_view kTypeName = "CountersignRequest";
  Version<kCountersignRequest> version;
  RequestId request;
  Height height;  ///< the decision is on the state of this height: who is behind answers later
  Bytes sealed;   ///< CountersignBody, to the reporter's vault

  static constexpr auto fields() {
    return field_list(
        field("version", &CountersignRequest::version, "0xD4"),
        field("request", &CountersignRequest::request, "names the reply"),
        field("height", &CountersignRequest::height, "whose state the decision is on"),
        field("sealed", &CountersignRequest::sealed, at_most(6 * 1024 * 1024),
              "CountersignBody for the reporter's vault"));
  }
};

struct CountersignReply {
  static constexpr std::string_view kTypeName = "CountersignReply";
  Version<kCountersignReply> version;
  RequestId request;
  std::optional<ledger::Cosignature> cosignature;  ///< none: refused
  std::string reason;                              ///< of a refusal; no personal data

  static constexpr auto fields() {
    return field_list(field("version", &CountersignReply::version, "0xD5"),
                      field("request", &CountersignReply::request, "of the request"),
                      field("cosignature", &CountersignReply::cosignature, "none: refused"),
                      field("reason", &CountersignReply::reason, at_most(512), "of a refusal"));
  }
};

/// The insurer asks how the balances of a claim's invoices open now.
struct BalanceRequest {
  static constexpr std::string_view kTypeName = "BalanceRequest";
  Version<kBalanceRequest> version;
  RequestId request;
  Height height;
  ClaimId claim;

  static constexpr auto fields() {
    return field_list(field("version", &BalanceRequest::version, "0xD6"),
                      field("request", &BalanceRequest::request, "names the reply"),
                      field("height", &BalanceRequest::height, "as in CountersignRequest"),
                      field("claim", &BalanceRequest::claim, "claim of the asking insurer"));
  }
};

struct BalanceReply {
  static constexpr std::string_view kTypeName = "BalanceReply";
  Version<kBalanceReply> version;
  RequestId request;
  Bytes sealed;  ///< SumOpenings, to the insurer's vault; empty: refused
  std::string reason;

  static constexpr auto fields() {
    return field_list(field("version", &BalanceReply::version, "0xD7"),
                      field("request", &BalanceReply::request, "of the request"),
                      field("sealed", &BalanceReply::sealed, at_most(256 * 1024),
                            "SumOpenings for the insurer's vault; empty = refused"),
                      field("reason", &BalanceReply::reason, at_most(512), "of a refusal"));
  }
};

/// Asks for public content (a product, a code map) by the hash that stands on the chain.
struct ContentRequest {
  static constexpr std::string_view kTypeName = "ContentRequest";
  Version<kContentRequest> version;
  Hash content;

  static constexpr auto fields() {
    return field_list(field("version", &ContentRequest::version, "0xD8"),
                      field("content", &ContentRequest::content, "H(\"public\" || bytes)"));
  }
};

struct ContentReply {
  static constexpr std::string_view kTypeName = "ContentReply";
  Version<kContentReply> version;
  Bytes bytes;

  static constexpr auto fields() {
    return field_list(
        field("version", &ContentReply::version, "0xD9"),
        field("bytes", &ContentReply::bytes, at_most(8 * 1024 * 1024), "the content"));
  }
};

}  // namespace baolian::node
