/// Small files that are whole or not there: written under a temporary name, fsynced, named, and
/// their directory fsynced. Mode 0600.
///
/// A failed fsync here ends the operation and not the process: the file was never named, so nobody
/// can have seen what a crash would take back.
#pragma once

#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"

namespace baolian::vault {

/// Makes it with mode 0700; one that is there is no error. Returns: Errc::io_failed.
Result<void> make_directory(const std::string& path);
/// Returns: Errc::io_failed.
Result<void> sync_directory(const std::string& directory);
/// Removes what a crash left half-written. Only before anybody writes into the directory. Returns:
/// Errc::io_failed.
Result<void> sweep_temporaries(const std::string& directory);
/// The names of the whole files that end with `suffix`, without it, ascending. Returns:
/// Errc::io_failed.
Result<std::vector<std::string>> names_in(const std::string& directory, std::string_view suffix);

/// `path` is directory + "/" + name for the next four.
/// A file that was not there. Returns: Errc::already_exists (the first bytes stay),
/// Errc::io_failed.
Result<void> create_file(const std::string& path, BytesView bytes);
/// A file in the place of what was there. Returns: Errc::io_failed.
Result<void> replace_file(const std::string& path, BytesView bytes);
/// Returns: Errc::not_found, Errc::io_failed.
Result<Bytes> read_file(const std::string& path);
/// A name that is not there is no error. Returns: Errc::io_failed.
Result<void> remove_file(const std::string& path);

}  // namespace baolian::vault
