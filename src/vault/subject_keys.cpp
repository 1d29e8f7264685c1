#include "vault/subject_keys.h"

#include <algorithm>
#include <set>

#include "crypto/hash.h"
#include "crypto/random.h"

namespace baolian::vault {
namespace {

constexpr std::string_view kSubjectEntry = "subject/";
constexpr std::size_t kKeyBytes = 32;
constexpr std::uint32_t kDaysEachEnd = 32;

// Chinese input methods type digits, letters and spaces in full width: the same number, other
// bytes.
constexpr std::string_view kIdeographicSpace = "\xE3\x80\x80";  // U+3000
constexpr std::string_view kNoBreakSpace = "\xC2\xA0";          // U+00A0
constexpr std::size_t kFullWidthBytes = 3;

/// The ASCII character of a text that begins with its full-width form U+FF01..U+FF5E; zero if it
/// does not.
char narrow_form(std::string_view text) {
  if (text.size() < kFullWidthBytes || text[0] != '\xEF') return '\0';
  const auto middle = static_cast<std::uint8_t>(text[1]);
  const auto last = static_cast<std::uint8_t>(text[2]);
  if (middle == 0xBC && last >= 0x81 && last <= 0xBF) return static_cast<char>(last - 0x81 + 0x21);
  if (middle == 0xBD && last >= 0x80 && last <= 0x9E) return static_cast<char>(last - 0x80 + 0x60);
  return '\0';
}

bool is_separator(char c) { return c == ' ' || c == '-' || c == '.' || (c >= '\t' && c <= '\r'); }

Error wrong_key(std::string_view name) {
  return fail(Errc::config_invalid, "the key '" + std::string(name) +
                                        "' is not the one that genesis has a check value of; get "
                                        "the chain's key file again");
}

Bytes u32_bytes(std::uint32_t value) {
  Bytes out;
  Encoder(out).integer(value);
  return out;
}

Result<void> check_tag_key(std::string_view name, const crypto::Secret& key, const Hash& check) {
  if (key.size() == kKeyBytes && key_check(as_bytes(name), key) == check) return ok();
  return wrong_key("tag/" + std::string(name));
}

Tag32 tag(const crypto::Secret& key, std::initializer_list<BytesView> parts) {
  return Tag32::from(crypto::hmac_sha256(key.view(), parts).view());
}

}  // namespace

Hash key_check(BytesView name, const crypto::Secret& key) {
  return crypto::hash_in_domain(crypto::domain::kKeyCheck, {name, key.view()});
}

std::string normalize_person_id(std::string_view id) {
  std::string out;
  while (!id.empty()) {
    char c = id.front();
    std::size_t length = 1;
    if (id.starts_with(kIdeographicSpace) || id.starts_with(kNoBreakSpace)) {
      length = id.starts_with(kIdeographicSpace) ? kIdeographicSpace.size() : kNoBreakSpace.size();
      c = ' ';
    } else if (const char narrow = narrow_form(id); narrow != '\0') {
      length = kFullWidthBytes;
      c = narrow;
    }
    id.remove_prefix(length);
    if (is_separator(c)) continue;
    out.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
  }
  return out;
}

Result<SubjectKeys> SubjectKeys::load(const crypto::Keystore& keystore,
                                      const ledger::Genesis& genesis) {
  SubjectKeys out;
  for (const auto& entry : keystore.entries()) {
    if (!entry.name.starts_with(kSubjectEntry)) continue;
    const auto audience =
        InstitutionId::from_hex_text(std::string_view(entry.name).substr(kSubjectEntry.size()));
    if (!audience) return wrong_key(entry.name);
    const auto check =
        std::find_if(genesis.subject_key_checks.begin(), genesis.subject_key_checks.end(),
                     [&](const auto& c) { return c.audience == *audience; });
    if (check == genesis.subject_key_checks.end() || entry.secret.size() != kKeyBytes ||
        check->check != key_check(audience->view(), entry.secret)) {
      return wrong_key(entry.name);
    }
    out.subject_.emplace(*audience, entry.secret.clone());
  }
  if (const auto* key = keystore.find("tag/invoice")) {
    TRY(check_tag_key("invoice", *key, genesis.invoice_tag_check));
    out.invoice_tag_ = key->clone();
  }
  if (const auto* key = keystore.find("tag/day")) {
    TRY(check_tag_key("day", *key, genesis.day_tag_check));
    out.day_tag_ = key->clone();
  }
  return out;
}

std::vector<InstitutionId> SubjectKeys::audiences() const {
  std::vector<InstitutionId> out;
  for (const auto& [audience, key] : subject_) out.push_back(audience);
  return out;
}

Result<contracts::SubjectId> SubjectKeys::subject(const InstitutionId& audience,
                                                  std::string_view person_id) const {
  const std::string normalized = normalize_person_id(person_id);
  if (normalized.empty()) return fail(Errc::bad_argument, "the person id is empty");
  const auto key = subject_.find(audience);
  if (key == subject_.end()) {
    return fail(Errc::not_authorized, "this node may not derive persons of that audience");
  }
  return contracts::SubjectId{audience,
                              tag(key->second, {as_bytes("subject"), as_bytes(normalized)})};
}

Tag32 SubjectKeys::encounter_tag(const InstitutionId& institution, std::string_view number) const {
  ASSERT(can_tag());
  return tag(invoice_tag_, {as_bytes("encounter"), institution.view(), as_bytes(number)});
}

Tag32 SubjectKeys::invoice_tag(std::string_view code, std::string_view number) const {
  ASSERT(can_tag());
  const Bytes length = u32_bytes(static_cast<std::uint32_t>(code.size()));
  return tag(invoice_tag_, {as_bytes("invoice"), length, as_bytes(code), as_bytes(number)});
}

std::vector<Tag32> SubjectKeys::day_tags(std::string_view person_id, std::uint32_t first_day,
                                         std::uint32_t last_day) const {
  ASSERT(can_tag() && first_day <= last_day);
  const std::string normalized = normalize_person_id(person_id);
  std::set<std::uint32_t> days;
  for (std::uint32_t i = 0; i < kDaysEachEnd && i <= last_day - first_day; ++i) {
    days.insert(first_day + i);
    days.insert(last_day - i);
  }
  std::set<Tag32> tags;
  for (const std::uint32_t day : days) {
    tags.insert(tag(day_tag_, {as_bytes("day"), as_bytes(normalized), u32_bytes(day)}));
  }
  std::size_t padded = 4;
  while (padded < tags.size()) padded *= 2;
  while (tags.size() < padded) tags.insert(crypto::random_id<Tag32>());
  return {tags.begin(), tags.end()};
}

}  // namespace baolian::vault
