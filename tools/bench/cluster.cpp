#include "bench/cluster.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>

#include "core/assert.h"
#include "node/config.h"
#include "node/genesis_file.h"
#include "node/network_init.h"

extern char** environ;

namespace baolian::bench {
namespace {

using ledger::InstitutionKind;

constexpr std::size_t kDepartments = 4;
constexpr auto kReadyTime = std::chrono::seconds(60);
/// For a node that runs already, as is said.
constexpr auto kAnswerTime = std::chrono::seconds(5);
constexpr auto kPoll = std::chrono::milliseconds(50);

node::NetworkPlan plan_of(const Settings& settings, const std::string& directory) {
  node::NetworkPlan plan;
  plan.directory = directory;
  plan.chain_name = "baolian bench";
  plan.consensus = settings.consensus;
  plan.keystore_cost = crypto::Keystore::Cost::interactive;
  const std::size_t latecomers = settings.jrt0193 ? 1 : 0;
  for (std::size_t i = 0; i < settings.validators + settings.observers + latecomers; ++i) {
    // Whoever comes late has no part in the load.
    const bool is_latecomer = i == settings.validators + settings.observers;
    const bool is_hospital = i % 2 == 0 && !is_latecomer;
    const std::size_t number = i / 2 + 1;
    node::InstitutionPlan institution;
    institution.slug = fmt::format("{}-{}", is_hospital ? "hospital" : "insurer", number);
    institution.name = institution.slug;
    institution.kinds = {is_hospital ? InstitutionKind::hospital : InstitutionKind::insurer};
    if (i == 1) {
      institution.kinds.push_back(InstitutionKind::medical_insurance);
      institution.kinds.push_back(InstitutionKind::regulator);
    }
    institution.votes = i < settings.validators;
    institution.departments = is_hospital ? kDepartments : 0;
    plan.institutions.push_back(std::move(institution));
  }
  return plan;
}

std::uint64_t bytes_under(const std::string& directory) {
  std::uint64_t out = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory, error)) {
    // Files come and go while a node runs.
    const std::uint64_t size = entry.is_regular_file(error) ? entry.file_size(error) : 0;
    if (!error) out += size;
  }
  return out;
}

/// A field of /proc/PID/status, in bytes.
std::uint64_t status_bytes(const std::string& text, const std::string& name) {
  const std::size_t at = text.find(name + ":");
  if (at == std::string::npos) return 0;
  return std::strtoull(text.c_str() + at + name.size() + 1, nullptr, 10) * 1024;
}

std::string read_whole(const std::string& path) {
  std::ifstream in(path);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

Result<void> append_peer_addresses(const std::string& config, const std::string& lines) {
  std::ofstream out(config, std::ios::app);
  out << "\n[peer_addresses]\n" << lines << std::flush;
  if (!out) return fail(Errc::io_failed, "cannot write " + config);
  return ok();
}

/// User and system time in a file of the form of /proc/PID/stat.
double cpu_seconds(const std::string& path) {
  const std::string text = read_whole(path);
  const std::size_t after_name = text.rfind(')');
  if (after_name == std::string::npos) return 0;
  std::istringstream fields(text.substr(after_name + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;  // state .. cmajflt
  std::uint64_t user = 0;
  std::uint64_t system = 0;
  fields >> user >> system;
  return static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

/// Of the threads that live now; those that ended are only in the process's sum.
std::map<std::string, double> thread_cpu_seconds(pid_t pid) {
  std::map<std::string, double> out;
  std::error_code error;
  for (const auto& task :
       std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid), error)) {
    std::string name = read_whole(task.path().string() + "/comm");
    if (!name.empty() && name.back() == '\n') name.pop_back();
    out[name] += cpu_seconds(task.path().string() + "/stat");
  }
  return out;
}

/// The process on this machine that runs a node with this configuration; -1: none that may be seen.
pid_t process_of(const std::filesystem::path& config) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path wanted = fs::weakly_canonical(config, error);
  for (const auto& process : fs::directory_iterator("/proc", error)) {
    const std::string name = process.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::istringstream command(read_whole(process.path().string() + "/cmdline"));
    bool is_next = false;
    for (std::string argument; std::getline(command, argument, '\0');) {
      constexpr std::string_view kOption = "--config=";
      if (argument.starts_with(kOption)) {
        argument.erase(0, kOption.size());
      } else if (!std::exchange(is_next, argument == "--config")) {
        continue;
      }
      const fs::path home = fs::read_symlink(process.path() / "cwd", error);
      if (!error && fs::weakly_canonical(home / argument, error) == wanted) return std::stoi(name);
    }
  }
  return -1;
}

/// Starts a program with its output in a file.
Result<pid_t> spawn_process(const std::vector<std::string>& command, const std::string& output) {
  std::vector<char*> arguments;
  for (const std::string& part : command) arguments.push_back(const_cast<char*>(part.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, output.c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND, 0644);
  ::posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
  pid_t pid = -1;
  const int failed =
      ::posix_spawn(&pid, command.front().c_str(), &files, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&files);
  if (failed != 0) return fail(Errc::io_failed, "cannot start " + command.front());
  return pid;
}

}  // namespace

Result<std::unique_ptr<Cluster>> Cluster::start(const Settings& settings) {
  const auto began = std::chrono::steady_clock::now();
  std::unique_ptr<Cluster> out(new Cluster());
  out->is_own_ = true;
  TRY(out->init(settings));
  TRY(out->run());
  out->deployment_s_ =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return out;
}

Result<std::unique_ptr<Cluster>> Cluster::attach(const Settings& settings) {
  std::unique_ptr<Cluster> out(new Cluster());
  out->directory_ = settings.network;
  TRY(out->find_names());
  TRY(out->read_network(settings.network + "/genesis.json"));
  for (const std::string& name : out->names_) {
    const pid_t pid = process_of(out->directory_ + "/nodes/" + name + "/node.toml");
    TRY(out->wait_ready(name));
    out->processes_.push_back({.name = name, .pid = pid});
    TRY(out->connect(out->processes_.back()));
  }
  return out;
}

/// Each institution has a compliance officer.
Result<void> Cluster::find_names() {
  constexpr std::string_view kEnd = "-compliance.json";
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory_ + "/profiles", error)) {
    const std::string file = entry.path().filename().string();
    if (file.ends_with(kEnd)) names_.push_back(file.substr(0, file.size() - kEnd.size()));
  }
  std::sort(names_.begin(), names_.end());
  if (!names_.empty()) return ok();
  return fail(Errc::io_failed, "no profiles in " + directory_ +
                                   "/profiles; --network is a directory that `baolian network "
                                   "init` wrote");
}

Result<void> Cluster::read_network(const std::string& genesis_file) {
  TRY(genesis_, node::load_genesis(genesis_file));
  TRY(read_parties());
  return count_departments();
}

Result<void> Cluster::count_departments() {
  std::error_code error;
  const auto has = [&](const std::string& hospital, std::size_t number) {
    return std::filesystem::exists(profile(fmt::format("{}-department-{}", hospital, number)),
                                   error);
  };
  departments_ = 0;
  while (!hospitals_.empty() &&
         std::all_of(hospitals_.begin(), hospitals_.end(), [&](const std::string& hospital) {
           return has(hospital, departments_ + 1);
         })) {
    ++departments_;
  }
  return ok();
}

std::string Cluster::attestor() const {
  const auto bureau = std::find_if(parties_.begin(), parties_.end(),
                                   [](const Party& party) { return party.is_bureau; });
  return bureau == parties_.end() ? "" : bureau->node + "-officer";
}

Result<void> Cluster::run() {
  ASSERT(processes_.empty());
  for (const std::string& name : names_) {
    if (name != latecomer_) TRY(spawn(name));
  }
  for (const Process& process : processes_) TRY(wait_ready(process.name));
  for (Process& process : processes_) TRY(connect(process));
  return ok();
}

Result<void> Cluster::connect(Process& process) const {
  TRY(const cli::Profile profile, cli::load_profile(this->profile(process.name + "-compliance")));
  TRY(process.client, cli::ApiClient::connect(profile));
  return ok();
}

Result<void> Cluster::start_latecomer() {
  ASSERT(!latecomer_.empty());
  TRY(spawn(latecomer_));
  TRY(wait_ready(latecomer_));
  return connect(processes_.back());
}

Result<std::uint64_t> Cluster::height_of(const std::string& name) {
  for (Process& process : processes_) {
    if (process.name != name) continue;
    TRY(const nlohmann::json answer, process.client->request_json("GET", "/v1/status"));
    return answer.value("certified_height", std::uint64_t{0});
  }
  ASSERT(false);
  return fail(Errc::not_found, name);
}

Result<void> Cluster::init(const Settings& settings) {
  node_program_ = settings.node_program;
  keep_ = settings.keep;
  directory_ = settings.directory;
  if (directory_.empty()) {
    std::string pattern = std::filesystem::temp_directory_path().string() + "/baolian-bench-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) {
      return fail(Errc::io_failed, "cannot make a directory " + pattern);
    }
    directory_ = pattern;
  }
  const node::NetworkPlan plan = plan_of(settings, directory_);
  for (const auto& institution : plan.institutions) {
    names_.push_back(institution.slug);
  }
  if (settings.jrt0193) latecomer_ = names_.back();
  TRY(const node::NetworkFiles files, node::init_network(plan));
  TRY(read_network(files.genesis_file));
  fault_ = settings.fault;
  delay_ms_ = settings.delay_ms;
  if (fault_ != Fault::none) TRY(choose_victim());
  if (is_slow(fault_)) TRY(route_through_delay_line());
  return ok();
}

/// Which institution each node is of stands in the profiles.
Result<void> Cluster::read_parties() {
  std::map<InstitutionId, std::string> nodes;
  for (const std::string& name : names_) {
    TRY(const cli::Profile profile, cli::load_profile(this->profile(name + "-compliance")));
    nodes[profile.institution] = name;
  }
  for (const ledger::Institution& institution : genesis_.institutions) {
    const auto is = [&](InstitutionKind kind) {
      return std::find(institution.kinds.begin(), institution.kinds.end(), kind) !=
             institution.kinds.end();
    };
    const auto node = nodes.find(institution.id);
    if (node == nodes.end()) continue;
    parties_.push_back({node->second, institution.id, is(InstitutionKind::hospital),
                        is(InstitutionKind::insurer), is(InstitutionKind::medical_insurance),
                        is(InstitutionKind::regulator)});
    if (parties_.back().is_hospital) hospitals_.push_back(node->second);
  }
  return ok();
}

/// The primary of view 0 has the lowest key. A backup that is no hospital: the load goes to those.
Result<void> Cluster::choose_victim() {
  for (const ledger::Institution& institution : genesis_.institutions) {
    const ledger::Node& node = institution.nodes.front();
    const bool is_primary = node.consensus_key == genesis_.epoch.validators.front();
    const bool is_hospital =
        std::find(hospitals_.begin(), hospitals_.end(), institution.name) != hospitals_.end();
    const bool fits = fault_ == Fault::primary_slow ? is_primary : !is_primary && !is_hospital;
    if (node.votes && fits) victim_ = institution.name;
  }
  if (victim_.empty()) return fail(Errc::bad_argument, "no validator for this fault");
  return ok();
}

/// All connections of the victim, whoever dials, go through the delay line.
Result<void> Cluster::route_through_delay_line() {
  delay_line_.emplace();
  const auto is_victim = [&](const auto& institution) { return institution.name == victim_; };
  const auto address = [&](const ledger::Node& node) -> Result<std::string> {
    TRY(const node::HostPort real, node::parse_host_port(node.address));
    TRY(const std::uint16_t port, delay_line_->add_route(real.port));
    return fmt::format("\"{}\" = \"127.0.0.1:{}\"\n", node.consensus_key.hex(), port);
  };
  const auto& institutions = genesis_.institutions;
  const auto victim = std::find_if(institutions.begin(), institutions.end(), is_victim);
  TRY(const std::string to_victim, address(victim->nodes.front()));
  std::string from_victim;
  for (const ledger::Institution& institution : institutions) {
    const std::string config = directory_ + "/nodes/" + institution.name + "/node.toml";
    if (is_victim(institution)) continue;
    TRY(const std::string line, address(institution.nodes.front()));
    from_victim += line;
    TRY(append_peer_addresses(config, to_victim));
  }
  return append_peer_addresses(directory_ + "/nodes/" + victim_ + "/node.toml", from_victim);
}

void Cluster::inflict() {
  if (is_slow(fault_)) return delay_line_->set_delay_ms(delay_ms_);
  const auto at = std::find_if(processes_.begin(), processes_.end(),
                               [&](const Process& process) { return process.name == victim_; });
  ASSERT(at != processes_.end());
  ::kill(at->pid, SIGKILL);
  ::waitpid(at->pid, nullptr, 0);
  processes_.erase(at);
}

Result<void> Cluster::spawn(const std::string& name) {
  const std::string config = directory_ + "/nodes/" + name + "/node.toml";
  TRY(const pid_t pid, spawn_process({node_program_, "--config", config},
                                     directory_ + "/nodes/" + name + "/output"));
  processes_.push_back({.name = name, .pid = pid});
  return ok();
}

Result<void> Cluster::wait_ready(const std::string& name) const {
  TRY(const cli::Profile profile, cli::load_profile(this->profile(name + "-compliance")));
  const auto deadline = std::chrono::steady_clock::now() + (is_own_ ? kReadyTime : kAnswerTime);
  net::HttpsClient client(
      {.host = profile.host, .port = profile.port, .certificate_fingerprint = profile.fingerprint});
  while (true) {
    const auto answer = client.request("GET", "/readyz");
    if (answer && answer->status == 200) return ok();
    if (std::chrono::steady_clock::now() > deadline) {
      const std::string node = directory_ + "/nodes/" + name;
      return fail(Errc::io_failed,
                  name + " does not answer; " +
                      (is_own_ ? "see " + node + "/output"
                               : "--network needs its nodes running and in step with the chain: "
                                 "baoliand --config " +
                                     node + "/node.toml"));
    }
    std::this_thread::sleep_for(kPoll);
  }
}

std::string Cluster::profile(const std::string& holder) const {
  return directory_ + "/profiles/" + holder + ".json";
}

std::string Cluster::data_directory(const std::string& name) const {
  return directory_ + "/nodes/" + name + "/data";
}

Result<std::vector<NodeFigures>> Cluster::figures() {
  std::vector<NodeFigures> out;
  for (Process& process : processes_) {
    NodeFigures figures;
    figures.name = process.name;
    if (process.pid != -1) {
      const std::string status = read_whole(fmt::format("/proc/{}/status", process.pid));
      figures.rss_bytes = status_bytes(status, "VmRSS");
      figures.rss_max_bytes = status_bytes(status, "VmHWM");
      if (figures.rss_bytes == 0) {
        return fail(Errc::io_failed, process.name + " has ended; see nodes/" + process.name +
                                         "/output in " + directory_);
      }
      figures.cpu_s = cpu_seconds(fmt::format("/proc/{}/stat", process.pid));
      figures.thread_cpu_s = thread_cpu_seconds(process.pid);
      figures.disk_bytes = bytes_under(data_directory(process.name));
    }
    TRY(const nlohmann::json answer, process.client->request_json("GET", "/v1/status"));
    figures.log_syncs = answer.value("log_syncs", std::uint64_t{0});
    figures.view = answer.value("view", std::uint64_t{0});
    figures.executor_us = answer.value("executor_us", figures.executor_us);
    out.push_back(std::move(figures));
  }
  return out;
}

std::uint64_t Cluster::rss_bytes() const {
  std::uint64_t out = 0;
  for (const Process& process : processes_) {
    if (process.pid == -1) continue;
    out += status_bytes(read_whole(fmt::format("/proc/{}/status", process.pid)), "VmRSS");
  }
  return out;
}

void Cluster::stop() {
  for (const Process& process : processes_) ::kill(process.pid, SIGTERM);
  for (const Process& process : processes_) ::waitpid(process.pid, nullptr, 0);
  processes_.clear();
}

Result<std::uint64_t> Cluster::compact() const {
  ASSERT(processes_.empty());
  std::uint64_t out = 0;
  for (const std::string& name : names_) {
    const std::string node = directory_ + "/nodes/" + name;
    TRY(const pid_t pid,
        spawn_process({node_program_, "--compact", "--config", node + "/node.toml"},
                      node + "/output"));
    int status = 0;
    ::waitpid(pid, &status, 0);
    if (status != 0) return fail(Errc::io_failed, "--compact failed; see " + node + "/output");
    out += bytes_under(data_directory(name));
  }
  return out;
}

Cluster::~Cluster() {
  if (!is_own_) return;
  stop();
  if (keep_) {
    fmt::print(stderr, "the network stays in {}\n", directory_);
    return;
  }
  std::error_code error;
  std::filesystem::remove_all(directory_, error);
}

}  // namespace baolian::bench
