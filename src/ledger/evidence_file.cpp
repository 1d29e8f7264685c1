#include "ledger/evidence_file.h"

#include <utility>

#include "ledger/json.h"

namespace baolian::ledger {
namespace {

constexpr std::array<std::string_view, 3> kQuestionKinds = {"log_window", "operation", "state"};

/// Takes a member out of an object, so that what remains can be read strictly.
Result<Json> take(Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return fail(Errc::bad_json, std::string(key) + ": missing");
  Json value = std::move(*found);
  object.erase(found);
  return value;
}

template <typename Question, typename Proofs>
Result<void> read_kind(const Json& question, const Json& proofs, Evidence& out) {
  TRY(out.question, from_json_form<Question>(question));
  TRY(out.proofs, from_json_form<Proofs>(proofs));
  return ok();
}

Result<void> check_format(Json& object) {
  TRY(const Json format, take(object, "format"));
  if (format != kEvidenceFormat) return fail(Errc::bad_json, "format: this is no evidence file");
  TRY(const Json version, take(object, "version"));
  if (version != kEvidenceVersion) {
    return fail(Errc::unknown_version, "version: this program knows version 1 of evidence files");
  }
  return ok();
}

}  // namespace

std::string_view question_kind(const EvidenceQuestion& question) {
  return kQuestionKinds[question.index()];
}

std::string evidence_text(const Evidence& evidence) {
  Json object = to_json_form(evidence);
  object["format"] = kEvidenceFormat;
  object["version"] = kEvidenceVersion;
  object["question"] =
      std::visit([](const auto& question) { return to_json_form(question); }, evidence.question);
  object["question"]["kind"] = question_kind(evidence.question);
  object["proofs"] =
      std::visit([](const auto& proofs) { return to_json_form(proofs); }, evidence.proofs);
  return json_text(object) + "\n";
}

Result<Evidence> parse_evidence(std::string_view text) {
  TRY(Json object, parse_json_text(text, {.bytes_max = kEvidenceBytesMax}));
  if (!object.is_object()) return fail(Errc::bad_json, "this is no evidence file");
  TRY(check_format(object));
  TRY(Json question, take(object, "question"));
  TRY(const Json proofs, take(object, "proofs"));
  if (!question.is_object()) return fail(Errc::bad_json, "question: expected an object");
  TRY(const Json kind, take(question, "kind"));
  TRY(Evidence evidence, from_json_form<Evidence>(object));
  if (kind == kQuestionKinds[0]) {
    TRY((read_kind<LogWindowQuestion, LogWindowProofs>(question, proofs, evidence)));
  } else if (kind == kQuestionKinds[1]) {
    TRY((read_kind<OperationQuestion, OperationProofs>(question, proofs, evidence)));
  } else if (kind == kQuestionKinds[2]) {
    TRY((read_kind<StateQuestion, StateProofs>(question, proofs, evidence)));
  } else {
    return fail(Errc::bad_json,
                "question.kind: this program knows log_window, operation and state");
  }
  return evidence;
}

}  // namespace baolian::ledger
