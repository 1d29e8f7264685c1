/// The network of the claim simulation: a hospital, two insurers and a bureau, a validator each,
/// an observer, and what the parties agreed on before the first block.
#pragma once

#include <array>
#include <memory>

#include "contracts/adjudication/product.h"
#include "core/prng.h"
#include "sim/draw.h"
#include "sim/world.h"

namespace baolian::sim {

inline constexpr std::size_t kInsurers = 2;

/// Any identifier or salt, drawn.
/// An institution as one acts for it.
struct Seat {
  InstitutionId institution;
  MemberId agent_member;
  std::shared_ptr<const crypto::Signer> agent;     ///< roles gateway and agent
  std::shared_ptr<const crypto::Signer> attestor;  ///< counts for the bureau only
  MemberId vault;
};

struct Insurance {
  Seat seat;
  ProductId product_id;
  contracts::Product product;
};

struct ClaimWorld {
  World world;
  Seat hospital;
  std::array<Insurance, kInsurers> insurers;
  Seat bureau;
  std::uint32_t today = 0;  ///< civil day on which the simulation begins

  /// Index into `insurers`; nullopt for another institution.
  std::optional<std::size_t> insurer_index(const InstitutionId& institution) const {
    for (std::size_t i = 0; i < kInsurers; ++i) {
      if (insurers[i].seat.institution == institution) return i;
    }
    return std::nullopt;
  }
};

/// A world that depends on the seed alone.
ClaimWorld make_claim_world(std::uint64_t seed, TimeMs begins);

}  // namespace baolian::sim
