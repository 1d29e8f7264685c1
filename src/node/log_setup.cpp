#include "node/log_setup.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <nlohmann/json.hpp>

namespace baolian::node {
namespace {

/// spdlog prints a message as it is; a quote or a line break in it must not end the JSON line.
class EscapedText final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm& /*time*/,
              spdlog::memory_buf_t& out) override {
    const std::string text = json_escaped({message.payload.data(), message.payload.size()});
    out.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<EscapedText>();
  }
};

constexpr const char* kPeoplePattern = "%Y-%m-%dT%H:%M:%S.%eZ %n %l %v";

std::string json_pattern(const std::string& name) {
  std::string escaped;
  for (const char c : json_escaped(name)) escaped.append(c == '%' ? "%%" : std::string(1, c));
  return R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","node":")" + escaped + R"(","level":"%l","text":"%*"})";
}

}  // namespace

std::string json_escaped(std::string_view text) {
  using nlohmann::json;
  const std::string quoted = json(text).dump(-1, ' ', false, json::error_handler_t::replace);
  return quoted.substr(1, quoted.size() - 2);
}

void set_up_log(const Config& config) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<EscapedText>('*');
  formatter->set_pattern(config.log_json != 0 ? json_pattern(config.name) : kPeoplePattern);
  auto logger = std::make_shared<spdlog::logger>(config.name,
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_formatter(std::move(formatter));
  logger->set_level(spdlog::level::from_str(config.log_level));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace baolian::node
