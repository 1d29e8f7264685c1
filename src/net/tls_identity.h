/// Keys and self-signed certificates of a node: Ed25519 between nodes (pinned to the registry, so
/// there is no CA that could expire), P-256 for HTTPS (browsers refuse Ed25519).
///
/// Certificates are valid from 2020-01-01 to 9999-12-31 (RFC 5280 4.1.2.5: no well-defined end):
/// a registered key is trusted because it is registered, never because of a date.
/// Source: RFC 8410 (Ed25519 in X.509), RFC 7469 2.4 (pin = SHA-256 of SubjectPublicKeyInfo).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"
#include "crypto/secret.h"

namespace baolian::net {

/// A certificate with its private key. Movable; clone() copies.
struct TlsIdentity {
  Bytes certificate_der;           ///< public
  crypto::Secret private_key_der;  ///< PKCS#8, unencrypted: belongs in the keystore

  TlsIdentity clone() const { return {certificate_der, private_key_der.clone()}; }
};

/// The mesh identity made from a 32-byte seed. Deterministic: the same seed gives the same
/// certificate, so only the seed is kept.
/// Returns: Errc::bad_argument for another length.
Result<TlsIdentity> mesh_identity(const crypto::Secret& seed);

/// The pin under which the registry knows a mesh identity: SHA-256 of the SubjectPublicKeyInfo of
/// this raw Ed25519 key (1 = Ed25519 as first byte, as in PublicKey).
/// Returns: Errc::bad_public_key for another algorithm.
Result<Hash> mesh_pin(const PublicKey& tls_key);

/// The Ed25519 public key that belongs to a seed, in the form of PublicKey.
/// Returns: Errc::bad_argument for another length than 32.
Result<PublicKey> mesh_public_key(const crypto::Secret& seed);

/// A fresh P-256 key (PKCS#8 DER), to be kept in the keystore.
Result<crypto::Secret> new_https_key();

/// A self-signed certificate for this P-256 key. `host_names` (1..32) are DNS names or IP addresses
/// and become subjectAltName; the first is the common name. ECDSA is randomised: every call gives
/// other bytes and so another fingerprint, hence keep the certificate beside the key.
/// Returns: Errc::bad_argument for a name that is neither, Errc::tls_failed for an unusable key.
Result<TlsIdentity> https_identity(const crypto::Secret& key_der,
                                   const std::vector<std::string>& host_names);

/// SHA-256 of the certificate's SubjectPublicKeyInfo DER.
/// Returns: Errc::tls_failed for bytes that are no certificate.
Result<Hash> certificate_pin(BytesView certificate_der);

/// SHA-256 of the whole certificate DER: what the CLI's profile pins, in hexadecimal.
Hash certificate_fingerprint(BytesView certificate_der);

/// PEM forms, for files and other tools (curl --cacert, a browser).
std::string certificate_pem(BytesView certificate_der);
/// The first certificate of a PEM text, as DER. Returns: Errc::tls_failed.
Result<Bytes> certificate_from_pem(std::string_view pem);
/// A private key in PEM (for a configured certificate) as PKCS#8 DER. Returns: Errc::tls_failed,
/// also for an encrypted key.
Result<crypto::Secret> private_key_from_pem(const crypto::Secret& pem);

}  // namespace baolian::net
