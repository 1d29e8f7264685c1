/// Keyed pseudonyms and tags, scheme 0: HMAC-SHA256 under key files that are given to those who may
/// derive (privacy.md, Identifiers). An 18-digit id is enumerable, so nothing of it is ever hashed
/// without a key.
///
/// | what | key | input |
/// |---|---|---|
/// | SubjectId(audience) | subject key of that audience | "subject" || normalized person id |
/// | encounter tag | invoice-tag key | "encounter" || institution || encounter number |
/// | invoice tag | invoice-tag key | "invoice" || u32 length of code || code || number |
/// | day tag | day-tag key | "day" || normalized person id || u32 civil day |
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "contracts/types.h"
#include "core/ids.h"
#include "core/result.h"
#include "crypto/keystore.h"
#include "crypto/secret.h"
#include "ledger/genesis.h"

namespace baolian::vault {

/// The check value in genesis of one keyed-tag key: H("keycheck" || name || key).
Hash key_check(BytesView name, const crypto::Secret& key);

/// A person id as it enters every pseudonym: without spaces and separators ('-', '.'), full-width
/// forms (U+FF01..U+FF5E) as ASCII, letters in capitals. The identifier system is not part of it:
/// one person has one number in one chain's systems.
std::string normalize_person_id(std::string_view id);

/// What this node may derive. Immutable after load; thread-safe.
class SubjectKeys {
 public:
  /// Takes the keys of the keystore ("subject/<audience>", "tag/invoice", "tag/day") and checks
  /// each against genesis: a wrong key would be a silent network in which nothing ever matches.
  /// Returns: Errc::config_invalid for a key that does not match its check value.
  static Result<SubjectKeys> load(const crypto::Keystore& keystore, const ledger::Genesis& genesis);

  bool can_derive(const InstitutionId& audience) const { return subject_.contains(audience); }
  bool can_tag() const { return !invoice_tag_.empty() && !day_tag_.empty(); }
  /// All audiences that this node may derive, ascending; zeros = care.
  std::vector<InstitutionId> audiences() const;

  /// Returns: Errc::not_authorized if this node has no key of that audience, Errc::bad_argument for
  /// an empty id.
  Result<contracts::SubjectId> subject(const InstitutionId& audience,
                                       std::string_view person_id) const;
  /// Requires: can_tag().
  Tag32 encounter_tag(const InstitutionId& institution, std::string_view number) const;
  Tag32 invoice_tag(std::string_view code, std::string_view number) const;
  /// The tags of the days from first to last (both included; longer stays: the first and last 32),
  /// padded with random tags to 4, 8, 16, 32 or 64, ascending. Requires: can_tag(), first_day <=
  /// last_day.
  std::vector<Tag32> day_tags(std::string_view person_id, std::uint32_t first_day,
                              std::uint32_t last_day) const;

 private:
  std::map<InstitutionId, crypto::Secret> subject_;
  crypto::Secret invoice_tag_;
  crypto::Secret day_tag_;
};

}  // namespace baolian::vault
