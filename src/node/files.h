/// Small files that must be whole: read at once, replaced at once.
#pragma once

#include <string>

#include "core/bytes.h"

namespace baolian::node {

/// Returns: Errc::io_failed, Errc::limit_exceeded above `bytes_max`.
Result<Bytes> read_whole_file(const std::string& path, std::size_t bytes_max);

/// Writes a temporary file beside `path`, fsyncs it, renames it, fsyncs the directory: after a
/// crash the file is the old one or the new one. Mode 0600. Returns: Errc::io_failed.
Result<void> replace_file(const std::string& path, BytesView content);

}  // namespace baolian::node
