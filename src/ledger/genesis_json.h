/// The human form of a genesis: a JSON file that every operator and auditor keeps. Nothing depends
/// on its layout: chain_id is the hash of the canonical bytes.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "ledger/genesis.h"

namespace baolian::ledger {

inline constexpr std::size_t kGenesisJsonBytesMax = 64 * 1024 * 1024;

/// The JSON form (ledger/json.h) with sorted keys and a trailing newline.
/// Requires: every text of the genesis is UTF-8 and its enums are named values.
std::string genesis_to_json(const Genesis& genesis);

/// Reads a genesis file of at most kGenesisJsonBytesMax in any layout, and applies check_genesis().
/// Returns: Errc::bad_json and the other errors of from_json_form, naming the place;
/// Errc::limit_exceeded; Errc::genesis_invalid.
Result<Genesis> genesis_from_json(std::string_view text);

}  // namespace baolian::ledger
