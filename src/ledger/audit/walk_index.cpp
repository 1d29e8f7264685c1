/// Index rows that are made of blocks: one class a kind.
#include <algorithm>

#include "ledger/audit/chain_walk.h"
#include "ledger/index_rows.h"

namespace baolian::ledger {
namespace {

/// Rows of tag 't': where a transaction was executed.
///
/// While the blocks go by, each execution looks its row up, so that every row that must be there is
/// compared. Rows that nothing explains show in the counts by height, and only those heights'
/// blocks are read again to name them.
class TransactionRows final : public IndexCheck {
 public:
  explicit TransactionRows(ChainWalk& walk) : walk_(walk) {}

  void on_block(const AuditedBlock& block) override {
    expected_.push_back(block.content.is_whole ? 0 : kUnknown);
    for (const BlockTransaction& transaction : block.content.transactions) {
      check(block.height, transaction);
    }
  }

  void finish() override {
    std::vector<std::int64_t> stored(expected_.size(), 0);
    for_each_row([&](BytesView key, const TransactionRow& row) {
      if (row.height.value >= stored.size()) {
        found_stray(walk_, Family::index, key, row.height, "the chain ends below");
      } else {
        ++stored[row.height.value];
      }
      walk_.report.advance();
    });
    const auto has_more = [&](Height height) {
      const std::int64_t expected = expected_[height.value];
      return expected != kUnknown && stored[height.value] > expected;
    };
    bool is_needed = false;
    for (std::uint64_t height = 0; height < stored.size(); ++height) {
      is_needed = is_needed || has_more(Height{height});
    }
    if (!is_needed) return;
    for_each_row([&](BytesView key, const TransactionRow& row) {
      if (row.height.value >= stored.size() || !has_more(row.height)) return;
      if (is_executed_at(TxId::from(key.subspan(1)), row)) return;
      found_stray(walk_, Family::index, key, row.height, "the block has no such transaction");
    });
  }

 private:
  static constexpr std::int64_t kUnknown = -1;

  static std::string name_of(const TxId& id) { return "transaction row " + id.hex(); }

  void found(Height height, const TxId& id, std::string what) {
    walk_.report.found(Damage::index, height, name_of(id), std::move(what));
  }

  void check(Height height, const BlockTransaction& transaction) {
    const auto raw = walk_.store.read(Family::index, chain_keys::transaction(transaction.id));
    if (!raw) return found(height, transaction.id, raw.error().context);
    if (!*raw) return found(height, transaction.id, "it is missing");
    const auto row = decode<TransactionRow>(**raw);
    if (!row) {
      return found(height, transaction.id, "it does not decode: " + row.error().context);
    }
    const auto place = std::pair(row->height, row->first_leaf);
    const auto here = std::pair(height, transaction.first_leaf);
    if (place == here) {
      if (row->rejected_whole != transaction.rejected_whole) {
        found(height, transaction.id, "it says wrongly whether the transaction was rejected");
      }
      if (expected_.back() != kUnknown) ++expected_.back();
      return;
    }
    // The same id was executed more than once: the first stays, unless it was rejected as a whole
    // and this one was not.
    const bool may_be_earlier =
        place < here && (!row->rejected_whole || transaction.rejected_whole);
    const bool may_be_later = place > here && transaction.rejected_whole && !row->rejected_whole;
    if ((!may_be_earlier && !may_be_later) || !is_executed_at(transaction.id, *row)) {
      found(height, transaction.id, "it names another place");
    }
  }

  /// Reads the block that a row names.
  bool is_executed_at(const TxId& id, const TransactionRow& row) {
    if (!cached_ || *cached_ != row.height) {
      cached_ = row.height;
      transactions_.clear();
      const auto block = walk_.peek_block(row.height);
      is_known_ = block.has_value() || row.height > walk_.result.pruned;
      if (block) transactions_ = transactions_of(*block);
    }
    if (!is_known_) return true;  // pruned, and its file is elsewhere
    return std::any_of(transactions_.begin(), transactions_.end(), [&](const auto& transaction) {
      return transaction.id == id && transaction.first_leaf == row.first_leaf &&
             transaction.rejected_whole == row.rejected_whole;
    });
  }

  /// Rows that do not decode were found when their transaction went by, or are too many.
  template <typename Visit>
  void for_each_row(const Visit& visit) {
    visit_rows(walk_, Family::index, as_bytes("t"), Damage::index,
               [&](BytesView key, BytesView value) {
                 const auto row = decode<TransactionRow>(value);
                 if (row && key.size() == 1 + TxId::kSize) return visit(key, *row);
                 found_stray(walk_, Family::index, key, std::nullopt, "it is no transaction's row");
               });
  }

  ChainWalk& walk_;
  std::vector<std::int64_t> expected_;  ///< rows by height that are right
  std::optional<Height> cached_;
  bool is_known_ = true;
  std::vector<BlockTransaction> transactions_;  ///< of the cached height
};

/// Rows of tag 'o': what tables show of operations, a page of leaves a row. They come in the order
/// of blocks and leaves, so that one cursor goes beside the blocks. Of a block that is damaged or
/// not here nothing is known, and its rows are passed over.
class OperationRows final : public IndexCheck {
 public:
  explicit OperationRows(ChainWalk& walk)
      : walk_(walk), cursor_(walk.store.rows(Family::index, as_bytes("o"))) {
    next();
  }

  void on_block(const AuditedBlock& block) override {
    const std::vector<OperationRow>& expected = block.content.operations;
    std::uint32_t leaf = 0;
    for (; place_ && place_->height <= block.height; next()) {
      if (!block.content.is_whole && place_->height == block.height) continue;
      const bool is_page = place_->leaf % kPageOperationsMax == 0;
      if (place_->height < block.height || place_->leaf >= expected.size() || !is_page) {
        found_stray(walk_, Family::index, cursor_->key(), place_->height,
                    "the block has no such operation");
        continue;
      }
      found_missing(block.height, leaf, place_->leaf);
      leaf = place_->leaf + check(*place_, expected);
    }
    if (!block.content.is_whole || unreadable_) return;
    found_missing(block.height, leaf, static_cast<std::uint32_t>(expected.size()));
  }

  void finish() override {
    for (; place_; next()) {
      found_stray(walk_, Family::index, cursor_->key(), place_->height, "the chain ends below");
    }
    walk_.report.advance(count_);
  }

 private:
  static constexpr std::size_t kKeyBytes = 1 + 8 + 4;  // tag, height, leaf

  struct Place {
    Height height;
    std::uint32_t leaf = 0;
  };

  void found(Height height, std::uint32_t leaf, std::string what) {
    walk_.report.found(Damage::index, height, "operation rows from " + std::to_string(leaf),
                       std::move(what));
  }

  /// Pages that should stand in [from, to).
  void found_missing(Height height, std::uint32_t from, std::uint32_t to) {
    for (; from < to; from += kPageOperationsMax) found(height, from, "it is missing");
  }

  /// Returns: how many leaves the page has.
  std::uint32_t check(const Place& place, const std::vector<OperationRow>& expected) {
    ++count_;
    const auto begin = expected.begin() + static_cast<std::ptrdiff_t>(place.leaf);
    const auto size = std::min<std::ptrdiff_t>(expected.end() - begin, kPageOperationsMax);
    const Bytes right = encode(OperationPage{.rows = {begin, begin + size}});
    const BytesView value = cursor_->value();
    if (!std::equal(value.begin(), value.end(), right.begin(), right.end())) {
      found(place.height, place.leaf, "it is not what the block's operations and receipts give");
    }
    return static_cast<std::uint32_t>(size);
  }

  /// Goes to the next row whose key has the right form.
  void next() {
    for (place_.reset();;) {
      const auto is_there = cursor_->next();
      if (!is_there) {
        unreadable_ = true;
        walk_.report.found(Damage::index, std::nullopt, "operation rows", is_there.error().context);
        return;
      }
      if (!*is_there) return;
      const BytesView key = cursor_->key();
      if (key.size() == kKeyBytes) {
        const auto leaf = static_cast<std::uint32_t>(read_big_endian(key.subspan(9)));
        place_ = {Height{read_big_endian(key.subspan(1, 8))}, leaf};
        return;
      }
      found_stray(walk_, Family::index, key, std::nullopt, "no operation has such a row");
    }
  }

  ChainWalk& walk_;
  std::unique_ptr<RowCursor> cursor_;
  std::optional<Place> place_;  ///< of the row in front; none at the end
  bool unreadable_ = false;     ///< rows behind that place are not known to be missing
  std::uint64_t count_ = 0;
};

}  // namespace

std::vector<std::unique_ptr<IndexCheck>> make_index_checks(ChainWalk& walk) {
  std::vector<std::unique_ptr<IndexCheck>> checks;
  checks.push_back(std::make_unique<TransactionRows>(walk));
  checks.push_back(std::make_unique<OperationRows>(walk));
  return checks;
}

}  // namespace baolian::ledger
