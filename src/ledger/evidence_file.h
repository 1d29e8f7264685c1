/// What stands in an evidence file, as declared types, and its one canonical text (docs/formats.md,
/// "Evidence file"). Making and judging the content: ledger/evidence.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/codec.h"
#include "core/ids.h"
#include "core/result.h"
#include "crypto/certificate.h"
#include "ledger/chain.h"
#include "ledger/header.h"
#include "ledger/log.h"
#include "ledger/state_tree.h"
#include "ledger/state_view.h"
#include "ledger/trail.h"
#include "ledger/transaction.h"

namespace baolian::ledger {

inline constexpr std::string_view kEvidenceFormat = "baolian-evidence";
inline constexpr std::uint16_t kEvidenceVersion = 1;
inline constexpr std::size_t kEvidenceBytesMax = 256 * 1024 * 1024;

// ------------------------------------------------------------------ questions

/// Which entries has this log with from <= time < to?
struct LogWindowQuestion {
  static constexpr std::string_view kTypeName = "LogWindowQuestion";
  LogId log;
  TimeMs from;
  TimeMs to;

  friend bool operator==(const LogWindowQuestion&, const LogWindowQuestion&) = default;
  static constexpr auto fields() {
    return field_list(field("log", &LogWindowQuestion::log, "which complete log"),
                      field("from", &LogWindowQuestion::from, "first block time, ms, included"),
                      field("to", &LogWindowQuestion::to, "end of the window, ms, not included"));
  }
};

/// What came of this operation? An operation has no other name than its transaction and position
/// there: an index in the block is not bound by an inclusion path.
struct OperationQuestion {
  static constexpr std::string_view kTypeName = "OperationQuestion";
  TxHash tx_hash;
  std::uint16_t op_index = 0;

  friend bool operator==(const OperationQuestion&, const OperationQuestion&) = default;
  static constexpr auto fields() {
    return field_list(
        field("tx_hash", &OperationQuestion::tx_hash, "hash of the signed transaction"),
        field("op_index", &OperationQuestion::op_index,
              "position in the transaction; 65535 = the whole transaction, rejected as one"));
  }
};

/// What value had this key after the block of the header?
struct StateQuestion {
  static constexpr std::string_view kTypeName = "StateQuestion";
  Bytes key;

  friend bool operator==(const StateQuestion&, const StateQuestion&) = default;
  static constexpr auto fields() {
    return field_list(
        field("key", &StateQuestion::key, between(1, kStateKeyBytesMax), "state key"));
  }
};

using EvidenceQuestion = std::variant<LogWindowQuestion, OperationQuestion, StateQuestion>;

// ------------------------------------------------------------------ proofs, one type a question

struct LogWindowProofs {
  static constexpr std::string_view kTypeName = "LogWindowProofs";
  LogWindowProof window;
  std::vector<OperationLeaf> leaves;

  friend bool operator==(const LogWindowProofs&, const LogWindowProofs&) = default;
  static constexpr auto fields() {
    return field_list(
        field("window", &LogWindowProofs::window,
              "the entries with both neighbours, proved complete"),
        field("leaves", &LogWindowProofs::leaves, at_most(kWindowEntriesMax),
              "the operation leaves of the window's entries, each once, in order of first use"));
  }
};

enum class Side : std::uint8_t { left = 0, right = 1 };
constexpr auto enum_names(Side) { return std::array<std::string_view, 2>{"left", "right"}; }

/// One step of an inclusion path whose tree size is not needed.
struct PathStep {
  static constexpr std::string_view kTypeName = "PathStep";
  Side side{};
  Hash hash;

  friend bool operator==(const PathStep&, const PathStep&) = default;
  static constexpr auto fields() {
    return field_list(field("side", &PathStep::side, "where the sibling stands"),
                      field("hash", &PathStep::hash, "hash of the sibling"));
  }
};

struct OperationProofs {
  static constexpr std::string_view kTypeName = "OperationProofs";
  OperationLeaf leaf;
  std::vector<PathStep> path;

  friend bool operator==(const OperationProofs&, const OperationProofs&) = default;
  static constexpr auto fields() {
    return field_list(
        field("leaf", &OperationProofs::leaf, "the operation with what came of it"),
        field("path", &OperationProofs::path, at_most(64), "from the leaf up to operations_root"));
  }
};

struct StateProofs {
  static constexpr std::string_view kTypeName = "StateProofs";
  std::optional<Bytes> value;
  StateProof state;

  friend bool operator==(const StateProofs&, const StateProofs&) = default;
  static constexpr auto fields() {
    return field_list(field("value", &StateProofs::value, at_most(kStateValueBytesMax),
                            "canonical bytes of the value; null: the key is absent"),
                      field("state", &StateProofs::state, "under state_root"));
  }
};

using EvidenceProofs = std::variant<LogWindowProofs, OperationProofs, StateProofs>;

// ------------------------------------------------------------------ facts and words

/// How far a fact can be trusted (docs/contracts.md).
enum class Label : std::uint8_t {
  enforced = 1,    ///< every validator checked it
  agreed = 2,      ///< two parties with different interests signed the same
  stated = 3,      ///< `by` signed it; nobody checked it
  recomputed = 4,  ///< whoever verifies opened the inputs and ran the computation again
};
constexpr auto enum_names(Label) {
  return std::array<std::string_view, 5>{"", "enforced", "agreed", "stated", "recomputed"};
}

/// One thing that an operation says, for people.
struct Fact {
  static constexpr std::string_view kTypeName = "Fact";
  std::string name{};   ///< [a-z0-9_.]: an entry of the names table, or shown as it is
  std::string value{};  ///< one line
  Label label = Label::enforced;
  std::string by{};  ///< stated: by whom; agreed: between whom; else empty
  /// Not in the file: of a batched operation, the line that the fact is about; a log entry of line
  /// k is shown with the facts of line k and those without line.
  std::optional<std::uint16_t> line = std::nullopt;

  friend bool operator==(const Fact&, const Fact&) = default;
  static constexpr auto fields() {
    return field_list(
        field("name", &Fact::name, between(1, 64), "what the fact is about: [a-z0-9_.]"),
        field("value", &Fact::value, at_most(2048), "one line of text"),
        field("label", &Fact::label, "how far it can be trusted"),
        field("by", &Fact::by, at_most(512), "stated: by whom; agreed: between whom"));
  }
};

/// The facts of one operation, or of one log entry.
struct FactGroup {
  static constexpr std::string_view kTypeName = "FactGroup";
  std::optional<std::uint64_t> entry;  ///< index in the log; none for an operation
  std::uint32_t leaf = 0;              ///< position in proofs.leaves; 0 for an operation
  std::vector<Fact> facts;

  friend bool operator==(const FactGroup&, const FactGroup&) = default;
  static constexpr auto fields() {
    return field_list(
        field("entry", &FactGroup::entry, "index of the log entry; null for an operation"),
        field("leaf", &FactGroup::leaf, "position in proofs.leaves; 0 for an operation"),
        field("facts", &FactGroup::facts, at_most(20'000), "in the order of the facts table"));
  }
};

/// A sentence made from template `text` of the texts table.
struct Sentence {
  static constexpr std::string_view kTypeName = "Sentence";
  std::uint16_t text = 0;
  std::string en;
  std::string zh;

  friend bool operator==(const Sentence&, const Sentence&) = default;
  static constexpr auto fields() {
    constexpr std::uint32_t kBytesMax = 16 * 1024 * 1024;
    return field_list(field("text", &Sentence::text, "number of the template"),
                      field("en", &Sentence::en, at_most(kBytesMax), "English"),
                      field("zh", &Sentence::zh, at_most(kBytesMax), "Chinese"));
  }
};

// ------------------------------------------------------------------ the file

struct Evidence {
  static constexpr std::string_view kTypeName = "Evidence";
  std::uint16_t texts = 1;
  ChainId chain_id;
  EvidenceQuestion question;
  EvidenceProofs proofs;  ///< of the question's kind
  Header header;
  std::optional<Header> certified_header;
  std::vector<Hash> history;
  crypto::ExecCertificate certificate;
  std::vector<TrailLink> trail;
  std::vector<FactGroup> facts;
  std::vector<Sentence> words;
  std::vector<Sentence> limits;

  friend bool operator==(const Evidence&, const Evidence&) = default;
  /// The members whose JSON form is that of their type; question and proofs are written by kind.
  static constexpr auto fields() {
    return field_list(
        field("texts", &Evidence::texts, "version of the tables of texts, names and facts"),
        field("chain_id", &Evidence::chain_id, "H(canonical genesis)"),
        field("header", &Evidence::header, "the block under whose roots the proofs stand"),
        field("certified_header", &Evidence::certified_header,
              "null if header itself is certified; else a later header that is"),
        field("history", &Evidence::history, at_most(64),
              "inclusion path of header in certified_header.history_root; else empty"),
        field("certificate", &Evidence::certificate,
              "of certified_header if present, else of header"),
        field("trail", &Evidence::trail, at_most(kTrailLinksMax),
              "changes of validators since the genesis"),
        field("facts", &Evidence::facts, at_most(kWindowEntriesMax),
              "what the proved operations say"),
        field("words", &Evidence::words, at_most(kWindowEntriesMax + 16),
              "the answer in sentences"),
        field("limits", &Evidence::limits, at_most(64), "what this does not prove"));
  }
};

/// The name of a question's kind in the file: log_window, operation or state.
std::string_view question_kind(const EvidenceQuestion& question);

/// The canonical text: sorted keys, one space of indentation a level, one trailing newline.
std::string evidence_text(const Evidence& evidence);

/// Reads a text of at most kEvidenceBytesMax; other layouts than the canonical one pass here.
/// Returns: Errc::limit_exceeded, unknown_version, and the errors of from_json_form.
Result<Evidence> parse_evidence(std::string_view text);

}  // namespace baolian::ledger
