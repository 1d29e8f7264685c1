#include "node/api_auth.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "crypto/hash.h"
#include "crypto/random.h"

namespace baolian::node {
namespace {

constexpr std::string_view kScheme = "Baolian ";

Error refuse(std::string why) { return fail(Errc::not_authorized, std::move(why)); }

Hash request_hash(const ApiRequest& request) { return crypto::sha256(encode(request)); }

/// The value of `name=` in a comma-separated list.
std::optional<std::string_view> part(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    std::string_view item = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    while (item.starts_with(' ')) item.remove_prefix(1);
    if (item.starts_with(name) && item.substr(name.size()).starts_with('=')) {
      return item.substr(name.size() + 1);
    }
  }
  return std::nullopt;
}

struct Header {
  PublicKey key;
  TimeMs time;
  ApiNonce nonce;
  Signature signature;
};

Result<Header> parse_header(std::string_view text) {
  if (!text.starts_with(kScheme)) {
    return refuse("the Authorization header must be 'Baolian key=, time=, nonce=, signature='");
  }
  text.remove_prefix(kScheme.size());
  const auto key = part(text, "key");
  const auto time = part(text, "time");
  const auto nonce = part(text, "nonce");
  const auto signature = part(text, "signature");
  if (!key || !time || !nonce || !signature) {
    return refuse("the Authorization header needs key, time, nonce and signature");
  }
  Header out;
  TRY(out.key, PublicKey::from_hex_text(*key));
  TRY(out.nonce, ApiNonce::from_hex_text(*nonce));
  TRY(out.signature, Signature::from_hex_text(*signature));
  const auto [end, error] =
      std::from_chars(time->data(), time->data() + time->size(), out.time.value);
  if (error != std::errc{} || end != time->data() + time->size()) {
    return refuse("the time in the Authorization header is no number of milliseconds");
  }
  return out;
}

}  // namespace

std::string sign_api_request(std::string_view method, std::string_view target,
                             std::string_view body, TimeMs now, const ChainId& chain,
                             const crypto::Signer& signer, const Hash& server) {
  ApiRequest request;
  request.method = std::string(method);
  request.target = std::string(target);
  request.body_hash = crypto::sha256(as_bytes(body));
  request.time = now;
  request.nonce = crypto::random_id<ApiNonce>();
  request.server = server;
  const Signature signature =
      signer.sign_object(crypto::ObjectType::api_request, chain, Epoch{}, request_hash(request));
  return std::string(kScheme) + "key=" + signer.public_key().hex() +
         ", time=" + std::to_string(now.value) + ", nonce=" + request.nonce.hex() +
         ", signature=" + signature.hex();
}

Result<PublicKey> ApiAuthenticator::check(std::string_view authorization, std::string_view method,
                                          std::string_view target, std::string_view body,
                                          TimeMs now) {
  auto parsed = parse_header(authorization);
  if (!parsed) return refuse(std::move(parsed).error().context);
  const Header& header = *parsed;
  if (method.size() > 16 || target.size() > 4096) return refuse("the request line is too long");
  const std::uint64_t apart =
      now.value > header.time.value ? now.value - header.time.value : header.time.value - now.value;
  if (apart > kApiWindowMs) {
    return refuse("the request's time is more than 60 s from the node's clock; set the clock");
  }
  if (options_.may_ask && !options_.may_ask(header.key)) {
    return refuse("this key is no valid member that this node serves");
  }
  ApiRequest request;
  request.method = std::string(method);
  request.target = std::string(target);
  request.body_hash = crypto::sha256(as_bytes(body));
  request.time = header.time;
  request.nonce = header.nonce;
  request.server = options_.server;
  if (!verifier_.verify_object(header.key, crypto::ObjectType::api_request, chain_, Epoch{},
                               request_hash(request), header.signature)) {
    return refuse("the signature is not by this key over this request");
  }
  const std::lock_guard lock(mutex_);
  while (!by_time_.empty() && by_time_.begin()->first + kApiWindowMs < now.value) {
    forgotten_before_ = std::max(forgotten_before_, by_time_.begin()->first + 1);
    seen_.erase(by_time_.begin()->second);
    by_time_.erase(by_time_.begin());
  }
  // Also when this clock was set back: what is forgotten cannot be told from what is new.
  if (header.time.value < forgotten_before_) {
    return refuse("the request is older than this node remembers; sign it anew");
  }
  const Seen id{header.key, header.nonce};
  if (seen_.contains(id)) return refuse("this nonce was used before; sign the request anew");
  if (seen_.size() >= kNoncesMax) return fail(Errc::busy, "too many requests; try again shortly");
  seen_.insert(id);
  by_time_.emplace(header.time.value, id);
  return header.key;
}

}  // namespace baolian::node
