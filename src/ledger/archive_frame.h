/// How a run of blocks lies in an archive file: packed in the LZ4 block format, by an encoder of
/// our own that never changes, so that the same blocks are the same bytes on every node and for
/// ever. Libraries promise only what comes out again, not the bytes that they write.
///
/// A frame is u32 size of the content, then one LZ4 block (public format: tokens, literals, 2-byte
/// offsets). The content is, for each block, u32 length and its bytes.
#pragma once

#include "core/bytes.h"
#include "core/result.h"

namespace baolian::ledger {

/// A frame is closed by the block with which its content has at least this many bytes: enough for
/// what blocks have in common, little enough to read one block.
inline constexpr std::size_t kFrameContentBytes = std::size_t{64} << 10;

/// The frame of a content. The same content gives the same bytes, in all versions of this program
/// (tests/ledger/archive_frame_test.cpp holds it to that). Requires: at most 2^31 bytes.
Bytes pack_frame(BytesView content);

/// The content of a frame. Returns: Errc::store_corrupt for bytes that are no frame. Takes memory
/// only as far as the bytes can hold it (255 times their size).
Result<Bytes> unpack_frame(BytesView frame);

}  // namespace baolian::ledger
