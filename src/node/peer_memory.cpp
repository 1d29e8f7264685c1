#include "node/peer_memory.h"

#include "vault/durable_file.h"

namespace baolian::node {
namespace {

struct PeerFile {
  static constexpr std::string_view kTypeName = "PeerFile";
  Version<2> version;
  std::vector<PeerBoot> peers;

  static constexpr auto fields() {
    return field_list(field("version", &PeerFile::version, "format version"),
                      field("peers", &PeerFile::peers, at_most(1000), "one a validator"));
  }
};

/// Views and heights each only grow within an epoch, whatever was voted last.
bool went_back(const net::VotePosition& before, const net::VotePosition& now) {
  if (now.epoch != before.epoch) return now.epoch < before.epoch;
  return now.view < before.view || now.height < before.height;
}

}  // namespace

Result<std::unique_ptr<PeerMemory>> PeerMemory::open(std::string path) {
  std::unique_ptr<PeerMemory> out(new PeerMemory(std::move(path)));
  auto bytes = vault::read_file(out->path_);
  if (!bytes && bytes.error().code == Errc::not_found) return out;  // first start
  if (!bytes) return std::move(bytes).error();
  TRY(const PeerFile file, decode<PeerFile>(*bytes));
  for (const auto& peer : file.peers) out->peers_.emplace(peer.key, peer);
  return out;
}

Result<void> PeerMemory::save() const {
  PeerFile file;
  for (const auto& [key, peer] : peers_) file.peers.push_back(peer);
  return vault::replace_file(path_, encode(file));
}

Result<void> PeerMemory::judge_voter(const net::Hello& hello, const PeerBoot& before) {
  if (hello.incarnation != before.incarnation) {
    return fail(Errc::peer_unknown,
                "the peer's consensus log is a new one: it may have forgotten votes and must be "
                "re-keyed");
  }
  const bool copied =
      hello.boot_counter == before.boot_counter && hello.process_id != before.process;
  if (hello.boot_counter < before.boot_counter || copied) {
    return fail(Errc::peer_unknown, "the peer's disk was rolled back or copied");
  }
  if (went_back(before.last_vote, hello.last_vote)) {
    return fail(Errc::peer_unknown,
                "the peer's log ends before a vote that it once had: its disk was rolled back");
  }
  return ok();
}

Result<void> PeerMemory::judge(const net::Hello& hello, Role role) {
  const std::lock_guard lock(mutex_);
  const PeerBoot now{hello.node, hello.incarnation, hello.boot_counter, hello.process_id,
                     hello.last_vote};
  const auto known = peers_.find(hello.node);
  if (known != peers_.end()) {
    if (role == Role::votes) TRY(judge_voter(hello, known->second));
    if (known->second == now) return ok();
  }
  peers_[hello.node] = now;
  return save();
}

}  // namespace baolian::node
