#include "node/claims/content_exchange.h"

#include <spdlog/spdlog.h>

#include "node/claims/claim_messages.h"

namespace baolian::node {
namespace {

constexpr std::size_t kScanMax = 10'000;

Bytes request_of(const Hash& content) {
  Bytes out;
  out.reserve(64);  // also spares GCC 12 a false warning about growing from one byte
  Encoder(out).value(ContentRequest{{}, content});
  return out;
}

}  // namespace

void ContentExchange::start() {
  const Bytes products = to_bytes("product/");
  for (const auto& row : services_.state().scan(products, products, kScanMax)) {
    const auto product = decode<contracts::ProductState>(row.value);
    if (product) want(product->content, product->insurer);
  }
  const Bytes catalogs = to_bytes("catalog/");
  for (const auto& row : services_.state().scan(catalogs, catalogs, kScanMax)) {
    const auto catalog = decode<contracts::CatalogState>(row.value);
    if (catalog) want(catalog->content, catalog->publisher);
  }
}

void ContentExchange::want(const Hash& content, const InstitutionId& publisher) {
  if (content.is_zero() || contents_.contains(content)) return;
  if (publisher == services_.self) {
    spdlog::error("content {} that was published here is gone: restore contents/",
                  content.hex().substr(0, 12));
    return;
  }
  wanted_.try_emplace(content, Wanted{publisher, TimeMs{}});
}

void ContentExchange::on_product(const contracts::ProductRegistered& event) {
  const auto product = ledger::read_as<contracts::ProductState>(
      services_.state(), contracts::keys::product(event.product, event.product_version));
  if (product) want(product->content, event.insurer);
}

void ContentExchange::on_catalog(const contracts::CatalogPublished& event) {
  const auto catalog = ledger::read_as<contracts::CatalogState>(
      services_.state(), contracts::keys::catalog(event.catalog, event.catalog_version));
  if (catalog) want(catalog->content, event.publisher);
}

void ContentExchange::on_request(const InstitutionId& from, BytesView message) {
  const auto request = decode<ContentRequest>(message);
  if (!request) return;
  auto bytes = contents_.bytes(request->content);
  if (!bytes) return;
  ContentReply reply;
  reply.bytes = *std::move(bytes);
  services_.send(from, encode(reply));
}

void ContentExchange::on_reply(BytesView message) {
  const auto reply = decode<ContentReply>(message);
  if (!reply) return;
  const Hash hash = public_hash(reply->bytes);
  // Only what the chain names, and what was asked for: nobody fills this disk.
  if (!wanted_.contains(hash)) return;
  if (contents_.put(reply->bytes)) wanted_.erase(hash);
}

void ContentExchange::work(TimeMs now) {
  for (auto& [content, wanted] : wanted_) {
    if (wanted.asked_at.value != 0 && now < wanted.asked_at + kAskAgainMs) continue;
    wanted.asked_at = now;
    services_.send(wanted.publisher, request_of(content));
  }
}

}  // namespace baolian::node
