/// The configuration of one node: a TOML file without secrets. Every mistake is named with its key,
/// what was found and what is allowed; an unknown key is a mistake.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/ids.h"
#include "core/result.h"

namespace baolian::node {

struct Config {
  std::string name;            ///< for logs
  InstitutionId institution;   ///< whose node this is
  std::string data_directory;  ///< chain, consensus log, vault, outbox; relative to the file
  std::string genesis_file;    ///< JSON
  std::string keystore_file;
  std::string passphrase_file;              ///< mode 0600; empty: read from --passphrase-fd
  std::string mesh_listen = "127.0.0.1:0";  ///< address of the peer mesh
  std::string api_listen = "127.0.0.1:0";   ///< address of the HTTPS API
  std::string log_level = "info";           ///< trace, debug, info, warn, error
  std::uint32_t log_json = 0;               ///< 1: one JSON object a line
  std::uint32_t store_flush_ms = 1000;      ///< chain store: made durable after such a pause
  std::uint64_t log_segment_mib = 64;       ///< consensus log: size of a segment
  std::uint64_t api_body_mib = 32;          ///< largest request body
  /// Blocks older than this, by block time, move to the archive; none: they stay. 1,095 days.
  std::optional<std::uint64_t> retention_ms = 1095ULL * 24 * 3600 * 1000;
  std::uint64_t archive_span = 10'000;      ///< heights of an archive file: the same on all nodes
  std::uint64_t snapshot_heights = 10'000;  ///< a snapshot at every multiple of this; 0: none
  std::uint32_t snapshot_gap_s = 600;       ///< but no sooner than this after the one before
  /// A repeated request id is answered so long after its transaction expired. 30 days.
  std::uint64_t request_ids_kept_ms = 30ULL * 24 * 3600 * 1000;
  /// Where a peer is dialled, by its consensus key, if that is not the address in the genesis: seen
  /// from here it stands behind a tunnel or a gateway. Its TLS key is still that of the genesis.
  std::map<PublicKey, std::string> peer_addresses;
  /// Not in the file: ask the others for a snapshot, however little is missing (baoliand --join).
  bool wants_snapshot = false;
};

/// Reads and checks. Relative paths are taken from the directory of `path`.
/// Returns: Errc::io_failed, Errc::config_invalid.
Result<Config> load_config(const std::string& path);
/// The same from text; `directory` is what relative paths are taken from.
Result<Config> parse_config(std::string_view text, const std::string& directory);

/// "host:port" or "[IPv6 address]:port" taken apart. Returns: Errc::config_invalid.
struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};
Result<HostPort> parse_host_port(std::string_view text);

}  // namespace baolian::node
