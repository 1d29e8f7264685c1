#include "consensus/replica/slots.h"

#include <algorithm>
#include <iterator>

#include "core/seeded_bug.h"

namespace baolian::consensus {

VoteTable::Outcome VoteTable::store(ValidatorIndex voter, std::size_t validator_count,
                                    const Hash& digest, const Signature& signature) {
  ASSERT(voter < validator_count);
  if (cells_.empty()) cells_.resize(validator_count);
  ASSERT(cells_.size() == validator_count);
  std::optional<Vote>& cell = cells_[voter];
  if (!cell.has_value()) {
    cell = Vote{digest, signature};
    return Outcome::stored;
  }
  return cell->digest == digest ? Outcome::duplicate : Outcome::conflict;
}

std::size_t VoteTable::count(const Hash& digest) const {
  return static_cast<std::size_t>(
      std::count_if(cells_.begin(), cells_.end(), [&](const auto& cell) {
        return cell.has_value() &&
               (cell->digest == digest || seeded_bug(Bug::commit_count_mixes_digests));
      }));
}

std::optional<Hash> VoteTable::digest_with(std::size_t quorum) const {
  ASSERT(quorum > cells_.size() / 2 || cells_.empty() || kHasSeededBugs);
  for (std::size_t i = 0; i + quorum <= cells_.size(); ++i) {
    if (cells_[i].has_value() && count(cells_[i]->digest) >= quorum) return cells_[i]->digest;
  }
  return std::nullopt;
}

const VoteTable::Vote* VoteTable::vote_of(ValidatorIndex voter) const {
  if (voter >= cells_.size() || !cells_[voter].has_value()) return nullptr;
  return &*cells_[voter];
}

crypto::Signatures VoteTable::certificate(const Hash& digest, std::size_t quorum) const {
  ASSERT(count(digest) >= quorum);
  crypto::Signatures out;
  out.reserve(quorum);
  for (std::size_t i = 0; i < cells_.size() && out.size() < quorum; ++i) {
    if (!cells_[i].has_value()) continue;
    if (cells_[i]->digest != digest && !seeded_bug(Bug::commit_count_mixes_digests)) continue;
    out.push_back({static_cast<ValidatorIndex>(i), cells_[i]->signature});
  }
  ASSERT(out.size() == quorum);
  return out;
}

Content* Slot::content(const Hash& digest) {
  for (Content& content : contents) {
    if (content.digest == digest) return &content;
  }
  return nullptr;
}

const Content* Slot::content(const Hash& digest) const {
  for (const Content& content : contents) {
    if (content.digest == digest) return &content;
  }
  return nullptr;
}

Content& Slot::content_or_new(const Hash& digest) {
  if (Content* found = content(digest)) return *found;
  Content fresh;
  fresh.digest = digest;
  return contents.emplace_back(std::move(fresh));
}

Progress Slot::progress() const {
  if (is_decided_at_least(Decision::State::logged)) return Progress::committed;
  // Of this view: a peer that is told of an older one would keep its PREPAREs to itself (S3).
  if (own_commit.bytes != nullptr) return Progress::prepared;
  if (!proposal.has_value()) return Progress::none;
  return proposal->state == Proposal::State::waiting_for_bodies ? Progress::proposed
                                                                : Progress::accepted;
}

void Slot::enter_view(Votes votes) {
  proposal.reset();
  refused.reset();
  own_prepare = {};
  own_commit = {};
  for (std::array<VoteTable, 2>* tables : {&prepares, &commits}) {
    if (seeded_bug(Bug::keep_votes_over_views)) continue;
    (*tables)[0] = votes == Votes::of_next_view ? std::move((*tables)[1]) : VoteTable{};
    (*tables)[1] = VoteTable{};
  }
  std::erase_if(contents, [&](const Content& content) {
    if (is_decided() && decision->digest == content.digest) return false;
    return !content.logged || seeded_bug(Bug::drop_bodies_of_older_view);
  });
}

Slot* Slots::find(Height height) {
  const auto at = slots_.find(height);
  return at == slots_.end() ? nullptr : &at->second;
}

const Slot* Slots::find(Height height) const {
  const auto at = slots_.find(height);
  return at == slots_.end() ? nullptr : &at->second;
}

Slot& Slots::at_or_new(Height height) { return slots_.try_emplace(height, height).first->second; }

Slot* Slots::with_content(const Hash& digest) {
  for (auto& [height, slot] : slots_) {
    if (slot.content(digest) != nullptr) return &slot;
  }
  return nullptr;
}

void Slots::erase_through(Height last) { slots_.erase(slots_.begin(), slots_.upper_bound(last)); }

void Slots::erase_between(Height first, Height last) {
  auto at = slots_.lower_bound(first);
  while (at != slots_.end() && at->first <= last) {
    at = at->second.is_in_log() ? std::next(at) : slots_.erase(at);
  }
}

}  // namespace baolian::consensus
