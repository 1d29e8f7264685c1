#include "ledger/audit/archive_check.h"

#include "ledger/chain.h"
#include "ledger/trail.h"

namespace baolian::ledger {
namespace {

std::string file_name(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

std::string certificate_path(const std::string& path) {
  const bool has_ending = path.ends_with(kArchiveBlocksEnding);
  const std::size_t stem = has_ending ? path.size() - kArchiveBlocksEnding.size() : path.size();
  return path.substr(0, stem) + std::string(kArchiveCertificateEnding);
}

class ArchiveCheck {
 public:
  ArchiveCheck(const std::string& path, const ChainAuditConfig& config, const OwnHeaders& own,
               AuditReport& report)
      : path_(path),
        name_(file_name(path)),
        config_(config),
        own_(own),
        report_(report),
        chain_id_(chain_id_of(config.genesis)) {}

  std::optional<ArchiveAnswer> run(ArchiveProof proof) {
    const auto named = archive_span_of(name_);
    report_.begin("archive " + name_, named ? named->count() : 0);
    auto opened = ArchiveFile::open(path_);
    if (!opened) {
      found(named ? std::optional(named->first) : std::nullopt, opened.error().context);
      return std::nullopt;
    }
    answer_.span = opened->span();
    answer_.hash = opened->hash();
    answer_.size_bytes = opened->size_bytes();
    if (opened->head().chain_id != chain_id_) {
      found(answer_.span.first, "it is of another chain than this genesis");
      return answer_;
    }
    if (named && *named != answer_.span) {
      found(answer_.span.first, "it holds " + archive_name(answer_.span) + " by its head");
    }
    if (answer_.span.first.value == 1) {
      parent_ = genesis_header(config_.genesis, config_.genesis_writes);
    }
    for (Height height = answer_.span.first; height <= answer_.span.last; ++height) {
      check(*opened, height);
      report_.advance();
    }
    if (proof == ArchiveProof::certificate) check_proof();
    return answer_;
  }

 private:
  void found(std::optional<Height> height, std::string what, const std::string& part = "") {
    report_.found(Damage::archive, height, "archive/" + name_ + (part.empty() ? "" : ", " + part),
                  std::move(what));
  }

  void check(const ArchiveFile& file, Height height) {
    const auto parent = std::exchange(parent_, std::nullopt);
    const auto block = file.block(height);
    if (!block) return found(height, block.error().context);
    const Header& header = block->header;
    if (header.chain_id != chain_id_) found(height, "the header is of another chain");
    if (parent && header.parent_hash != header_hash(*parent)) {
      found(height, "the header does not name the one below as its parent");
    }
    if (own_) {
      const auto own = own_(height);
      if (own && *own != header) found(height, "this node's chain has another header");
    }
    check_content(*block, parent ? parent->timestamp : header.timestamp);
    if (height == answer_.span.first) answer_.first_header = header;
    if (height == answer_.span.last) answer_.last_header = header;
    parent_ = header;
  }

  /// The findings of the block itself become findings of the file.
  void check_content(const StoredBlock& block, TimeMs parent_timestamp) {
    AuditReport inner;
    inner.begin("block", 0);
    const BlockRules rules{chain_id_, config_.batches, config_.verifier, config_.signatures};
    const CheckedBlock content = check_block(block, block.header, parent_timestamp, rules, inner);
    for (const Finding& finding : inner.findings()) {
      found(block.header.height, finding.what, finding.place);
    }
    answer_.transactions += content.transactions.size();
    answer_.operations += content.leaf_hashes.size();
  }

  void check_proof() {
    if (!answer_.last_header) return;  // found already
    const std::string name = file_name(certificate_path(path_));
    const auto certificate = read_archive_certificate(certificate_path(path_));
    const Height last = answer_.span.last;
    if (!certificate) {
      report_.found(Damage::archive, last, "archive/" + name, certificate.error().context);
      return;
    }
    const auto certified = check_archive_certificate(*certificate, *answer_.last_header, config_);
    if (!certified) {
      report_.found(Damage::archive, last, "archive/" + name, certified.error().context);
      return;
    }
    answer_.certified = *certified;
  }

  const std::string path_;
  const std::string name_;
  const ChainAuditConfig& config_;
  const OwnHeaders& own_;
  AuditReport& report_;
  const ChainId chain_id_;
  ArchiveAnswer answer_;
  std::optional<Header> parent_;
};

}  // namespace

Result<Height> check_archive_certificate(const ArchiveCertificate& certificate, const Header& last,
                                         const ChainAuditConfig& config) {
  const ChainId chain_id = chain_id_of(config.genesis);
  TRY(const crypto::EpochRecord epoch,
      follow_trail(config.genesis, chain_id, certificate.trail, config.verifier));
  Header top = last;
  for (const Header& header : certificate.later) {
    if (header.parent_hash != header_hash(top) || header.height != top.height.next()) {
      return fail(Errc::evidence_invalid, block_name(header) + " does not follow the one below");
    }
    top = header;
  }
  TRY(check_header(top, chain_id, epoch));
  TRY(check_certified(top, certificate.certificate, chain_id, epoch, config.verifier));
  return top.height;
}

std::optional<ArchiveAnswer> check_archive(const std::string& path, const ChainAuditConfig& config,
                                           ArchiveProof proof, const OwnHeaders& own,
                                           AuditReport& report) {
  return ArchiveCheck(path, config, own, report).run(proof);
}

}  // namespace baolian::ledger
