#include "core/errc.h"

#include <array>
#include <utility>

namespace baolian {
namespace {

constexpr std::array kNames = std::to_array<std::pair<Errc, std::string_view>>({
    {Errc::internal, "internal"},
    {Errc::bad_hex, "bad_hex"},
    {Errc::truncated, "truncated"},
    {Errc::trailing_bytes, "trailing_bytes"},
    {Errc::limit_exceeded, "limit_exceeded"},
    {Errc::not_canonical, "not_canonical"},
    {Errc::unknown_version, "unknown_version"},
    {Errc::bad_utf8, "bad_utf8"},
    {Errc::bad_number, "bad_number"},
    {Errc::bad_argument, "bad_argument"},
    {Errc::bad_json, "bad_json"},
    {Errc::io_failed, "io_failed"},
    {Errc::not_found, "not_found"},
    {Errc::already_exists, "already_exists"},
    {Errc::busy, "busy"},
    {Errc::timed_out, "timed_out"},
    {Errc::unsupported, "unsupported"},
    {Errc::bad_signature, "bad_signature"},
    {Errc::bad_public_key, "bad_public_key"},
    {Errc::bad_certificate, "bad_certificate"},
    {Errc::cannot_open, "cannot_open"},
    {Errc::bad_passphrase, "bad_passphrase"},
    {Errc::bad_commitment, "bad_commitment"},
    {Errc::bad_group_element, "bad_group_element"},
    {Errc::log_corrupt, "log_corrupt"},
    {Errc::wrong_epoch, "wrong_epoch"},
    {Errc::bad_message, "bad_message"},
    {Errc::bad_block, "bad_block"},
    {Errc::bad_proof, "bad_proof"},
    {Errc::evidence_invalid, "evidence_invalid"},
    {Errc::store_corrupt, "store_corrupt"},
    {Errc::wrong_chain, "wrong_chain"},
    {Errc::pruned, "pruned"},
    {Errc::connect_failed, "connect_failed"},
    {Errc::tls_failed, "tls_failed"},
    {Errc::peer_unknown, "peer_unknown"},
    {Errc::http_malformed, "http_malformed"},
    {Errc::http_status, "http_status"},
    {Errc::closed, "closed"},
    {Errc::no_certified_release, "no_certified_release"},
    {Errc::release_expired, "release_expired"},
    {Errc::release_replayed, "release_replayed"},
    {Errc::wrong_record_version, "wrong_record_version"},
    {Errc::vault_corrupt, "vault_corrupt"},
    {Errc::fhir_invalid, "fhir_invalid"},
    {Errc::fhir_no_person, "fhir_no_person"},
    {Errc::fhir_no_encounter, "fhir_no_encounter"},
    {Errc::fhir_too_large, "fhir_too_large"},
    {Errc::bad_amount, "bad_amount"},
    {Errc::config_invalid, "config_invalid"},
    {Errc::genesis_invalid, "genesis_invalid"},
    {Errc::not_authorized, "not_authorized"},
    {Errc::request_conflict, "request_conflict"},
    {Errc::rejected, "rejected"},
    {Errc::not_certified, "not_certified"},
});

}  // namespace

std::string_view errc_name(Errc code) {
  for (const auto& [known, name] : kNames) {
    if (known == code) return name;
  }
  return "unknown";
}

}  // namespace baolian
