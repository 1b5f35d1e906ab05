#include "tools/cli/pkcs11/ec_keys.h"

#include <algorithm>
#include <array>

#include "core/base/reader.h"
#include "core/crypto/curve_oids.h"
#include "core/crypto/hash.h"

namespace tallystick::cli {
namespace {

constexpr std::uint8_t kOctetString = 0x04;
constexpr std::uint8_t kUncompressed = 0x04;

Template wanted_key(const Uri& uri, CK_OBJECT_CLASS object_class) {
  Template wanted;
  wanted.number(CKA_CLASS, object_class).number(CKA_KEY_TYPE, CKK_EC);
  if (const auto label = uri.object_label()) wanted.bytes(CKA_LABEL, *label);
  if (const auto id = uri.object_id()) wanted.bytes(CKA_ID, *id);
  return wanted;
}

Outcome<Handle> only(const Uri& uri, const Outcome<std::vector<Handle>>& found,
                     const std::string& kind) {
  if (!found) return found.error();
  if (found->empty()) {
    return token_failure(uri.text(), "there is no such " + kind,
                         "is object= or id= in the URI right?");
  }
  if (found->size() > 1) {
    return token_failure(uri.text(), std::to_string(found->size()) + " such keys match",
                         "name one by id= in the URI");
  }
  return found->front();
}

// The public half of a private key: the public key object with the same CKA_ID, or CKA_LABEL where
// there is no id.
Outcome<Handle> public_half(const Uri& uri, Session& session, Handle private_key) {
  Template wanted;
  wanted.number(CKA_CLASS, CKO_PUBLIC_KEY).number(CKA_KEY_TYPE, CKK_EC);
  const auto id = session.attribute(private_key, CKA_ID);
  if (id && !id->empty()) {
    wanted.bytes(CKA_ID, *id);
  } else if (const auto label = session.attribute(private_key, CKA_LABEL); label) {
    wanted.bytes(CKA_LABEL, *label);
  }
  return only(uri, session.find(wanted), "public key beside the private one");
}

}  // namespace

Outcome<core::Bytes> xy_of_point(const std::string& what, core::Curve curve, core::ByteView point) {
  const std::size_t size = 2 * core::field_size(curve);
  // An OCTET STRING of such a point needs one byte of length, being shorter than 128.
  if (point.size() == size + 3 && point[0] == kOctetString && point[1] == size + 1) {
    point = point.subspan(2);
  }
  if (point.size() != size + 1 || point[0] != kUncompressed) {
    return token_failure(what, "its public point is not an uncompressed point of the curve");
  }
  return core::Bytes(point.begin() + 1, point.end());
}

core::Bytes point_of_xy(core::ByteView xy) {
  core::Writer point;
  point.u8(kOctetString).u8(static_cast<std::uint8_t>(xy.size() + 1)).u8(kUncompressed).bytes(xy);
  return point.take();
}

Outcome<core::Bytes> public_xy_of(const Session& session, Handle key, core::Curve curve) {
  const std::string what = "public key in " + session.name();
  auto parameters = session.attribute(key, CKA_EC_PARAMS);
  if (!parameters) return std::move(parameters).error();
  if (!std::ranges::equal(*parameters, core::curve_oid(curve))) {
    return token_failure(what, "it is not on the named curve " +
                                   std::string(curve == core::Curve::kP384 ? "P-384" : "P-256"));
  }
  auto point = session.attribute(key, CKA_EC_POINT);
  if (!point) return std::move(point).error();
  return xy_of_point(what, curve, *point);
}

Outcome<SigningKey> SigningKey::open(Environment& env, const std::string& uri_text) {
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  auto uri = parse_uri(uri_text);
  if (!uri) return std::move(uri).error();
  auto session = open_token(env, *uri, kLoggedIn);
  if (!session) return std::move(session).error();
  Template wanted = wanted_key(*uri, CKO_PRIVATE_KEY);
  wanted.flag(CKA_SIGN, true);
  auto key = only(*uri, session->find(wanted), "signing key");
  if (!key) return std::move(key).error();
  auto half = public_half(*uri, *session, *key);
  if (!half) return std::move(half).error();
  auto xy = public_xy_of(*session, *half, core::Curve::kP384);
  if (!xy) return std::move(xy).error();
  auto public_key = core::EcPublicKey::from_xy(**crypto, core::Curve::kP384, *xy);
  if (!public_key) return from_core(uri->text(), public_key.error());
  return SigningKey(*crypto, *std::move(session), *key, *std::move(public_key));
}

Outcome<core::Bytes> SigningKey::sign(const std::string& what, core::ByteView message) {
  const bool hashes = session_.module().offers(session_.slot().id, CKM_ECDSA_SHA384, CKF_SIGN);
  Outcome<core::Bytes> signature = core::Bytes{};
  if (hashes) {
    signature = session_.sign(what, Mechanism(CKM_ECDSA_SHA384), key_, message);
  } else {
    auto digest = core::sha384(*crypto_, {message});
    if (!digest) return from_core(what, digest.error());
    signature = session_.sign(what, Mechanism(CKM_ECDSA), key_, *digest);
  }
  if (!signature) return signature;
  if (auto good = public_key_.verify(*crypto_, {message}, *signature); !good) {
    return token_failure(what, "the module's signature does not verify",
                         "is the public key object the pair of the private one?");
  }
  return signature;
}

Outcome<core::Bytes> public_key_at(Environment& env, const std::string& uri_text) {
  auto uri = parse_uri(uri_text);
  if (!uri) return std::move(uri).error();
  auto session = open_token(env, *uri, kLookOnly);
  if (!session) return std::move(session).error();
  Template wanted = wanted_key(*uri, CKO_PUBLIC_KEY);
  auto found = session->find(wanted);
  if (found && found->empty()) {
    // Some modules show public keys only after login.
    if (auto done = log_in(env, *uri, *session); !done) return std::move(done).error();
    Template again = wanted_key(*uri, CKO_PUBLIC_KEY);
    found = session->find(again);
  }
  auto key = only(*uri, found, "public key");
  if (!key) return std::move(key).error();
  return public_xy_of(*session, *key, core::Curve::kP384);
}

}  // namespace tallystick::cli
