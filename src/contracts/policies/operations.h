/// Operations on policies.
#pragma once

#include <vector>

#include "contracts/consent/operations.h"
#include "contracts/operation_kind.h"
#include "contracts/products/operations.h"
#include "contracts/types.h"

namespace baolian::contracts {

/// One insured person: a policy and, under the same id, the consent for the insurer that came with
/// it. The id is not stated but follows from subject and evidence (policy_id).
struct EnrolLine {
  static constexpr std::string_view kTypeName = "EnrolLine";
  SubjectId subject;               ///< audience: the insurer
  std::uint8_t premium_class = 0;  ///< a class of the product (adult, minor ...)
  std::uint32_t from_day = 0;      ///< first civil day of cover, days since 1970-01-01
  std::uint32_t to_day = 0;        ///< last civil day of cover
  PremiumSource premium_source{PremiumSource::cash};
  Commitment evidence;  ///< of the consent; salted, so that no two lines share one
  TimeMs consent_to;    ///< block time from which the consent no longer holds

  friend bool operator==(const EnrolLine&, const EnrolLine&) = default;
  static constexpr auto fields() {
    return field_list(
        field("subject", &EnrolLine::subject, "the person, audience = the insurer"),
        field("premium_class", &EnrolLine::premium_class, "class of the product"),
        field("from_day", &EnrolLine::from_day, "first civil day of cover, since 1970-01-01"),
        field("to_day", &EnrolLine::to_day, "last civil day of cover"),
        field("premium_source", &EnrolLine::premium_source, "how the premium is paid"),
        field("evidence", &EnrolLine::evidence, "salted commitment to the consent's evidence"),
        field("consent_to", &EnrolLine::consent_to,
              "block time from which the consent no longer holds, ms"));
  }
};

/// H("policy" || canonical subject || evidence): the id of a policy. First use wins.
PolicyId policy_id(const SubjectId& subject, const Commitment& evidence);
inline PolicyId policy_id(const EnrolLine& line) { return policy_id(line.subject, line.evidence); }

/// policies.enrol, by the insurer. Cosigners: attestor (0..2), over the whole operation: without it
/// its consents have no effect until they are confirmed.
struct PoliciesEnrol {
  static constexpr std::string_view kTypeName = "PoliciesEnrol";
  static constexpr OperationKind kKind = OperationKind::policies_enrol;
  Version<1> version;
  ProductId product;
  std::uint32_t product_version = 1;
  std::vector<Purpose> purposes;     ///< of every consent
  std::vector<RecordClass> classes;  ///< of every consent
  Level level_ceiling{Level::one};
  AutomaticReading automatic{AutomaticReading::refused};
  std::uint16_t text_version = 0;
  std::vector<EnrolLine> lines;

  friend bool operator==(const PoliciesEnrol&, const PoliciesEnrol&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &PoliciesEnrol::version, "format version"),
        field("product", &PoliciesEnrol::product, "registered product of the sender"),
        field("product_version", &PoliciesEnrol::product_version, "its version"),
        field("purposes", &PoliciesEnrol::purposes, Limits{.max = 8, .min = 1, .ascending = true},
              "purposes of the consents"),
        field("classes", &PoliciesEnrol::classes, Limits{.max = 5, .min = 1, .ascending = true},
              "record classes of the consents"),
        field("level_ceiling", &PoliciesEnrol::level_ceiling, "level ceiling of the consents"),
        field("automatic", &PoliciesEnrol::automatic, "whether programs may read by themselves"),
        field("text_version", &PoliciesEnrol::text_version, "consent text that the persons saw"),
        field("lines", &PoliciesEnrol::lines, between(1, 1000), "one a person"));
  }
};

/// The id of the consent that came with a policy, and the other way round.
inline ConsentId enrolment_consent(const PolicyId& policy) { return id_cast<ConsentId>(policy); }
inline PolicyId enrolled_policy(const ConsentId& consent) { return id_cast<PolicyId>(consent); }

}  // namespace baolian::contracts
