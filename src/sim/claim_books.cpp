#include "sim/claim_books.h"

#include "core/assert.h"

namespace baolian::sim {

Opening operator+(const Opening& a, const Opening& b) {
  return {a.amount + b.amount, crypto::add(a.blinding, b.blinding)};
}

Opening operator-(const Opening& a, const Opening& b) {
  ASSERT(a.amount >= b.amount);
  return {a.amount - b.amount, crypto::subtract(a.blinding, b.blinding)};
}

GroupElement committed(const Opening& opening) {
  if (opening.amount == 0 && opening.blinding.is_zero()) return {};
  const auto out = crypto::pedersen_commit(opening.amount, opening.blinding);
  ASSERT(out.has_value());
  return *out;
}

crypto::Scalar draw_blinding(Prng& prng) {
  crypto::Scalar out;
  for (std::uint8_t& byte : out.bytes) byte = static_cast<std::uint8_t>(prng.next());
  out.bytes[31] &= 0x0F;  // below 2^252 and so below the order
  if (out.is_zero()) out.bytes[0] = 1;
  return out;
}

GroupElement OpeningBook::keep(const Opening& opening) {
  const GroupElement commitment = committed(opening);
  openings_[commitment] = opening;
  return commitment;
}

std::optional<Opening> OpeningBook::find(const GroupElement& commitment) const {
  if (commitment.is_zero()) return Opening{};
  const auto found = openings_.find(commitment);
  if (found == openings_.end()) return std::nullopt;
  return found->second;
}

}  // namespace baolian::sim
