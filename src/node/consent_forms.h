/// Forms of consents: what a person signed on paper, or said at a counter, as the institution that
/// took it down keeps it. The chain holds only a salted commitment to the form (`evidence` of
/// consent.give, consent.revoke and each line of policies.enrol); the form and its salt are kept
/// here, sealed, so that a court can be shown later what the commitment is of.
///
/// One file an operation, written before the operation is sent; the attestor keeps one as well,
/// written before it cosigns. Its name is the commitment of the first form in hex.
#pragma once

#include <string>
#include <vector>

#include "core/codec.h"
#include "core/ids.h"
#include "core/result.h"
#include "vault/sealed_directory.h"

namespace baolian::node {

/// The evidence commitment is commit("salted", salt, canonical ConsentForm).
struct ConsentForm {
  static constexpr std::string_view kTypeName = "ConsentForm";
  static constexpr std::uint32_t kReferenceBytesMax = 128;
  Version<1> version;
  ConsentId consent;
  std::string person;     ///< the id as it was given to the API
  std::string reference;  ///< number of the paper, scan or recording; may be empty

  static constexpr auto fields() {
    return field_list(
        field("version", &ConsentForm::version, "format version"),
        field("consent", &ConsentForm::consent,
              "the consent given or revoked; zeros in an enrolment, whose id is made of the "
              "commitment"),
        field("person", &ConsentForm::person, at_most(128), "person id; empty in a revocation"),
        field("reference", &ConsentForm::reference, at_most(kReferenceBytesMax),
              "number of the paper, scan or recording"));
  }
};

struct KeptForm {
  static constexpr std::string_view kTypeName = "KeptForm";
  ConsentForm form;
  Salt salt;

  static constexpr auto fields() {
    return field_list(field("form", &KeptForm::form, "the form"),
                      field("salt", &KeptForm::salt, "opens its commitment"));
  }
};

/// Forms of one operation, in the order of its lines.
struct KeptForms {
  static constexpr std::string_view kTypeName = "KeptForms";
  Version<1> version;
  std::vector<KeptForm> forms;

  static constexpr auto fields() {
    return field_list(
        field("version", &KeptForms::version, "format version"),
        field("forms", &KeptForms::forms, at_most(1000), "one a line of the operation"));
  }
};

/// With a fresh salt.
KeptForm new_form(const ConsentId& consent, std::string person, std::string reference);
Commitment commitment_of(const KeptForm& form);

class ConsentForms {
 public:
  /// Returns: Errc::io_failed.
  static Result<ConsentForms> open(const std::string& directory, crypto::Secret key);

  /// Durably. Requires: at least one form. Returns: Errc::io_failed.
  Result<void> keep(const KeptForms& forms) const;
  /// The form with this commitment. Looks through every file that may hold it: for a court, not
  /// for a counter. Returns: Errc::not_found, which says how many files cannot be read;
  /// Errc::io_failed.
  Result<KeptForm> find(const Commitment& commitment) const;

 private:
  explicit ConsentForms(vault::SealedDirectory files) : files_(std::move(files)) {}
  Result<KeptForms> read(const std::string& name) const;

  vault::SealedDirectory files_;
};

}  // namespace baolian::node
