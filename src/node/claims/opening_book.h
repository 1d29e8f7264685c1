/// What opens the commitments of decided claims: amounts, blinding factors and salts, as an insurer
/// and a hospital keep them. Everything is found by the commitment that stands on the chain, so
/// that the book knows no "current" value and nothing has to be undone when a decision does not
/// come about.
///
/// Sealed files under `<data>/openings`, each durable before its decision is signed or sent
/// (formats.md, Claims): `decision-HASH` for a decision, by H(content); `sums-HASH` for balances
/// that were reported or received. Threads: safe for concurrent use.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "contracts/adjudication/bill.h"
#include "contracts/claims/decision_operations.h"
#include "contracts/claims/payload.h"
#include "vault/sealed_directory.h"

namespace baolian::node {

using contracts::BalanceOpening;

/// Opens a Pedersen commitment that is not computed here: a balance as a hospital gives it.
struct SumOpening {
  static constexpr std::string_view kTypeName = "SumOpening";
  GroupElement sum;
  BalanceOpening opening;

  static constexpr auto fields() {
    return field_list(field("sum", &SumOpening::sum, "the commitment"),
                      field("opening", &SumOpening::opening, "what it opens to"));
  }
};

struct SumOpenings {
  static constexpr std::string_view kTypeName = "SumOpenings";
  Version<1> version;
  std::vector<SumOpening> sums;

  static constexpr auto fields() {
    return field_list(field("version", &SumOpenings::version, "format version"),
                      field("sums", &SumOpenings::sums, at_most(1024), "by commitment"));
  }
};

/// Opens commit("accumulator", salt, AccumulatorAmount).
struct AccumulatorOpening {
  static constexpr std::string_view kTypeName = "AccumulatorOpening";
  std::uint16_t id = 0;
  std::uint64_t amount = 0;
  Salt salt;

  static constexpr auto fields() {
    return field_list(field("id", &AccumulatorOpening::id, "which accumulator"),
                      field("amount", &AccumulatorOpening::amount, "minor units"),
                      field("salt", &AccumulatorOpening::salt, "of the commitment"));
  }
};

/// Everything that opens and repeats one decision: the escrow's content. The hospital's copy has
/// only what it was shown: payouts and balances.
struct DecisionFile {
  static constexpr std::string_view kTypeName = "DecisionFile";
  Version<1> version;
  Bytes content;                                 ///< canonical ClaimsDecide
  std::vector<BalanceOpening> payouts;           ///< of the lines, in their order
  std::vector<BalanceOpening> balances;          ///< of the lines' invoices afterwards
  std::optional<BalanceOpening> total;           ///< of the policy afterwards
  std::vector<AccumulatorOpening> accumulators;  ///< afterwards
  Bytes decision;                                ///< canonical Decision
  Salt decision_salt;
  std::vector<contracts::InvoiceStanding> standings;  ///< as the engine saw them
  std::optional<contracts::Ruling> ruling;

  static constexpr auto fields() {
    return field_list(
        field("version", &DecisionFile::version, "format version"),
        field("content", &DecisionFile::content, at_most(64 * 1024), "canonical ClaimsDecide"),
        field("payouts", &DecisionFile::payouts, at_most(contracts::kPayoutLinesMax),
              "open the payouts, line by line"),
        field("balances", &DecisionFile::balances, at_most(contracts::kPayoutLinesMax),
              "open the balances afterwards, line by line"),
        field("total", &DecisionFile::total, "opens the policy's total afterwards"),
        field("accumulators", &DecisionFile::accumulators, at_most(contracts::kAccumulatorsMax),
              "open the accumulators afterwards"),
        field("decision", &DecisionFile::decision, at_most(4 * 1024 * 1024), "canonical Decision"),
        field("decision_salt", &DecisionFile::decision_salt, "opens the decision's commitment"),
        field("standings", &DecisionFile::standings, at_most(contracts::kInvoicesMax),
              "what remained of the payload's invoices"),
        field("ruling", &DecisionFile::ruling, "of a person, if one decided"));
  }
};

/// A decision file with the escrow whose hash stands in its content.
struct KeptDecision {
  static constexpr std::string_view kTypeName = "KeptDecision";
  Version<1> version;
  DecisionFile file;
  Bytes escrow;  ///< DecisionFile, sealed to the escrow reader; empty where nothing is payable
  std::string explanation_zh;  ///< as the person gets it; the insurer's copy only
  std::string explanation_en;

  static constexpr auto fields() {
    return field_list(
        field("version", &KeptDecision::version, "format version"),
        field("file", &KeptDecision::file, "what opens it"),
        field("escrow", &KeptDecision::escrow, at_most(5 * 1024 * 1024),
              "sealed for the regulator"),
        field("explanation_zh", &KeptDecision::explanation_zh, at_most(1024 * 1024), "in Chinese"),
        field("explanation_en", &KeptDecision::explanation_en, at_most(1024 * 1024), "in English"));
  }
};

/// H("escrow" || sealed bytes): ClaimsDecide::escrow.
Hash escrow_hash(BytesView sealed);
/// commit("accumulator", salt, AccumulatorAmount).
Commitment accumulator_commitment(const PolicyId& policy, const AccumulatorOpening& opening);
/// commit("decision", salt, canonical Decision).
Commitment decision_commitment(const Salt& salt, BytesView decision);

class OpeningBook {
 public:
  /// Reads every file. Returns: Errc::io_failed, Errc::cannot_open or codec errors for a damaged
  /// file: without its openings a policy year cannot go on, so the operator must restore it.
  static Result<std::unique_ptr<OpeningBook>> open(const std::string& directory,
                                                   crypto::Secret key);

  /// Durably. Returns: Errc::io_failed.
  Result<void> keep(const KeptDecision& decision);
  Result<void> keep(const SumOpenings& sums);

  /// The identity opens to 0. nullopt: not in this book.
  std::optional<BalanceOpening> sum(const GroupElement& commitment) const;
  /// Zeros open to 0. nullopt: not in this book.
  std::optional<AccumulatorOpening> accumulator(const Commitment& commitment) const;
  /// The decision whose commitment stands on the chain, or with this content.
  Result<KeptDecision> find(const Commitment& decision) const;

 private:
  OpeningBook(vault::SealedDirectory files) : files_(std::move(files)) {}
  void index(const DecisionFile& file, const std::string& name);
  void index(const SumOpenings& sums);

  vault::SealedDirectory files_;
  mutable std::mutex mutex_;
  std::map<GroupElement, BalanceOpening> sums_;
  std::map<Commitment, AccumulatorOpening> accumulators_;
  std::map<Commitment, std::string> decisions_;  // names of files
};

}  // namespace baolian::node
