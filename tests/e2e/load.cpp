/// baolian-load: readings or enrolments over HTTPS against a running network, and the check of the
/// readings' receipts.
#include "load.h"

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>

#include "crypto/random.h"

namespace {

using namespace baolian;

int print(const Result<nlohmann::json>& result) {
  if (!result) {
    std::fprintf(stderr, "baolian-load: %s: %s\n",
                 std::string(errc_name(result.error().code)).c_str(),
                 result.error().context.c_str());
    return 1;
  }
  std::puts(result->dump(1).c_str());
  return result->contains("problems") && !(*result)["problems"].empty() ? 5 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("baolian-load: readings over HTTPS, receipts kept outside of the nodes",
               "baolian-load");
  app.footer(
      "Examples:\n  baolian-load --network net --receipts r.jsonl --count 1000\n"
      "  baolian-load --network net --receipts r.jsonl --sequential\n"
      "  baolian-load --network net --check r.jsonl\n"
      "  baolian-load --network net --enrol 3000000");
  e2e::LoadOptions options;
  std::string check;
  std::uint64_t wait_s = 60;
  bool sequential = false;
  app.add_option("--network", options.network, "directory that network init wrote")->required();
  app.add_option("--receipts", options.receipts, "file to append acknowledged readings to");
  app.add_option("--clients", options.clients, "threads, one connection each")
      ->check(CLI::Range(1, 256));
  app.add_option("--count", options.count, "acknowledged readings in all");
  app.add_option("--seconds", options.seconds, "or for so long");
  app.add_option("--warm-up", options.warm_up, "readings that are not measured");
  app.add_option("--give-up-s", options.give_up_s, "abandon a reading without outcome after");
  app.add_flag("--sequential", sequential, "1,000 readings one at a time after 100 warm-up");
  app.add_option("--check", check, "check the receipts in this file instead; exit 5 if not held");
  app.add_option("--wait-s", wait_s, "with --check: for nodes to catch up");
  e2e::EnrolOptions enrolment;
  app.add_option("--enrol", enrolment.persons, "enrol so many persons instead");
  app.add_option("--first-person", enrolment.first_person, "with --enrol: number of the first one");
  std::string post;
  std::string target;
  std::string profile;
  app.add_option("--post", post, "post this file to --target as --profile instead");
  app.add_option("--target", target, "path of the API");
  app.add_option("--profile", profile, "who posts");
  CLI11_PARSE(app, argc, argv);
  std::signal(SIGPIPE, SIG_IGN);
  if (sequential) {
    options.clients = 1;
    options.count = 1000;
    options.warm_up = 100;
  }
  try {
    crypto::initialize();
    if (!post.empty()) return print(e2e::post_file(profile, target, post));
    if (enrolment.persons > 0) {
      enrolment.network = options.network;
      enrolment.clients = options.clients;
      return print(e2e::run_enrolment(enrolment));
    }
    if (!check.empty()) return print(e2e::check_receipts(options.network, check, wait_s));
    if (options.receipts.empty() || (options.count == 0 && options.seconds == 0)) {
      std::fputs("baolian-load: --receipts and --count or --seconds are needed\n", stderr);
      return 2;
    }
    return print(e2e::run_load(options));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "baolian-load: unexpected: %s\n", error.what());
    return 1;
  }
}
