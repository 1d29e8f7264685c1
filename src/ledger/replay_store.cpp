#include "ledger/replay_store.h"

#include "ledger/chain_state.h"

namespace baolian::ledger {
namespace {

Error corrupt(const std::string& what) {
  return fail(Errc::store_corrupt, what + "; restore the store from a peer or archive");
}

class ReplayStore final : public KeyValueStore {
 public:
  ReplayStore(KeyValueStore& index, std::unique_ptr<KeyValueStore> scratch)
      : index_(index), scratch_(std::move(scratch)), block_zero_(chain_keys::block(Height{0})) {}

  std::optional<Bytes> read(Family family, BytesView key) const override {
    return at(family).read(family, key);
  }
  std::vector<KeyValue> scan(Family family, const KeyRange& range,
                             std::size_t limit) const override {
    return at(family).scan(family, range, limit);
  }
  void apply(const std::vector<StoreWrite>& batch) override {
    std::vector<StoreWrite> index;
    std::vector<StoreWrite> others;
    for (const StoreWrite& write : batch) {
      // A Chain reads back no block but the one that it opens with.
      const bool is_block = write.family == Family::blocks && write.key[0] == block_zero_[0];
      if (is_block && write.key != block_zero_) continue;
      (write.family == Family::index ? index : others).push_back(write);
    }
    if (!index.empty()) index_.apply(index);
    scratch_->apply(others);
  }
  std::unique_ptr<StateReader> freeze_state() const override { return scratch_->freeze_state(); }
  void flush() override {}  // what a crash leaves is thrown away

 private:
  const KeyValueStore& at(Family family) const {
    return family == Family::index ? index_ : *scratch_;
  }

  KeyValueStore& index_;
  const std::unique_ptr<KeyValueStore> scratch_;
  const Bytes block_zero_;
};

}  // namespace

Result<StoredChain> StoredChain::open(const KeyValueStore& store, const Genesis& genesis) {
  if (store.read(Family::meta, chain_keys::genesis()) != encode(genesis)) {
    return fail(Errc::wrong_chain, "the store is empty or belongs to another genesis");
  }
  StoredChain out(store);
  const auto mark = store.read(Family::meta, chain_keys::newest_height());
  const auto newest = mark ? decode<HeightRow>(*mark) : Result<HeightRow>(corrupt(""));
  if (!newest) return corrupt("the mark of the newest height is missing or not readable");
  out.newest_ = newest->height;
  out.epochs_ = {genesis.epoch};
  for (Epoch number = genesis.epoch.epoch.next();; number = number.next()) {
    const auto bytes = store.read(Family::meta, chain_keys::epoch(number));
    if (!bytes) break;
    auto record = decode<crypto::EpochRecord>(*bytes);
    if (!record || record->epoch != number) {
      return corrupt("the record of epoch " + std::to_string(number.value) + " is wrong");
    }
    out.epochs_.push_back(*std::move(record));
  }
  const bool begins_at_one =
      out.newest_.value == 0 || store.read(Family::blocks, chain_keys::block(Height{1}));
  if (!begins_at_one) {
    return fail(Errc::pruned,
                "the blocks here do not begin at height 1, so that the index cannot be made from "
                "them; move store/ away and let the node join again");
  }
  return out;
}

Result<StoredBlock> StoredChain::block(Height height) const {
  ASSERT(height <= newest_);
  const auto bytes = store_->read(Family::blocks, chain_keys::block(height));
  auto block = bytes ? decode<StoredBlock>(*bytes) : Result<StoredBlock>(corrupt(""));
  if (block && block->header.height == height) return block;
  return corrupt("the block of height " + std::to_string(height.value) +
                 " is missing or not readable");
}

std::optional<crypto::ExecCertificate> StoredChain::certificate(Height height) const {
  const auto bytes = store_->read(Family::blocks, chain_keys::certificate(height));
  if (!bytes) return std::nullopt;
  auto certificate = decode<crypto::ExecCertificate>(*bytes);
  if (!certificate || certificate->vote.height != height) return std::nullopt;
  return *std::move(certificate);
}

std::optional<crypto::EpochRecord> StoredChain::epoch_fixed_at(Height height) const {
  for (std::size_t i = 1; i < epochs_.size(); ++i) {
    if (height + epochs_[i - 1].log_window + 1 == epochs_[i].first_height) return epochs_[i];
  }
  return std::nullopt;
}

std::unique_ptr<KeyValueStore> make_replay_store(KeyValueStore& index,
                                                 std::unique_ptr<KeyValueStore> scratch) {
  return std::make_unique<ReplayStore>(index, std::move(scratch));
}

}  // namespace baolian::ledger
