/// The vault's part of verify_node(): every sealed record against its commitment on the chain.
#include <algorithm>
#include <charconv>
#include <filesystem>

#include "contracts/records/state.h"
#include "contracts/state_keys.h"
#include "crypto/secretstream.h"
#include "node/verify_parts.h"
#include "vault/durable_file.h"
#include "vault/envelope.h"

namespace baolian::node {
namespace {

using contracts::RecordRef;
using ledger::AuditReport;
using ledger::AuditStore;
using ledger::Damage;

constexpr std::size_t kKeyEpochBytes = 2;  // before the stream in a key file (record_store.h)

/// RECORD.VERSION, as files of records/ are named.
std::optional<RecordRef> parse_record(const std::string& name) {
  constexpr std::size_t kIdDigits = 2 * RecordId::kSize;
  if (name.size() < kIdDigits + 2 || name[kIdDigits] != '.') return std::nullopt;
  const auto id = RecordId::from_hex_text(std::string_view(name).substr(0, kIdDigits));
  std::uint32_t version = 0;
  const char* end = name.data() + name.size();
  const auto parsed = std::from_chars(name.data() + kIdDigits + 1, end, version);
  if (!id || parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
  return RecordRef{*id, version};
}

class VaultCheck {
 public:
  VaultCheck(const std::string& directory, const AuditStore* chain, const crypto::Secret* key,
             AuditReport& report)
      : directory_(directory), chain_(chain), key_(key), report_(report) {}

  void run() {
    const auto sealed = vault::names_in(directory_ + "/records", ".sealed");
    const auto keys = vault::names_in(directory_ + "/records", ".key");
    const auto wraps = vault::names_in(directory_ + "/outgoing", ".wrap");
    if (!sealed || !keys || !wraps) {
      report_.begin("sealed records", 0);
      report_.found(Damage::record, std::nullopt, "vault/", "its directories cannot be listed");
      return;
    }
    report_.begin("sealed records", sealed->size() + wraps->size());
    for (const std::string& name : *sealed) {
      const bool has_key = std::binary_search(keys->begin(), keys->end(), name);
      check_record(name, has_key);
      report_.advance();
    }
    for (const std::string& name : *wraps) {
      check_wrap(name);
      report_.advance();
    }
    if (unregistered_ > 0) {
      report_.remark(std::to_string(unregistered_) +
                     " sealed records have no commitment on this chain yet: they open, and nothing "
                     "says that they are the right ones");
    }
  }

 private:
  void found(const std::string& file, std::string what) {
    report_.found(Damage::record, std::nullopt, "vault/" + file, std::move(what));
  }

  /// A value of the state; nullopt also if it cannot be read, which the state's check finds.
  template <typename T>
  std::optional<T> state(const Bytes& key) const {
    if (chain_ == nullptr) return std::nullopt;
    const auto raw = chain_->read(ledger::Family::state, key);
    if (!raw || !*raw) return std::nullopt;
    auto value = decode<T>(**raw);
    return value ? std::optional(*std::move(value)) : std::nullopt;
  }

  void check_record(const std::string& name, bool has_key) {
    const std::string file = "records/" + name + ".sealed";
    const auto record = parse_record(name);
    if (!record) return found(file, "no record has this name");
    if (!has_key) return found(file, "its key file is missing: nobody can open it");
    const auto ciphertext = vault::read_file(directory_ + "/" + file);
    if (!ciphertext) return found(file, ciphertext.error().context);
    const auto key_file = vault::read_file(directory_ + "/records/" + name + ".key");
    if (!key_file) return found("records/" + name + ".key", key_file.error().context);
    if (key_file->size() <= kKeyEpochBytes) {
      return found("records/" + name + ".key", "it is cut short");
    }
    if (key_ != nullptr) check_opened(*record, name, *ciphertext, *key_file);
  }

  void check_opened(const RecordRef& record, const std::string& name, const Bytes& ciphertext,
                    const Bytes& key_file) {
    const auto wrap = crypto::decrypt_stream(*key_, vault::associated_data(record),
                                             BytesView(key_file).subspan(kKeyEpochBytes));
    if (!wrap) {
      return found("records/" + name + ".key", "it was changed, or is of another node's key");
    }
    const auto registered =
        state<contracts::RecordVersion>(contracts::keys::record_version(record));
    if (!registered) ++unregistered_;
    const auto own = own_commitment(record, ciphertext, wrap->view());
    if (!own) return found("records/" + name + ".key", own.error().context);
    const auto opened = vault::open_record(record, registered ? registered->commitment : *own,
                                           ciphertext, wrap->view());
    if (!opened) found("records/" + name + ".sealed", opened.error().context);
  }

  /// What the wrap itself says the commitment is.
  static Result<Commitment> own_commitment(const RecordRef& record, const Bytes& ciphertext,
                                           BytesView wrap) {
    vault::WrapContent content;
    Decoder decoder(wrap);
    auto decoded = decoder.value(content);
    const Commitment made = vault::record_commitment(record, content.salt, content.plaintext_hash,
                                                     crypto::sha256(ciphertext));
    crypto::wipe(content.data_key.bytes);
    crypto::wipe(content.salt.bytes);
    crypto::wipe(content.plaintext_hash.bytes);
    if (!decoded) return std::move(decoded).error();
    return made;
  }

  void check_wrap(const std::string& name) {
    const std::string file = "outgoing/" + name + ".wrap";
    const auto id = GrantId::from_hex_text(name);
    if (!id) return found(file, "no grant has this name");
    const auto bytes = vault::read_file(directory_ + "/" + file);
    if (!bytes) return found(file, bytes.error().context);
    const auto grant = state<contracts::GrantState>(contracts::keys::grant(*id));
    const bool is_released = grant && !grant->wrap_hash.is_zero();
    if (is_released && vault::delivery_hash(*bytes) != grant->wrap_hash) {
      found(file, "it is not the wrap that the release on the chain names");
    }
  }

  const std::string& directory_;
  const AuditStore* chain_;
  const crypto::Secret* key_;
  AuditReport& report_;
  std::uint64_t unregistered_ = 0;
};

}  // namespace

void verify_vault(const std::string& directory, const AuditStore* chain, const crypto::Secret* key,
                  AuditReport& report) {
  std::error_code error;
  if (!std::filesystem::is_directory(directory, error)) return;  // it has never been used
  VaultCheck(directory, chain, key, report).run();
}

}  // namespace baolian::node
