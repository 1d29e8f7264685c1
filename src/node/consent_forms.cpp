#include "node/consent_forms.h"

#include <algorithm>

#include "core/assert.h"
#include "crypto/commitment.h"
#include "crypto/secret.h"

namespace baolian::node {
namespace {

/// Which of the forms has this commitment; nullptr if none.
const KeptForm* form_of(const KeptForms& kept, const Commitment& commitment) {
  const auto found = std::find_if(
      kept.forms.begin(), kept.forms.end(),
      [&](const KeptForm& candidate) { return commitment_of(candidate) == commitment; });
  return found == kept.forms.end() ? nullptr : &*found;
}

}  // namespace

KeptForm new_form(const ConsentId& consent, std::string person, std::string reference) {
  KeptForm out;
  out.form.consent = consent;
  out.form.person = std::move(person);
  out.form.reference = std::move(reference);
  out.salt = crypto::new_salt();
  return out;
}

Commitment commitment_of(const KeptForm& form) {
  return crypto::commit(crypto::domain::kSalted, form.salt, encode(form.form));
}

Result<ConsentForms> ConsentForms::open(const std::string& directory, crypto::Secret key) {
  TRY(vault::SealedDirectory files,
      vault::SealedDirectory::open(directory, "consent-forms", std::move(key)));
  return ConsentForms(std::move(files));
}

Result<void> ConsentForms::keep(const KeptForms& forms) const {
  ASSERT(!forms.forms.empty());
  Bytes plain = encode(forms);
  auto kept = files_.put(commitment_of(forms.forms.front()).hex(), plain);
  crypto::wipe(plain);
  return kept;
}

Result<KeptForms> ConsentForms::read(const std::string& name) const {
  TRY(const crypto::Secret plain, files_.get(name));
  return decode<KeptForms>(plain.view());
}

Result<KeptForm> ConsentForms::find(const Commitment& commitment) const {
  if (auto own = read(commitment.hex())) {
    if (const KeptForm* form = form_of(*own, commitment)) return *form;
  }
  // A line of an enrolment that is not its first.
  TRY(const std::vector<std::string> names, files_.names());
  std::size_t unreadable = 0;  // one damaged file must not hide the others
  for (const auto& name : names) {
    const auto kept = read(name);
    if (!kept) {
      ++unreadable;
      continue;
    }
    if (const KeptForm* form = form_of(*kept, commitment)) return *form;
  }
  return fail(Errc::not_found, "no form with that commitment is kept here; " +
                                   std::to_string(unreadable) +
                                   " files cannot be read. Ask the attestor's node");
}

}  // namespace baolian::node
