/// The sentences of evidence files: numbered templates and names, and how they are filled. A
/// published version of the tables never changes; every later build keeps all of them
/// (docs/formats.md, "Texts").
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ledger/evidence_file.h"
#include "ledger/genesis.h"

namespace baolian::ledger {

inline constexpr std::uint16_t kTextsVersion = 1;

struct TextTemplate {
  std::uint16_t number;
  std::string_view when;  ///< for the document: in which evidence the sentence stands
  std::string_view en;
  std::string_view zh;
};
struct NameText {
  std::string_view name;
  std::string_view en;
  std::string_view zh;
};

/// The tables of a version; empty if this program does not know it.
std::span<const TextTemplate> text_templates(std::uint16_t texts);
std::span<const NameText> name_texts(std::uint16_t texts);

/// The civil time of an instant in a fixed offset: 2026-01-31T08:00:00.000+08:00. From the year
/// 9999 on, and for offsets of more than 14 hours, the number of milliseconds: "253370764800000
/// ms".
std::string civil_time(TimeMs time, std::int16_t utc_offset_minutes);

/// The words of an evidence: what was asked, how it is certified, what the answer is, its facts one
/// by one. Requires: a known texts version; proofs of the question's kind.
std::vector<Sentence> evidence_words(const Evidence& evidence, const Genesis& genesis);

/// What an evidence of this kind does not prove. Requires: a known texts version.
std::vector<Sentence> evidence_limits(const Evidence& evidence, const Genesis& genesis);

}  // namespace baolian::ledger
