#include "node/genesis_file.h"

#include <filesystem>
#include <fstream>

#include "crypto/signing.h"
#include "ledger/genesis_json.h"

namespace baolian::node {
namespace {

constexpr std::size_t kGenesisBytesMax = std::size_t{64} << 20;

}  // namespace

Result<ledger::Genesis> load_genesis(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) return fail(Errc::io_failed, "cannot read the genesis: " + error.message());
  if (size > kGenesisBytesMax) return fail(Errc::genesis_invalid, "the genesis is too large");
  std::ifstream in(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  TRY(ledger::Genesis genesis, ledger::genesis_from_json(text));
  TRY(ledger::check_genesis(genesis));
  if (genesis.signature_algorithm == static_cast<std::uint8_t>(crypto::Algorithm::toy)) {
    return fail(Errc::genesis_invalid,
                "this genesis has the simulator's signatures, which anybody can forge; no node "
                "runs on it");
  }
  return genesis;
}

}  // namespace baolian::node
