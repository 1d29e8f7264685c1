#include "net/tls_identity.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <climits>
#include <cstring>

#include "crypto/hash.h"
#include "crypto/signing.h"
#include "net/openssl_handles.h"

namespace baolian::net {

void OpensslDelete::operator()(bio_st* p) const { BIO_free_all(p); }
void OpensslDelete::operator()(evp_pkey_st* p) const { EVP_PKEY_free(p); }
void OpensslDelete::operator()(x509_st* p) const { X509_free(p); }

Error openssl_error(Errc code, std::string_view what) {
  const unsigned long newest = ERR_peek_last_error();
  ERR_clear_error();
  std::string context(what);
  if (newest != 0) {
    std::array<char, 256> text{};
    ERR_error_string_n(newest, text.data(), text.size());
    context += ": ";
    context += text.data();
  }
  return fail(code, std::move(context));
}

namespace {

constexpr std::size_t kSeedBytes = 32;
constexpr const char* kNotBefore = "20200101000000Z";
constexpr const char* kNotAfter = "99991231235959Z";

struct ExtensionDelete {
  void operator()(X509_EXTENSION* p) const { X509_EXTENSION_free(p); }
  void operator()(GENERAL_NAMES* p) const { GENERAL_NAMES_free(p); }
  void operator()(PKCS8_PRIV_KEY_INFO* p) const { PKCS8_PRIV_KEY_INFO_free(p); }
};
using ExtensionHandle = std::unique_ptr<X509_EXTENSION, ExtensionDelete>;
using NamesHandle = std::unique_ptr<GENERAL_NAMES, ExtensionDelete>;
using Pkcs8Handle = std::unique_ptr<PKCS8_PRIV_KEY_INFO, ExtensionDelete>;

Result<KeyHandle> key_from_seed(const crypto::Secret& seed) {
  if (seed.size() != kSeedBytes) {
    return fail(Errc::bad_argument, "a mesh identity is made from a seed of 32 bytes");
  }
  KeyHandle key(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.view().data(), seed.size()));
  if (key == nullptr) return openssl_error(Errc::tls_failed, "cannot use the Ed25519 seed");
  return key;
}

Result<KeyHandle> key_from_der(const crypto::Secret& der) {
  const unsigned char* at = der.view().data();
  KeyHandle key(der.empty() || der.size() > LONG_MAX
                    ? nullptr
                    : d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.size())));
  if (key == nullptr) return openssl_error(Errc::tls_failed, "the private key is not PKCS#8 DER");
  return key;
}

/// OpenSSL allocates the encoding itself; the copy outside locked memory is wiped at once.
Result<crypto::Secret> key_to_der(const KeyHandle& key) {
  const Pkcs8Handle info(EVP_PKEY2PKCS8(key.get()));
  unsigned char* encoded = nullptr;
  const int size = info == nullptr ? -1 : i2d_PKCS8_PRIV_KEY_INFO(info.get(), &encoded);
  if (size <= 0) return openssl_error(Errc::tls_failed, "cannot encode the private key");
  const auto size_bytes = static_cast<std::size_t>(size);
  crypto::Secret out = crypto::Secret::copy_of({encoded, size_bytes});
  OPENSSL_clear_free(encoded, size_bytes);
  return out;
}

Result<Bytes> public_key_info(const KeyHandle& key) {
  unsigned char* encoded = nullptr;
  const int size = i2d_PUBKEY(key.get(), &encoded);
  if (size <= 0) return openssl_error(Errc::tls_failed, "cannot encode the public key");
  Bytes out(encoded, encoded + size);
  OPENSSL_free(encoded);
  return out;
}

Result<X509Handle> parse_certificate(BytesView der) {
  const unsigned char* at = der.data();
  X509Handle out(der.empty() || der.size() > LONG_MAX
                     ? nullptr
                     : d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (out == nullptr || at != der.data() + der.size()) {
    return openssl_error(Errc::tls_failed, "these bytes are no X.509 certificate in DER");
  }
  return out;
}

Result<Bytes> certificate_der(const X509Handle& certificate) {
  unsigned char* encoded = nullptr;
  const int size = i2d_X509(certificate.get(), &encoded);
  if (size <= 0) return openssl_error(Errc::tls_failed, "cannot encode the certificate");
  Bytes out(encoded, encoded + size);
  OPENSSL_free(encoded);
  return out;
}

bool add_extension(X509* certificate, int nid, const char* value) {
  const ExtensionHandle extension(X509V3_EXT_conf_nid(nullptr, nullptr, nid, value));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

/// A certificate with everything but extensions and signature. The serial number is made from the
/// public key, so that the whole is a function of the key.
Result<X509Handle> begin_certificate(const KeyHandle& key, const std::string& common_name) {
  TRY(const Bytes info, public_key_info(key));
  const Hash digest = crypto::sha256(info);
  std::uint64_t serial = read_big_endian(digest.view().first(8)) >> 1;
  if (serial == 0) serial = 1;

  X509Handle out(X509_new());
  if (out == nullptr) return openssl_error(Errc::tls_failed, "cannot make a certificate");
  X509_NAME* name = X509_get_subject_name(out.get());
  const auto* text = reinterpret_cast<const unsigned char*>(common_name.data());
  const bool made = X509_set_version(out.get(), X509_VERSION_3) == 1 &&
                    ASN1_INTEGER_set_uint64(X509_get_serialNumber(out.get()), serial) == 1 &&
                    ASN1_TIME_set_string_X509(X509_getm_notBefore(out.get()), kNotBefore) == 1 &&
                    ASN1_TIME_set_string_X509(X509_getm_notAfter(out.get()), kNotAfter) == 1 &&
                    X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, text,
                                               static_cast<int>(common_name.size()), -1, 0) == 1 &&
                    X509_set_issuer_name(out.get(), name) == 1 &&
                    X509_set_pubkey(out.get(), key.get()) == 1 &&
                    add_extension(out.get(), NID_basic_constraints, "critical,CA:FALSE") &&
                    add_extension(out.get(), NID_key_usage, "critical,digitalSignature");
  if (!made) return openssl_error(Errc::tls_failed, "cannot fill the certificate");
  return out;
}

Result<void> add_host_names(X509* certificate, const std::vector<std::string>& host_names) {
  const NamesHandle names(sk_GENERAL_NAME_new_null());
  if (names == nullptr) return openssl_error(Errc::tls_failed, "cannot make a list of names");
  for (const std::string& host : host_names) {
    if (host.empty() || host.size() > 253 ||
        host.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:-_"
                               "*") != std::string::npos) {
      return fail(Errc::bad_argument, "not a host name or IP address: " + host);
    }
    ASN1_OCTET_STRING* address = a2i_IPADDRESS(host.c_str());
    const bool is_address = address != nullptr;
    ASN1_OCTET_STRING_free(address);
    ERR_clear_error();
    GENERAL_NAME* name = a2i_GENERAL_NAME(nullptr, nullptr, nullptr,
                                          is_address ? GEN_IPADD : GEN_DNS, host.c_str(), 0);
    if (name == nullptr || sk_GENERAL_NAME_push(names.get(), name) == 0) {
      GENERAL_NAME_free(name);
      return openssl_error(Errc::bad_argument, "not a host name or IP address: " + host);
    }
  }
  if (X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) !=
          1 ||
      !add_extension(certificate, NID_ext_key_usage, "serverAuth")) {
    return openssl_error(Errc::tls_failed, "cannot add the host names to the certificate");
  }
  return ok();
}

}  // namespace

Result<TlsIdentity> mesh_identity(const crypto::Secret& seed) {
  TRY(const KeyHandle key, key_from_seed(seed));
  TRY(X509Handle certificate, begin_certificate(key, "baolian node"));
  if (!add_extension(certificate.get(), NID_ext_key_usage, "serverAuth,clientAuth") ||
      X509_sign(certificate.get(), key.get(), nullptr) <= 0) {
    return openssl_error(Errc::tls_failed, "cannot sign the mesh certificate");
  }
  TlsIdentity out;
  TRY(out.certificate_der, certificate_der(certificate));
  TRY(out.private_key_der, key_to_der(key));
  return out;
}

Result<PublicKey> mesh_public_key(const crypto::Secret& seed) {
  TRY(const KeyHandle key, key_from_seed(seed));
  PublicKey out;
  out.bytes[0] = static_cast<std::uint8_t>(crypto::Algorithm::ed25519);
  std::size_t size = PublicKey::kSize - 1;
  if (EVP_PKEY_get_raw_public_key(key.get(), out.bytes.data() + 1, &size) != 1 ||
      size != PublicKey::kSize - 1) {
    return openssl_error(Errc::tls_failed, "cannot read the Ed25519 public key");
  }
  return out;
}

Result<Hash> mesh_pin(const PublicKey& tls_key) {
  if (tls_key.bytes[0] != static_cast<std::uint8_t>(crypto::Algorithm::ed25519)) {
    return fail(Errc::bad_public_key, "a mesh key is an Ed25519 key (first byte 1)");
  }
  const KeyHandle key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr,
                                                  tls_key.bytes.data() + 1, PublicKey::kSize - 1));
  if (key == nullptr) return openssl_error(Errc::bad_public_key, "not an Ed25519 public key");
  TRY(const Bytes info, public_key_info(key));
  return crypto::sha256(info);
}

Result<crypto::Secret> new_https_key() {
  const KeyHandle key(EVP_EC_gen("P-256"));
  if (key == nullptr) return openssl_error(Errc::tls_failed, "cannot make a P-256 key");
  return key_to_der(key);
}

Result<TlsIdentity> https_identity(const crypto::Secret& key_der,
                                   const std::vector<std::string>& host_names) {
  if (host_names.empty() || host_names.size() > 32) {
    return fail(Errc::bad_argument, "an HTTPS certificate needs 1 to 32 host names");
  }
  if (host_names.front().empty()) return fail(Errc::bad_argument, "an empty host name");
  TRY(const KeyHandle key, key_from_der(key_der));
  if (EVP_PKEY_is_a(key.get(), "EC") != 1) {
    return fail(Errc::tls_failed, "the HTTPS key is no P-256 key");
  }
  TRY(X509Handle certificate, begin_certificate(key, host_names.front().substr(0, 64)));
  TRY(add_host_names(certificate.get(), host_names));
  if (X509_sign(certificate.get(), key.get(), EVP_sha256()) <= 0) {
    return openssl_error(Errc::tls_failed, "cannot sign the HTTPS certificate");
  }
  TlsIdentity out;
  TRY(out.certificate_der, certificate_der(certificate));
  out.private_key_der = key_der.clone();
  return out;
}

Result<Hash> certificate_pin(BytesView der) {
  TRY(const X509Handle certificate, parse_certificate(der));
  unsigned char* encoded = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate.get()), &encoded);
  if (size <= 0) return openssl_error(Errc::tls_failed, "cannot encode the public key");
  const Hash pin = crypto::sha256({encoded, static_cast<std::size_t>(size)});
  OPENSSL_free(encoded);
  return pin;
}

Hash certificate_fingerprint(BytesView der) { return crypto::sha256(der); }

std::string certificate_pem(BytesView der) {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  ASSERT(bio != nullptr);
  ASSERT(PEM_write_bio(bio.get(), PEM_STRING_X509, "", der.data(), static_cast<long>(der.size())) >
         0);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

Result<Bytes> certificate_from_pem(std::string_view pem) {
  if (pem.size() > INT_MAX) return fail(Errc::tls_failed, "the certificate file is too large");
  const BioHandle bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const X509Handle certificate(
      bio == nullptr ? nullptr : PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (certificate == nullptr) {
    return openssl_error(Errc::tls_failed, "the file holds no certificate in PEM form");
  }
  return certificate_der(certificate);
}

Result<crypto::Secret> private_key_from_pem(const crypto::Secret& pem) {
  if (pem.size() > INT_MAX) return fail(Errc::tls_failed, "the key file is too large");
  // Without a password callback that says no, OpenSSL would ask on the terminal.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  const BioHandle bio(BIO_new_mem_buf(pem.view().data(), static_cast<int>(pem.size())));
  const KeyHandle key(
      bio == nullptr ? nullptr : PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (key == nullptr) {
    return openssl_error(Errc::tls_failed, "the file holds no unencrypted private key in PEM form");
  }
  return key_to_der(key);
}

}  // namespace baolian::net
