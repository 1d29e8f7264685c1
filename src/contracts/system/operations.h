/// Operations of the chain itself.
#pragma once

#include "contracts/operation_kind.h"
#include "contracts/types.h"

namespace baolian::contracts {

inline constexpr std::uint16_t kSweepMax = 1000;

/// system.sweep, by an agent of an institution with a validator: says aloud which deadlines passed.
struct SystemSweep {
  static constexpr std::string_view kTypeName = "SystemSweep";
  static constexpr OperationKind kKind = OperationKind::system_sweep;
  Version<1> version;
  TimeMs up_to;
  std::uint16_t count_max = kSweepMax;

  friend bool operator==(const SystemSweep&, const SystemSweep&) = default;
  static constexpr auto fields() {
    return field_list(
        field("version", &SystemSweep::version, "format version"),
        field("up_to", &SystemSweep::up_to, "deadlines due until then, ms; not after block time"),
        field("count_max", &SystemSweep::count_max, "how many at most, 1 to 1,000"));
  }
};

}  // namespace baolian::contracts
