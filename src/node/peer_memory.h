/// What this node remembers of its peers' disks (consensus.md 1.7): a validator whose incarnation
/// changed, whose boot counter or last vote went back, or whose boot counter repeats in another
/// process, has lost or copied its disk and may have forgotten votes.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "core/codec.h"
#include "core/ids.h"
#include "core/result.h"
#include "net/hello.h"

namespace baolian::node {

struct PeerBoot {
  static constexpr std::string_view kTypeName = "PeerBoot";
  PublicKey key;
  std::uint64_t incarnation = 0;
  std::uint64_t boot_counter = 0;
  net::ProcessId process;
  net::VotePosition last_vote;  ///< highest view and highest height seen in the highest epoch

  friend bool operator==(const PeerBoot&, const PeerBoot&) = default;
  static constexpr auto fields() {
    return field_list(
        field("key", &PeerBoot::key, "consensus key of the peer"),
        field("incarnation", &PeerBoot::incarnation, "of its consensus log"),
        field("boot_counter", &PeerBoot::boot_counter, "highest seen"),
        field("process", &PeerBoot::process, "process that showed it"),
        field("last_vote", &PeerBoot::last_vote, "newest vote it said it had in its log"));
  }
};

/// Thread-safe. The file is replaced atomically and synced before a HELLO is accepted.
class PeerMemory {
 public:
  /// Returns: Errc::io_failed, codec errors for a file that was changed.
  static Result<std::unique_ptr<PeerMemory>> open(std::string path);

  enum class Role : std::uint8_t { votes, observes };
  /// Judges a verified HELLO and remembers it. One who only observes may begin anew, for it has no
  /// votes to forget; it is remembered all the same, since a later epoch may let it vote.
  /// Returns: Errc::peer_unknown with the reason if the peer is to be refused as voter.
  Result<void> judge(const net::Hello& hello, Role role);

 private:
  explicit PeerMemory(std::string path) : path_(std::move(path)) {}
  static Result<void> judge_voter(const net::Hello& hello, const PeerBoot& before);
  Result<void> save() const;

  std::string path_;
  std::mutex mutex_;
  std::map<PublicKey, PeerBoot> peers_;
};

}  // namespace baolian::node
