/// Runs tests/scenarios/pbft/*.txt: lines of intent (#), commands, "----", what is expected.
/// DATADRIVEN_REWRITE=1 writes what came out instead of comparing.
///
///   network N [observers]   start I... | all   crash I...   flush I HEIGHT   propose [COUNT]
///   admit [COUNT] (transactions that every primary proposes until they are executed)
///   pass MS   cut A B (messages between A and B are lost)   heal   status
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "consensus/network.h"
#include "support/catch.h"

namespace baolian::consensus::testing {
namespace {

/// A link, whichever end is named first.
std::pair<ReplicaId, ReplicaId> ends(ReplicaId a, ReplicaId b) {
  return {std::min(a, b), std::max(a, b)};
}

class Scenario {
 public:
  std::string run(const std::string& line) {
    std::istringstream words(line);
    std::string command;
    words >> command;
    std::vector<std::string> arguments;
    for (std::string word; words >> word;) arguments.push_back(word);
    if (command == "network") {
      network_ = std::make_unique<Network>(number(arguments, 0, 4), number(arguments, 1, 0));
      network_->drop = [this](const Message& m, MessageKind) {
        return std::count(cuts_.begin(), cuts_.end(), ends(m.from, m.to)) > 0;
      };
      return "";
    }
    REQUIRE(network_ != nullptr);
    if (command == "start" && arguments == std::vector<std::string>{"all"}) {
      network_->start_all();
    } else if (command == "start") {
      for (std::size_t i = 0; i < arguments.size(); ++i) network_->start(number(arguments, i, 0));
    } else if (command == "crash") {
      for (std::size_t i = 0; i < arguments.size(); ++i) network_->crash(number(arguments, i, 0));
    } else if (command == "flush") {
      network_->flush(number(arguments, 0, 0), {number(arguments, 1, 0)});
    } else if (command == "propose") {
      for (std::size_t i = number(arguments, 0, 1); i > 0; --i) {
        if (!network_->propose()) return "cannot propose\n";
      }
    } else if (command == "admit") {
      network_->admit(number(arguments, 0, 1));
    } else if (command == "pass") {
      network_->pass(number(arguments, 0, 10));
    } else if (command == "cut") {
      const auto a = static_cast<ReplicaId>(number(arguments, 0, 0));
      const auto b = static_cast<ReplicaId>(number(arguments, 1, 0));
      cuts_.push_back(ends(a, b));
    } else if (command == "heal") {
      cuts_.clear();
    } else if (command == "status") {
      return status();
    } else {
      FAIL("unknown command " << line);
    }
    return "";
  }

 private:
  static std::size_t number(const std::vector<std::string>& words, std::size_t at,
                            std::size_t otherwise) {
    return at < words.size() ? static_cast<std::size_t>(std::stoul(words[at])) : otherwise;
  }

  std::string status() {
    std::ostringstream out;
    for (std::size_t i = 0; i < network_->size(); ++i) {
      out << i << ": ";
      if (!network_->node(i).is_up) {
        out << "down\n";
        continue;
      }
      const Status status = network_->node(i).status();
      out << "view " << status.view.value << " certified " << status.certified.value << " executed "
          << status.executed.value << (status.stopped ? " stopped" : "")
          << (status.is_leader ? " primary" : "") << (status.active ? "" : " inactive");
      if (!network_->node(i).pool.empty()) out << " waiting " << network_->node(i).pool.size();
      out << "\n";
    }
    return out.str();
  }

  std::unique_ptr<Network> network_;
  std::vector<std::pair<ReplicaId, ReplicaId>> cuts_;
};

/// The file with what comes out in the place of what was expected.
std::string replay(std::istream& in) {
  Scenario scenario;
  std::string out;
  std::string said;
  bool expecting = false;
  for (std::string line; std::getline(in, line);) {
    if (expecting && !line.empty()) continue;  // the old expectation
    if (expecting) {
      expecting = false;
      out += "\n";
      continue;
    }
    out += line + "\n";
    if (line == "----") {
      out += said;
      said.clear();
      expecting = true;
    } else if (!line.empty() && line[0] != '#') {
      said += scenario.run(line);
    }
  }
  return out;
}

}  // namespace

TEST_CASE("pbft scenarios give what is written beside them", "[scenario]") {
  const std::filesystem::path folder =
      std::filesystem::path(BAOLIAN_SOURCE_DIR) / "tests/scenarios/pbft";
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  REQUIRE(files.size() >= 2);
  for (const auto& path : files) {
    INFO(path.filename().string());
    std::ifstream file(path);
    std::stringstream written;
    written << file.rdbuf();
    const std::string result = replay(written);
    if (std::getenv("DATADRIVEN_REWRITE") != nullptr) {
      std::ofstream(path) << result;
    } else {
      CHECK(result == written.str());
    }
  }
}

}  // namespace baolian::consensus::testing
