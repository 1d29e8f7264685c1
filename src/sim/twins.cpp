#include "sim/twins.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "core/prng.h"
#include "crypto/hash.h"
#include "sim/engine_host.h"
#include "sim/wire.h"

namespace baolian::sim {
namespace {

constexpr std::uint64_t kTickMs = 100;
constexpr std::uint64_t kLastRoundMs = 1200;  ///< nobody is cut off: what differs must show
constexpr std::uint8_t kGroupsMax = 3;

/// All ways to divide `count` instances into at most three groups, as restricted growth strings.
std::vector<std::vector<std::uint8_t>> all_partitions(std::size_t count) {
  std::vector<std::vector<std::uint8_t>> out = {{}};
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<std::vector<std::uint8_t>> longer;
    for (const auto& one : out) {
      const auto highest = std::max_element(one.begin(), one.end());
      const int groups = one.empty() ? 0 : *highest + 1;
      for (int group = 0; group <= std::min<int>(groups, kGroupsMax - 1); ++group) {
        longer.push_back(one);
        longer.back().push_back(static_cast<std::uint8_t>(group));
      }
    }
    out = std::move(longer);
  }
  return out;
}

/// Every set of exactly F validators.
std::vector<std::vector<ValidatorIndex>> all_twin_sets(std::size_t validators) {
  const std::size_t faulty_max = crypto::Quorum{validators}.faulty_max();
  std::vector<std::vector<ValidatorIndex>> out = {{}};
  for (std::size_t i = 0; i < faulty_max; ++i) {
    std::vector<std::vector<ValidatorIndex>> longer;
    for (const auto& one : out) {
      const std::size_t first = one.empty() ? 0 : one.back() + 1U;
      for (std::size_t next = first; next < validators; ++next) {
        longer.push_back(one);
        longer.back().push_back(static_cast<ValidatorIndex>(next));
      }
    }
    out = std::move(longer);
  }
  return out;
}

struct Space {
  std::vector<std::vector<ValidatorIndex>> twin_sets;
  std::vector<std::vector<std::uint8_t>> partitions;
  std::uint64_t scenarios = 0;
};

Space make_space(std::size_t validators, std::size_t rounds) {
  Space out;
  out.twin_sets = all_twin_sets(validators);
  out.partitions = all_partitions(validators + crypto::Quorum{validators}.faulty_max());
  out.scenarios = out.twin_sets.size();
  for (std::size_t i = 0; i < rounds; ++i) {
    const std::uint64_t more = out.partitions.size();
    ASSERT(out.scenarios <= (UINT64_MAX / 4) / more);
    out.scenarios *= more;
  }
  return out;
}

/// The space of the last configuration: making it costs more than a scenario.
const Space& space_of(const TwinsConfig& config) {
  static std::map<std::pair<std::size_t, std::size_t>, Space> known;
  const auto key = std::pair(config.validators, config.rounds);
  const auto at = known.find(key);
  if (at != known.end()) return at->second;
  return known.emplace(key, make_space(config.validators, config.rounds)).first->second;
}

/// A number without common factor with `modulus`: multiplying by it visits every number once.
std::uint64_t stride_of(std::uint64_t modulus) {
  std::uint64_t stride =
      static_cast<std::uint64_t>(static_cast<double>(modulus) * 0.6180339887) | 1U;
  while (std::gcd(stride, modulus) != 1) stride += 2;
  return stride % modulus;
}

std::uint64_t multiply(std::uint64_t a, std::uint64_t b, std::uint64_t modulus) {
  std::uint64_t out = 0;
  for (; b > 0; b >>= 1U) {
    if ((b & 1U) != 0) out = (out + a) % modulus;
    a = (a + a) % modulus;
  }
  return out;
}

/// All instances of one scenario, their messages and what they agreed on.
class Play {
 public:
  Play(const TwinsConfig& config, const TwinsScenario& scenario)
      : config_(config),
        scenario_(scenario),
        keys_(config.validators),
        prng_(scenario.number + 1),
        group_(config.validators + scenario.twins.size(), 0),
        loss_(group_.size(), 0) {
    for (std::size_t i = 0; i < group_.size(); ++i) add(i);
  }

  TwinsReport run() {
    for (std::size_t round = 0; round < scenario_.partitions.size(); ++round) {
      group_ = scenario_.partitions[round];
      if (config_.draws_losses) loss_ = scenario_.losses[round];
      pass(config_.round_ms);
    }
    std::fill(group_.begin(), group_.end(), std::uint8_t{0});
    std::fill(loss_.begin(), loss_.end(), std::uint8_t{0});
    pass(kLastRoundMs);
    for (const auto& host : hosts_) {
      if (is_twin(host->id())) continue;
      const consensus::Status status = host->engine().status();
      report_.view = std::max(report_.view, status.view.value);
      report_.height = std::max(report_.height, status.executed.value);
      report_.evidence += host->engine().evidence().size();
    }
    return report_;
  }

 private:
  struct Message {
    std::size_t from = 0;
    std::size_t to = 0;
    consensus::SharedBytes bytes;
  };

  bool is_twin(consensus::ReplicaId id) const {
    return std::find(scenario_.twins.begin(), scenario_.twins.end(), id) != scenario_.twins.end();
  }

  void add(std::size_t endpoint) {
    const std::size_t n = config_.validators;
    const ValidatorIndex id =
        endpoint < n ? static_cast<ValidatorIndex>(endpoint) : scenario_.twins[endpoint - n];
    EngineHost::Around around;
    around.send = [this, endpoint](const consensus::Send& send) { route(endpoint, send); };
    around.find_body = [this](const TxHash& hash) { return bodies_.at(hash); };
    around.on_executed = [this, id](Height height, const Hash& digest) {
      if (!is_twin(id)) agree(executed_, height, digest, "executed");
    };
    around.on_certified = [this, id](const crypto::ExecCertificate& certificate) {
      if (is_twin(id)) return;
      agree(certified_, certificate.vote.height, certificate.vote.header_hash, "certified");
      if (!crypto::check_certificate(certificate, keys_.chain, keys_.epoch, crypto::toy_verifier()))
        violation("I14: a certificate does not verify");
    };
    around.on_stop = [this, id](const std::string& reason) {
      if (!is_twin(id)) violation("I16: validator " + std::to_string(id) + " stopped: " + reason);
    };
    around.on_ban = [this, id](consensus::ReplicaId peer, const std::string& reason) {
      if (!is_twin(id) && !is_twin(peer)) {
        violation("a correct validator was banned: " + reason);
      }
    };
    hosts_.push_back(std::make_unique<EngineHost>(keys_, id, is_twin(id), std::move(around)));
  }

  void violation(std::string what) {
    if (!report_.violation) report_.violation = std::move(what);
  }

  void agree(std::map<Height, Hash>& known, Height height, const Hash& hash, const char* how) {
    const auto [at, is_new] = known.emplace(height, hash);
    if (!is_new && at->second != hash) {
      violation("I1: height " + std::to_string(height.value) + " was " + how + " in two ways");
    }
  }

  /// Whether the round keeps this message from an instance.
  bool is_lost(std::size_t to, BytesView bytes) const {
    if (loss_[to] == 0) return false;
    const auto message = peek(bytes);
    if (!message) return false;
    if (message->kind == consensus::MessageKind::commit ||
        message->kind == consensus::MessageKind::reply) {
      return (loss_[to] & kLosesCommits) != 0;
    }
    if (message->kind != consensus::MessageKind::prepare) return false;
    const auto vote = peek_vote(*message);
    const Loss loss = vote->height.value % 2 == 0 ? kLosesEvenPrepares : kLosesOddPrepares;
    return (loss_[to] & loss) != 0;
  }

  void route(std::size_t from, const consensus::Send& send) {
    if ((loss_[from] & kIsMute) != 0) return;
    for (std::size_t to = 0; to < hosts_.size(); ++to) {
      const consensus::ReplicaId id = hosts_[to]->id();
      const bool is_meant = send.to ? *send.to == id : id != hosts_[from]->id();
      if (!is_meant || group_[from] != group_[to] || is_lost(to, *send.bytes)) continue;
      wire_.push_back({from, to, send.bytes});
    }
  }

  void pass(std::uint64_t ms) {
    for (std::uint64_t passed = 0; passed < ms && !report_.violation; passed += kTickMs) {
      now_ = now_ + kTickMs;
      for (std::size_t i = 0; i < hosts_.size(); ++i) {
        hosts_[i]->tick(now_);
        propose(i);
      }
      deliver_all();
    }
  }

  /// Each instance has transactions of its own, so that two primaries with one key differ.
  void propose(std::size_t endpoint) {
    if (!hosts_[endpoint]->engine().can_propose()) return;
    Bytes body;
    Encoder encoder(body);
    encoder.integer(next_transaction_++);
    const TxHash hash{crypto::sha256(body).bytes};
    const auto shared = std::make_shared<const Bytes>(std::move(body));
    bodies_.emplace(hash, shared);
    hosts_[endpoint]->propose(hash, shared);
  }

  /// In an order that the number of the scenario draws, not far from that of sending.
  void deliver_all() {
    while (!wire_.empty() && !report_.violation) {
      const std::size_t at = prng_.below(std::min<std::size_t>(wire_.size(), 4));
      std::swap(wire_[at], wire_.front());
      const Message message = std::move(wire_.front());
      wire_.pop_front();
      ++report_.messages;
      hosts_[message.to]->deliver(hosts_[message.from]->id(), message.bytes);
    }
  }

  const TwinsConfig& config_;
  const TwinsScenario& scenario_;
  EngineKeys keys_;
  Prng prng_;
  std::vector<std::uint8_t> group_;
  std::vector<std::uint8_t> loss_;
  std::vector<std::unique_ptr<EngineHost>> hosts_;
  std::deque<Message> wire_;
  std::map<TxHash, consensus::SharedBytes> bodies_;
  std::map<Height, Hash> executed_;
  std::map<Height, Hash> certified_;
  std::uint64_t next_transaction_ = 1;
  Tick now_{1000};
  TwinsReport report_;
};

}  // namespace

namespace {

/// One loss in three rounds of an instance, so that a quorum is left in most of them.
void draw_losses(const TwinsConfig& config, TwinsScenario& scenario) {
  Prng prng(scenario.number ^ 0x1055E5);
  for (std::size_t round = 0; round < config.rounds; ++round) {
    std::vector<std::uint8_t>& losses = scenario.losses.emplace_back();
    for (std::size_t i = 0; i < scenario.partitions[round].size(); ++i) {
      std::uint64_t loss = 0;
      if (prng.chance_percent(40)) loss |= prng.between(1, 3);
      if (prng.chance_percent(40)) loss |= kLosesCommits;
      if (prng.chance_percent(15)) loss |= kIsMute;
      losses.push_back(static_cast<std::uint8_t>(loss));
    }
  }
}

}  // namespace

std::uint64_t twins_scenarios(const TwinsConfig& config) { return space_of(config).scenarios; }

TwinsScenario twins_scenario(const TwinsConfig& config, std::uint64_t number) {
  const Space& space = space_of(config);
  ASSERT(number < space.scenarios);
  std::uint64_t rest = multiply(number, stride_of(space.scenarios), space.scenarios);
  TwinsScenario out;
  out.number = number;
  out.twins = space.twin_sets[rest % space.twin_sets.size()];
  rest /= space.twin_sets.size();
  for (std::size_t round = 0; round < config.rounds; ++round) {
    out.partitions.push_back(space.partitions[rest % space.partitions.size()]);
    rest /= space.partitions.size();
  }
  if (config.draws_losses) draw_losses(config, out);
  return out;
}

TwinsReport play_twins(const TwinsConfig& config, const TwinsScenario& scenario) {
  return Play(config, scenario).run();
}

std::string describe(const TwinsScenario& scenario) {
  std::string out = "twins of";
  for (const ValidatorIndex twin : scenario.twins) out += " " + std::to_string(twin);
  out += ", groups by round";
  for (const auto& partition : scenario.partitions) {
    out += " ";
    for (const std::uint8_t group : partition) out += static_cast<char>('a' + group);
  }
  if (!scenario.losses.empty()) out += ", losses by round";
  for (const auto& round : scenario.losses) {
    out += " ";
    for (const std::uint8_t loss : round) out += "0123456789abcdef"[loss & 15U];
  }
  return out;
}

}  // namespace baolian::sim
