#include "bench/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace baolian::bench {
namespace {

constexpr double kWidth = 720;
constexpr double kHeight = 420;
constexpr double kLeft = 70;
constexpr double kRight = 24;
constexpr double kTop = 46;
constexpr double kBottom = 56;
constexpr int kGridSteps = 5;

/// Where values stand in the picture.
struct Scale {
  double ops_max = 1;
  double ms_low = 1;
  double ms_high = 10;

  double x(double ops) const { return kLeft + ops / ops_max * (kWidth - kLeft - kRight); }
  double y(double ms) const {
    const double part = std::log10(ms / ms_low) / std::log10(ms_high / ms_low);
    return kHeight - kBottom - part * (kHeight - kTop - kBottom);
  }
};

/// 1, 2 or 5 times a power of ten, the first that is not below.
double round_up(double value) {
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= value) return factor * power;
  }
  return 10 * power;
}

Scale scale_of(const std::vector<CurvePoint>& points) {
  Scale out;
  double low = points.front().p50_ms;
  double high = points.front().p99_ms;
  for (const CurvePoint& point : points) {
    out.ops_max = std::max(out.ops_max, point.ops_per_s);
    low = std::min(low, point.p50_ms);
    high = std::max(high, point.p99_ms);
  }
  out.ops_max = round_up(out.ops_max);
  out.ms_low = std::pow(10, std::floor(std::log10(std::max(low, 0.1))));
  out.ms_high = std::pow(10, std::ceil(std::log10(std::max(high, out.ms_low * 2))));
  return out;
}

void add_grid(const Scale& scale, std::string& out) {
  for (int i = 0; i <= kGridSteps; ++i) {
    const double ops = scale.ops_max * i / kGridSteps;
    out += fmt::format(
        "<line x1=\"{0:.1f}\" y1=\"{1}\" x2=\"{0:.1f}\" y2=\"{2}\" class=\"grid\"/>\n"
        "<text x=\"{0:.1f}\" y=\"{3}\" text-anchor=\"middle\">{4:.0f}</text>\n",
        scale.x(ops), kTop, kHeight - kBottom, kHeight - kBottom + 18, ops);
  }
  for (double ms = scale.ms_low; ms <= scale.ms_high * 1.001; ms *= 10) {
    out += fmt::format(
        "<line x1=\"{0}\" y1=\"{1:.1f}\" x2=\"{2}\" y2=\"{1:.1f}\" class=\"grid\"/>\n"
        "<text x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5:g}</text>\n",
        kLeft, scale.y(ms), kWidth - kRight, kLeft - 8, scale.y(ms) + 4, ms);
  }
}

void add_line(const Scale& scale, const std::vector<CurvePoint>& points,
              double CurvePoint::*latency, const char* name, std::string& out) {
  std::string path;
  std::string dots;
  for (const CurvePoint& point : points) {
    const double x = scale.x(point.ops_per_s);
    const double y = scale.y(std::max(point.*latency, scale.ms_low));
    path += fmt::format("{:.1f},{:.1f} ", x, y);
    dots +=
        fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.5\" class=\"{}\"/>\n", x, y, name);
  }
  out += fmt::format("<polyline points=\"{}\" class=\"line {}\"/>\n{}", path, name, dots);
  out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"{} name\">{}</text>\n",
                     scale.x(points.front().ops_per_s) + 6,
                     scale.y(std::max(points.front().*latency, scale.ms_low)) - 8, name, name);
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::string curve_svg(const std::string& title, const std::vector<CurvePoint>& points) {
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
      "height=\"{1}\" font-family=\"sans-serif\" font-size=\"12\">\n"
      "<style>.grid{{stroke:#ddd}}.line{{fill:none;stroke-width:2}}polyline.p50{{stroke:#1565c0}}"
      "polyline.p99{{stroke:#c62828}}circle.p50,text.p50{{fill:#1565c0}}"
      "circle.p99,text.p99{{fill:#c62828}}.name{{font-weight:bold}}</style>\n"
      "<rect width=\"{0}\" height=\"{1}\" fill=\"white\"/>\n"
      "<text x=\"{2}\" y=\"24\" font-size=\"15\">{3}</text>\n",
      kWidth, kHeight, kLeft, escaped(title));
  if (!points.empty()) {
    const Scale scale = scale_of(points);
    add_grid(scale, out);
    add_line(scale, points, &CurvePoint::p50_ms, "p50", out);
    add_line(scale, points, &CurvePoint::p99_ms, "p99", out);
  }
  out += fmt::format(
      "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">certified operations a second"
      "</text>\n<text x=\"16\" y=\"{}\" transform=\"rotate(-90 16 {})\" "
      "text-anchor=\"middle\">milliseconds</text>\n</svg>\n",
      (kLeft + kWidth - kRight) / 2, kHeight - 14, kHeight / 2, kHeight / 2);
  return out;
}

}  // namespace baolian::bench
