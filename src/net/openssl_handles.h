/// Owning handles of OpenSSL objects, and its error queue as a text. For the .cpp files of net: the
/// OpenSSL headers themselves stay out of here.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"

struct bio_st;
struct evp_pkey_st;
struct ssl_ctx_st;
struct ssl_st;
struct x509_st;

namespace baolian::net {

struct OpensslDelete {
  void operator()(bio_st* p) const;
  void operator()(evp_pkey_st* p) const;
  void operator()(ssl_ctx_st* p) const;
  void operator()(x509_st* p) const;
};

using BioHandle = std::unique_ptr<bio_st, OpensslDelete>;
using KeyHandle = std::unique_ptr<evp_pkey_st, OpensslDelete>;
using SslContextHandle = std::unique_ptr<ssl_ctx_st, OpensslDelete>;
using X509Handle = std::unique_ptr<x509_st, OpensslDelete>;

/// Empties this thread's OpenSSL error queue. Returns: `code` with `what` and the newest reason.
Error openssl_error(Errc code, std::string_view what);

}  // namespace baolian::net
