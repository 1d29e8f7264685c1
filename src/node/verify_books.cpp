/// The part of verify_node() for what a node keeps beside chain, log and vault. One line of
/// kSealedBooks for each sealed directory: its name and the purpose that is bound to its files.
#include <array>
#include <filesystem>

#include "crypto/hash.h"
#include "crypto/secretstream.h"
#include "node/claims/public_contents.h"
#include "node/outbox_record.h"
#include "node/peer_memory.h"
#include "node/verify_parts.h"
#include "vault/durable_file.h"

namespace baolian::node {
namespace {

using ledger::AuditReport;
using ledger::Damage;

struct SealedBook {
  std::string_view directory;
  std::string_view purpose;
};
constexpr std::array<SealedBook, 7> kSealedBooks = {{{"consents", "consent-forms"},
                                                     {"notice-outbox", "notice-outbox"},
                                                     {"notice-receipts", "notice-receipts"},
                                                     {"openings", "openings"},
                                                     {"payments", "payments"},
                                                     {"pending", "pending"},
                                                     {"recipients", "recipients"}}};

bool is_directory(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_directory(path, error);
}

void found(AuditReport& report, std::string place, std::string what) {
  report.found(Damage::book, std::nullopt, std::move(place), std::move(what));
}

void check_sealed(const std::string& data, const SealedBook& book, const crypto::Secret* key,
                  AuditReport& report) {
  const std::string directory(book.directory);
  const std::string path = data + "/" + directory;
  if (!is_directory(path)) return;
  const auto names = vault::names_in(path, ".sealed");
  if (!names) return found(report, directory + "/", names.error().context);
  for (const std::string& name : *names) {
    const std::string file = directory + "/" + name + ".sealed";
    const auto bytes = vault::read_file(data + "/" + file);
    if (!bytes) {
      found(report, file, bytes.error().context);
    } else if (key != nullptr) {
      const std::string bound = std::string(book.purpose) + "/" + name;
      if (!crypto::decrypt_stream(*key, as_bytes(bound), *bytes)) {
        found(report, file, "it was changed, or is of another node's key");
      }
    }
    report.advance();
  }
}

void check_contents(const std::string& data, AuditReport& report) {
  if (!is_directory(data + "/contents")) return;
  const auto names = vault::names_in(data + "/contents", ".content");
  if (!names) return found(report, "contents/", names.error().context);
  for (const std::string& name : *names) {
    const std::string file = "contents/" + name + ".content";
    const auto hash = Hash::from_hex_text(name);
    const auto bytes = vault::read_file(data + "/" + file);
    if (!hash || !bytes || public_hash(*bytes) != *hash) {
      found(report, file, bytes ? "it is not what its name says" : bytes.error().context);
    }
    report.advance();
  }
}

void check_outbox(const std::string& data, AuditReport& report) {
  const auto file = vault::read_file(data + "/outbox.log");
  if (!file && file.error().code == Errc::not_found) return;
  if (!file) return found(report, "outbox.log", file.error().context);
  const OutboxExtent extent = read_outbox(*file, [&](std::size_t offset, const auto& record) {
    if (!record) {
      found(report, "outbox.log at byte " + std::to_string(offset), "the record does not decode");
    }
    report.advance();
  });
  if (extent.whole_bytes == file->size()) return;
  const std::string place = "outbox.log at byte " + std::to_string(extent.whole_bytes);
  if (extent.is_damaged) {
    found(report, place, "the record there is damaged, whole ones follow");
  } else {
    report.remark(place + " ends with an unfinished write: a crash leaves that");
  }
}

void check_peers(const std::string& data, AuditReport& report) {
  const auto memory = PeerMemory::open(data + "/peers.bin");
  if (!memory) return found(report, "peers.bin", memory.error().context);
  report.advance();
}

}  // namespace

void verify_books(const std::string& data_directory, const crypto::Secret* key,
                  AuditReport& report) {
  report.begin("other files", 0);
  for (const SealedBook& book : kSealedBooks) check_sealed(data_directory, book, key, report);
  check_contents(data_directory, report);
  check_outbox(data_directory, report);
  check_peers(data_directory, report);
}

}  // namespace baolian::node
