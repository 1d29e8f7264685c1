/// Puts into an etcd cluster over gRPC, for bench/compare.sh: so many putters, each with one put
/// under way, random keys, values of 256 bytes. Prints one line of JSON. Usage: baolian_etcd_put
/// PUTTERS SECONDS ENDPOINT...
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "put.grpc.pb.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kValueBytes = 256;
constexpr std::uint64_t kKeys = 1'000'000;
constexpr auto kWarmUp = std::chrono::seconds(5);

std::mt19937_64& random_numbers() {
  static std::mt19937_64 generator(1);  // NOLINT: the same keys in every run
  return generator;
}

/// One putter: a call that begins again when it ends.
struct Putter {
  explicit Putter(etcdserverpb::KV::Stub& to) : stub(to) {}

  void begin(grpc::CompletionQueue& queue) {
    context = std::make_unique<grpc::ClientContext>();
    etcdserverpb::PutRequest request;
    request.set_key("key-" + std::to_string(random_numbers()() % kKeys));
    std::string value(kValueBytes, '\0');
    for (char& byte : value) byte = static_cast<char>(random_numbers()());
    request.set_value(std::move(value));
    began = Clock::now();
    call = stub.AsyncPut(context.get(), request, &queue);
    call->Finish(&response, &status, this);
  }

  etcdserverpb::KV::Stub& stub;
  std::unique_ptr<grpc::ClientContext> context;
  std::unique_ptr<grpc::ClientAsyncResponseReader<etcdserverpb::PutResponse>> call;
  etcdserverpb::PutResponse response;
  grpc::Status status;
  Clock::time_point began;
};

double percentile_ms(const std::vector<double>& sorted, double percent) {
  if (sorted.empty()) return 0;
  const auto rank = static_cast<std::size_t>(percent / 100 * static_cast<double>(sorted.size()));
  return sorted[std::min(rank, sorted.size() - 1)];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: baolian_etcd_put PUTTERS SECONDS ENDPOINT...\n");
    return 2;
  }
  const auto putter_count = static_cast<std::size_t>(std::strtoull(argv[1], nullptr, 10));
  const auto duration = std::chrono::seconds(std::strtoull(argv[2], nullptr, 10));
  std::vector<std::unique_ptr<etcdserverpb::KV::Stub>> stubs;
  for (int i = 3; i < argc; ++i) {
    stubs.push_back(etcdserverpb::KV::NewStub(
        grpc::CreateChannel(argv[i], grpc::InsecureChannelCredentials())));
  }
  grpc::CompletionQueue queue;
  std::vector<std::unique_ptr<Putter>> putters;
  for (std::size_t i = 0; i < putter_count; ++i) {
    putters.push_back(std::make_unique<Putter>(*stubs[i % stubs.size()]));
    putters.back()->begin(queue);
  }
  const auto from = Clock::now() + kWarmUp;
  const auto to = from + duration;
  std::vector<double> latencies_ms;
  std::uint64_t failed = 0;
  std::size_t open = putter_count;
  void* tag = nullptr;
  bool is_ok = false;
  while (open > 0 && queue.Next(&tag, &is_ok)) {
    auto* putter = static_cast<Putter*>(tag);
    const auto now = Clock::now();
    if (!putter->status.ok()) {
      ++failed;
    } else if (now >= from && now < to) {
      latencies_ms.push_back(
          std::chrono::duration<double, std::milli>(now - putter->began).count());
    }
    if (now < to) {
      putter->begin(queue);
    } else {
      --open;
    }
  }
  std::sort(latencies_ms.begin(), latencies_ms.end());
  std::printf(
      "{\"putters\":%zu,\"puts_per_s\":%.1f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"failed\":%llu}\n",
      putter_count,
      static_cast<double>(latencies_ms.size()) / std::chrono::duration<double>(duration).count(),
      percentile_ms(latencies_ms, 50), percentile_ms(latencies_ms, 99),
      static_cast<unsigned long long>(failed));
  return latencies_ms.empty() ? 1 : 0;
}
