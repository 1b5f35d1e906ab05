#include "tools/cli/formats/identity_files.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include "core/crypto/ec.h"
#include "tools/cli/file_io.h"
#include "tools/cli/formats/json_file.h"
#include "tools/cli/formats/part_file.h"
#include "tools/cli/pkcs11/ec_keys.h"
#include "tools/cli/pkcs11/token_client.h"
#include "tools/cli/text.h"

namespace tallystick::cli {
namespace {

constexpr std::string_view kUriScheme = "pkcs11:";
constexpr std::string_view kPemStart = "-----BEGIN ";

struct PemBlock {
  std::string name;
  core::Bytes der;
};

// The first PEM block of a text.
std::optional<PemBlock> first_pem_block(core::ByteView bytes) {
  const core::BioPtr bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  if (!bio || PEM_read_bio(bio.get(), &name, &header, &data, &size) != 1) return std::nullopt;
  PemBlock block{name, core::Bytes(data, data + size)};
  OPENSSL_free(name);
  OPENSSL_free(header);
  OPENSSL_free(data);
  return block;
}

Outcome<core::Bytes> from_public_key_der(const core::Crypto& crypto, const std::string& where,
                                         core::ByteView der) {
  const std::uint8_t* at = der.data();
  const core::PkeyPtr key(
      d2i_PUBKEY_ex(nullptr, &at, static_cast<long>(der.size()), crypto.lib(), nullptr));
  if (!key || at != der.data() + der.size()) {
    return file_failure(where, "neither a certificate nor a public key");
  }
  const auto parsed = core::EcPublicKey::from_pkey(crypto, core::Curve::kP384, key.get());
  if (!parsed) return file_failure(where, "not a public key on P-384");
  return core::Bytes(parsed->xy().begin(), parsed->xy().end());
}

bool is_certificate(core::ByteView der) {
  const std::uint8_t* at = der.data();
  const core::X509Ptr parsed(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  return parsed != nullptr;
}

Outcome<core::Bytes> from_der(const core::Crypto& crypto, const std::string& where,
                              core::ByteView der) {
  if (!is_certificate(der)) return from_public_key_der(crypto, where, der);
  auto key = core::icm_public_key_of(crypto, der);
  if (!key) return from_core(where, key.error());
  return *std::move(key);
}

Outcome<DeviceIdentity> checked_identity(Environment& env, const std::string& where,
                                         core::DeviceKind kind, core::ByteView xy) {
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  const auto key = core::EcPublicKey::from_xy(**crypto, core::Curve::kP256, xy);
  if (!key) return from_core(where, key.error());
  const auto id = core::key_id(**crypto, xy);
  if (!id) return from_core(where, id.error());
  return DeviceIdentity{kind, *id, core::Bytes(xy.begin(), xy.end())};
}

Outcome<DeviceIdentity> identity_from_json(Environment& env, const std::string& where,
                                           core::ByteView bytes) {
  const auto document = parse_json(bytes);
  const auto xy = array_from_hex<64>(text_member(document, "public_key"));
  const std::string kind = text_member(document, "kind");
  if (!xy || (kind != "token" && kind != "part")) {
    return file_failure(where, "not a device's public key", "`token public-key -o` writes one");
  }
  auto identity = checked_identity(
      env, where, kind == "part" ? core::DeviceKind::kPart : core::DeviceKind::kToken, *xy);
  if (!identity) return identity;
  if (text_member(document, "device_id") != core::to_hex(identity->id)) {
    return refused(where, "its device_id is not that of its public key");
  }
  return identity;
}

}  // namespace

Outcome<core::Bytes> load_p384_public_key(Environment& env, const std::string& where) {
  if (where.starts_with(kUriScheme)) return public_key_at(env, where);
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  auto bytes = read_file(where, kSmallFile);
  if (!bytes) return std::move(bytes).error();
  if (core::text_of(*bytes).starts_with(kPemStart)) {
    const auto block = first_pem_block(*bytes);
    if (!block) return file_failure(where, "not PEM");
    return from_der(**crypto, where, block->der);
  }
  if (!bytes->empty() && bytes->front() == '{') {
    const auto document = parse_json(*bytes);
    auto xy = from_hex(text_member(document, "public_key"));
    if (!xy) return file_failure(where, "no \"public_key\" in hex in it");
    *bytes = *std::move(xy);
  }
  if (bytes->size() != 96) return from_der(**crypto, where, *bytes);
  const auto key = core::EcPublicKey::from_xy(**crypto, core::Curve::kP384, *bytes);
  if (!key) return from_core(where, key.error());
  return bytes;
}

Outcome<core::ByteArray<32>> parse_fingerprint(const std::string& text) {
  const auto bytes = array_from_hex<32>(text);
  if (!bytes) return usage_failure("fingerprint", "it has 64 hexadecimal digits");
  return *bytes;
}

Outcome<DeviceIdentity> load_device_identity(Environment& env, const std::string& where) {
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  if (where.starts_with(kUriScheme)) {
    auto session = open_token(env, where, kLookOnly);
    if (!session) return std::move(session).error();
    TokenClient token(**crypto, *std::move(session));
    auto key = token.device_key();
    if (!key) return std::move(key).error();
    return DeviceIdentity{core::DeviceKind::kToken, key->id, key->xy};
  }
  auto file = InputFile::open(where);
  if (!file) return std::move(file).error();
  if (file->size() > 0 && file->size() <= kSmallFile) {
    auto bytes = read_file(where);
    if (!bytes) return std::move(bytes).error();
    if (bytes->front() == '{') return identity_from_json(env, where, *bytes);
  }
  const auto part = open_part(*crypto, where);
  if (!part) return part.error();
  return checked_identity(env, where, core::DeviceKind::kPart, (*part)->public_key());
}

Outcome<core::Bytes> load_certificate(const std::string& path) {
  auto bytes = read_file(path);
  if (!bytes || !core::text_of(*bytes).starts_with(kPemStart)) return bytes;
  auto block = first_pem_block(*bytes);
  if (!block || block->name != "CERTIFICATE") return file_failure(path, "not a certificate");
  return std::move(block->der);
}

Outcome<core::Bytes> in_form(core::ByteView der, bool pem) {
  if (!pem) return core::Bytes(der.begin(), der.end());
  const core::BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio ||
      PEM_write_bio(bio.get(), "CERTIFICATE", "", der.data(), static_cast<long>(der.size())) <= 0) {
    return Failure{Exit::kInternal, "certificate", "cannot be written as PEM", ""};
  }
  const unsigned char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return core::Bytes(text, text + size);
}

}  // namespace tallystick::cli
