/// Messages between the nodes of institutions beside consensus: deliveries of the vault and
/// attestation. They travel in the class `sync`; TLS names the sending node and so its institution.
/// The first byte tells them from consensus (1) and the pool (0xC1..0xC3).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/codec.h"
#include "core/ids.h"
#include "ledger/transaction.h"

namespace baolian::node {

inline constexpr std::uint8_t kDeliveryPart = 0xD1;
inline constexpr std::uint8_t kAttestRequest = 0xD2;
inline constexpr std::uint8_t kAttestReply = 0xD3;

/// A piece of a canonical vault::Delivery, which may be larger than a frame.
struct DeliveryPart {
  static constexpr std::string_view kTypeName = "DeliveryPart";
  static constexpr std::uint32_t kPartBytesMax = 1024 * 1024;
  static constexpr std::uint16_t kPartsMax = 80;
  Version<kDeliveryPart> version;
  GrantId grant;
  std::uint16_t index = 0;
  std::uint16_t count = 0;
  Bytes bytes;

  static constexpr auto fields() {
    return field_list(field("version", &DeliveryPart::version, "0xD1"),
                      field("grant", &DeliveryPart::grant, "grant of the delivery"),
                      field("index", &DeliveryPart::index, "from 0"),
                      field("count", &DeliveryPart::count, "number of parts, 1 to 80"),
                      field("bytes", &DeliveryPart::bytes, at_most(kPartBytesMax), "the piece"));
  }
};

/// Asks an attestor for its cosignature over an operation that the asking institution will send.
struct AttestRequest {
  static constexpr std::string_view kTypeName = "AttestRequest";
  Version<kAttestRequest> version;
  RequestId request;
  std::uint16_t kind = 0;  ///< policies.enrol or consent.give
  Bytes content;
  Bytes evidence;  ///< KeptForms (consent_forms.h), sealed to the attestor institution's vault key

  static constexpr auto fields() {
    return field_list(
        field("version", &AttestRequest::version, "0xD2"),
        field("request", &AttestRequest::request, "names the reply"),
        field("kind", &AttestRequest::kind, "operation kind"),
        field("content", &AttestRequest::content, at_most(ledger::kOperationContentBytesMax),
              "canonical content"),
        field("evidence", &AttestRequest::evidence, at_most(512 * 1024), "sealed KeptForms"));
  }
};

struct AttestReply {
  static constexpr std::string_view kTypeName = "AttestReply";
  Version<kAttestReply> version;
  RequestId request;
  std::optional<ledger::Cosignature> cosignature;  ///< none: refused
  std::string reason;                              ///< of a refusal; no personal data

  static constexpr auto fields() {
    return field_list(field("version", &AttestReply::version, "0xD3"),
                      field("request", &AttestReply::request, "of the request"),
                      field("cosignature", &AttestReply::cosignature, "none: refused"),
                      field("reason", &AttestReply::reason, at_most(512), "of a refusal"));
  }
};

}  // namespace baolian::node
