/// Base64 (RFC 4648 section 4, with padding) through libsodium: file contents inside JSON.
#pragma once

#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/result.h"

namespace baolian::crypto {

std::string base64_encode(BytesView bytes);
/// Returns: Errc::bad_argument for anything but canonical base64 with padding and no line breaks.
Result<Bytes> base64_decode(std::string_view text);

}  // namespace baolian::crypto
