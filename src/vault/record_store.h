/// The sealed records of one institution on its own disk: its own records and copies that it
/// received.
///
/// Layout below one directory; every file is written to a temporary name, fsynced and linked, and
/// its directory fsynced:
///
/// | file | what |
/// |---|---|
/// | records/RECORD.VERSION.sealed | ciphertext |
/// | records/RECORD.VERSION.key | u16 epoch, then data key, salt and plaintext hash under the
/// node's key-encryption key of that epoch | | outgoing/GRANT.wrap | sealed wrap of a release,
/// resent as the same bytes until received |
///
/// The key is written before the ciphertext: a record is here when its ciphertext is.
///
/// Keys are small files of their own and never in RocksDB, whose old files would keep them after an
/// erasure. Threads: safe for concurrent use; one writer per name wins, the first bytes stay.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/ids.h"
#include "core/result.h"
#include "crypto/secret.h"
#include "vault/envelope.h"

namespace baolian::vault {

class RecordStore {
 public:
  /// `key_encryption_key` (32 bytes) wraps data keys at rest; `epoch` names it, so that old ones
  /// can expire. The parent of `directory` must be there. Removes what a crash left half-written;
  /// so one store a directory at a time. Returns: Errc::io_failed.
  /// Requires: key_encryption_key.size() == 32.
  static Result<RecordStore> open(std::string directory, crypto::Secret key_encryption_key,
                                  std::uint16_t epoch);

  /// Stores a record durably. Returns: Errc::already_exists, Errc::io_failed.
  Result<void> put(const SealedRecord& record);
  /// Stores a received copy durably; the same copy again is no error, and a damaged one is
  /// replaced. The caller has opened it with open_record() against the commitment on the chain.
  /// Returns: Errc::io_failed.
  Result<void> put_received(const contracts::RecordRef& record, BytesView ciphertext,
                            BytesView wrap_content);

  bool contains(const contracts::RecordRef& record) const;
  /// Everything held, own and received, ascending.
  std::vector<contracts::RecordRef> list() const;
  /// Returns: Errc::not_found, Errc::io_failed.
  Result<Bytes> ciphertext(const contracts::RecordRef& record) const;
  /// The canonical WrapContent. Returns: Errc::not_found, Errc::vault_corrupt if it is cut short,
  /// Errc::cannot_open for changed bytes or another key epoch, Errc::io_failed.
  Result<crypto::Secret> wrap_content(const contracts::RecordRef& record) const;
  /// Opens the record for a reading that was recorded. The caller has the certified operation in
  /// hand.
  Result<crypto::Secret> open(const contracts::RecordRef& record,
                              const Commitment& commitment) const;

  /// Stores the sealed wrap of a release durably and gives back what stands: the first bytes if
  /// there were some.
  Result<Bytes> put_outgoing(const GrantId& grant, BytesView sealed_wrap);
  /// Returns: Errc::not_found, Errc::io_failed.
  Result<Bytes> outgoing(const GrantId& grant) const;
  /// Whether there is one, as far as can be seen: outgoing() says what is wrong with it.
  bool has_outgoing(const GrantId& grant) const;
  /// Removes a wrap durably; none there is no error. Returns: Errc::io_failed.
  Result<void> erase_outgoing(const GrantId& grant);
  /// Every grant of which a wrap lies here, ascending.
  std::vector<GrantId> outgoing_grants() const;

 private:
  RecordStore(std::string directory, crypto::Secret key, std::uint16_t epoch);
  /// Requires: writing_ is held and the record is not here.
  Result<void> put_files(const contracts::RecordRef& record, BytesView ciphertext,
                         BytesView wrap_content);
  std::string path_of(const contracts::RecordRef& record, const char* suffix) const;
  std::string outgoing_path(const GrantId& grant) const;

  std::string directory_;
  crypto::Secret key_encryption_key_;
  std::uint16_t epoch_ = 0;
  std::unique_ptr<std::mutex> writing_;  // of records/: see put_files
};

}  // namespace baolian::vault
