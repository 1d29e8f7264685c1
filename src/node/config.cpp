#include "node/config.h"

#include <toml++/toml.h>

#include <array>
#include <charconv>
#include <filesystem>
#include <functional>
#include <map>

#include "ledger/archive.h"

namespace baolian::node {
namespace {

Error bad(std::string_view key, const std::string& what) {
  return fail(Errc::config_invalid, "configuration, '" + std::string(key) + "': " + what);
}

Result<std::string> text_of(std::string_view key, const toml::node& node) {
  const auto value = node.value<std::string>();
  if (!value || !node.is_string()) return bad(key, "must be a text in quotes");
  return *value;
}

Result<std::uint64_t> number_of(std::string_view key, const toml::node& node, std::uint64_t low,
                                std::uint64_t high) {
  const auto value = node.value<std::int64_t>();
  if (!value || !node.is_integer()) return bad(key, "must be a whole number");
  if (*value < 0 || static_cast<std::uint64_t>(*value) < low ||
      static_cast<std::uint64_t>(*value) > high) {
    return bad(key, "must be " + std::to_string(low) + " to " + std::to_string(high) + ", not " +
                        std::to_string(*value));
  }
  return static_cast<std::uint64_t>(*value);
}

std::string resolve(const std::string& directory, const std::string& path) {
  if (path.empty()) return path;
  return (std::filesystem::path(directory) / path).lexically_normal().string();
}

using Setter = std::function<Result<void>(std::string_view, const toml::node&)>;

Setter text(std::string& out) {
  return [&out](std::string_view key, const toml::node& node) -> Result<void> {
    TRY(out, text_of(key, node));
    return ok();
  };
}

Setter path(std::string& out, const std::string& directory) {
  return [&out, &directory](std::string_view key, const toml::node& node) -> Result<void> {
    TRY(const std::string raw, text_of(key, node));
    out = resolve(directory, raw);
    return ok();
  };
}

Setter address(std::string& out) {
  return [&out](std::string_view key, const toml::node& node) -> Result<void> {
    TRY(out, text_of(key, node));
    if (!parse_host_port(out)) return bad(key, "must be host:port, for example 127.0.0.1:7100");
    return ok();
  };
}

template <typename T>
Setter number(T& out, std::uint64_t low, std::uint64_t high) {
  return [&out, low, high](std::string_view key, const toml::node& node) -> Result<void> {
    TRY(const std::uint64_t value, number_of(key, node, low, high));
    out = static_cast<T>(value);
    return ok();
  };
}

Setter institution_id(InstitutionId& out) {
  return [&out](std::string_view key, const toml::node& node) -> Result<void> {
    TRY(const std::string hex, text_of(key, node));
    auto id = InstitutionId::from_hex_text(hex);
    if (!id) return bad(key, "must be the 64 hexadecimal digits of an institution id");
    out = *id;
    return ok();
  };
}

/// "1095d", "12h", "30m" or "5s", in milliseconds.
std::optional<std::uint64_t> span_ms(std::string_view words) {
  constexpr std::uint64_t kLongestDays = 365'000;
  constexpr std::string_view kUnits = "smhd";
  constexpr std::array<std::uint64_t, 4> kUnitMs = {1000, 60'000, 3'600'000, 86'400'000};
  std::uint64_t count = 0;
  const char* end = words.data() + words.size();
  const auto [rest, error] = std::from_chars(words.data(), end, count);
  const std::size_t unit = rest + 1 == end ? kUnits.find(*rest) : std::string_view::npos;
  const bool is_span = error == std::errc{} && unit != std::string_view::npos;
  if (!is_span || count == 0 || count > kLongestDays * kUnitMs[3] / kUnitMs[unit]) {
    return std::nullopt;
  }
  return count * kUnitMs[unit];
}

Setter span(std::uint64_t& out_ms) {
  return [&out_ms](std::string_view key, const toml::node& node) -> Result<void> {
    TRY(const std::string words, text_of(key, node));
    const auto read = span_ms(words);
    if (!read) return bad(key, "must be a number and s, m, h or d, as in \"30d\"");
    out_ms = *read;
    return ok();
  };
}

/// A span, or "forever".
Setter retention(std::optional<std::uint64_t>& out_ms) {
  return [&out_ms](std::string_view key, const toml::node& node) -> Result<void> {
    TRY(const std::string words, text_of(key, node));
    out_ms = span_ms(words);
    if (out_ms || words == "forever") return ok();
    return bad(key, "must be a number and s, m, h or d, as in \"1095d\", or \"forever\"");
  };
}

/// A table of consensus keys and addresses.
Setter addresses(std::map<PublicKey, std::string>& out) {
  return [&out](std::string_view key, const toml::node& node) -> Result<void> {
    const toml::table* const table = node.as_table();
    if (table == nullptr) return bad(key, "must be a table of consensus keys and addresses");
    for (const auto& [peer, where] : *table) {
      const auto id = PublicKey::from_hex_text(peer.str());
      if (!id) return bad(key, "a name in it must be the 66 hexadecimal digits of a consensus key");
      TRY(address(out[*id])(key, where));
    }
    return ok();
  };
}

Setter level(std::string& out) {
  return [&out](std::string_view key, const toml::node& node) -> Result<void> {
    TRY(out, text_of(key, node));
    for (const auto* known : {"trace", "debug", "info", "warn", "error"}) {
      if (out == known) return ok();
    }
    return bad(key, "must be trace, debug, info, warn or error");
  };
}

Result<void> check_complete(const Config& config) {
  if (config.institution.is_zero()) return bad("institution", "is missing");
  if (config.data_directory.empty()) return bad("data_directory", "is missing");
  if (config.genesis_file.empty()) return bad("genesis", "is missing");
  if (config.keystore_file.empty()) return bad("keystore", "is missing");
  return ok();
}

}  // namespace

Result<HostPort> parse_host_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) {
    return fail(Errc::config_invalid, "expected host:port");
  }
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host.empty() || (!bracketed && host.find(':') != std::string_view::npos)) {
    return fail(Errc::config_invalid, "expected host:port; an IPv6 address stands in brackets");
  }
  HostPort out;
  out.host = std::string(host);
  const std::string_view digits = text.substr(colon + 1);
  unsigned port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || end != digits.data() + digits.size() || port > 65535) {
    return fail(Errc::config_invalid, "the port must be 0 to 65535");
  }
  out.port = static_cast<std::uint16_t>(port);
  return out;
}

Result<Config> parse_config(std::string_view input, const std::string& directory) {
  toml::table table;
  try {
    table = toml::parse(input);
  } catch (const toml::parse_error& e) {
    return fail(Errc::config_invalid, "configuration, line " +
                                          std::to_string(e.source().begin.line) + ": " +
                                          std::string(e.description()));
  }
  Config config;
  const std::map<std::string, Setter, std::less<>> setters = {
      {"name", text(config.name)},
      {"institution", institution_id(config.institution)},
      {"data_directory", path(config.data_directory, directory)},
      {"genesis", path(config.genesis_file, directory)},
      {"keystore", path(config.keystore_file, directory)},
      {"passphrase_file", path(config.passphrase_file, directory)},
      {"mesh_listen", address(config.mesh_listen)},
      {"api_listen", address(config.api_listen)},
      {"log_level", level(config.log_level)},
      {"log_json", number(config.log_json, 0, 1)},
      {"store_flush_ms", number(config.store_flush_ms, 10, 60'000)},
      {"log_segment_mib", number(config.log_segment_mib, 8, 1024)},
      {"api_body_mib", number(config.api_body_mib, 1, 256)},
      {"retention", retention(config.retention_ms)},
      {"request_ids_kept", span(config.request_ids_kept_ms)},
      {"archive_span", number(config.archive_span, 1, ledger::kArchiveSpanMax)},
      {"snapshot_heights", number(config.snapshot_heights, 0, 100'000'000)},
      {"snapshot_gap_s", number(config.snapshot_gap_s, 0, 30 * 86'400)},
      {"peer_addresses", addresses(config.peer_addresses)},
  };
  for (const auto& [key, node] : table) {
    const auto setter = setters.find(std::string_view(key.str()));
    if (setter == setters.end()) {
      return bad(key.str(), "is not an option; see docs/operations.md for all of them");
    }
    TRY(setter->second(key.str(), node));
  }
  TRY(check_complete(config));
  return config;
}

Result<Config> load_config(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) return fail(Errc::io_failed, "cannot read the configuration: " + error.message());
  if (size > 1024 * 1024) return fail(Errc::config_invalid, "the configuration is above 1 MiB");
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return fail(Errc::io_failed, "cannot open the configuration");
  std::string input(size, '\0');
  const std::size_t got = std::fread(input.data(), 1, input.size(), file);
  std::fclose(file);
  if (got != size) return fail(Errc::io_failed, "cannot read the configuration");
  const auto absolute = std::filesystem::absolute(path, error);
  if (error) return fail(Errc::io_failed, "cannot read the configuration: " + error.message());
  return parse_config(input, absolute.parent_path().string());
}

}  // namespace baolian::node
