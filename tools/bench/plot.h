/// Latency against throughput as a picture.
#pragma once

#include <string>
#include <vector>

namespace baolian::bench {

/// One load and what it showed.
struct CurvePoint {
  double wanted_per_s = 0;  ///< the load offered
  double ops_per_s = 0;     ///< certified
  double p50_ms = 0;
  double p99_ms = 0;
};

/// An SVG: certified operations a second to the right, milliseconds upwards by powers of ten, p50
/// and p99. Requires: points in the order of the load.
std::string curve_svg(const std::string& title, const std::vector<CurvePoint>& points);

}  // namespace baolian::bench
