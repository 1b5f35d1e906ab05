#include "provider/generate_in_token.h"

#include <openssl/ec.h>
#include <openssl/objects.h>
#include <openssl/rand.h>

#include <array>

#include "pkcs11/include/tallystick/pkcs11_v3.h"
#include "provider/keymgmt.h"
#include "provider/locate.h"
#include "provider/public_key.h"

namespace tallystick::provider {
namespace {

constexpr std::size_t kIdSize = 16;

// The attributes of a pair that a usage turns on, on the private and on the public side.
struct Usage {
  const char* name;
  CK_ATTRIBUTE_TYPE private_side;
  CK_ATTRIBUTE_TYPE public_side;
};
constexpr std::array kUsages = {Usage{"digitalSignature", CKA_SIGN, CKA_VERIFY},
                                Usage{"dataEncipherment", CKA_DECRYPT, CKA_ENCRYPT},
                                Usage{"keyEncipherment", CKA_UNWRAP, CKA_WRAP},
                                Usage{"keyAgreement", CKA_DERIVE, CKA_DERIVE},
                                Usage{"keyEncapsulation", CKA_DECAPSULATE, CKA_ENCAPSULATE}};

const char* usual_usage(const KeyType& type) {
  if (&type == &kRsa) return "digitalSignature dataEncipherment";
  if (&type == &kEc) return "digitalSignature keyAgreement";
  if (type.post_quantum == &kMlKem) return "keyEncapsulation";
  return type.signature == nullptr ? "keyAgreement" : "digitalSignature";
}

core::Bytes object_identifier(int nid) {
  const ASN1_OBJECT* object = OBJ_nid2obj(nid);
  unsigned char* der = nullptr;
  const int size = object == nullptr ? 0 : i2d_ASN1_OBJECT(object, &der);
  if (size <= 0) return {};
  core::Bytes bytes(der, der + size);
  OPENSSL_free(der);
  return bytes;
}

int curve_nid(const std::string& name) {
  int nid = EC_curve_nist2nid(name.c_str());
  if (nid == NID_undef) nid = OBJ_txt2nid(name.c_str());
  return nid;
}

struct Templates {
  CK_MECHANISM_TYPE mechanism = 0;
  Template public_key;
  Template private_key;
};

Done set_type(Templates& pair, const KeyType& type, const PairRequest& request) {
  if (&type == &kRsa || &type == &kRsaPss) {
    pair.mechanism = CKM_RSA_PKCS_KEY_PAIR_GEN;
    pair.public_key.number(CKA_MODULUS_BITS, request.rsa_bits);
    pair.public_key.bytes(CKA_PUBLIC_EXPONENT, request.rsa_exponent);
    if (&type == &kRsa) return {};
    if (request.pss_bound) {
      return fail(Reason::kKey,
                  "a token keeps no digest and no salt with an RSA-PSS key: leave rsa_pss_keygen_… "
                  "out");
    }
    const core::ByteView mechanisms(reinterpret_cast<const std::uint8_t*>(kPssMechanisms.data()),
                                    sizeof kPssMechanisms);
    pair.public_key.bytes(CKA_ALLOWED_MECHANISMS, mechanisms);
    pair.private_key.bytes(CKA_ALLOWED_MECHANISMS, mechanisms);
    return {};
  }
  if (type.post_quantum != nullptr) {
    if (request.seeded) {
      return fail(Reason::kKey, "a token takes no seed of a key that it makes: leave seed out");
    }
    pair.mechanism = type.post_quantum->generation;
    pair.public_key.number(CKA_PARAMETER_SET, type.set);
    return {};
  }
  int nid = NID_undef;
  if (&type == &kEc) {
    pair.mechanism = CKM_EC_KEY_PAIR_GEN;
    nid = curve_nid(request.curve);
    if (nid == NID_undef) {
      return fail(Reason::kKey, "group " + request.curve + ": no curve of that name");
    }
  } else if (&type == &kX25519 || &type == &kX448) {
    pair.mechanism = CKM_EC_MONTGOMERY_KEY_PAIR_GEN;
    nid = &type == &kX25519 ? NID_X25519 : NID_X448;
  } else {
    pair.mechanism = CKM_EC_EDWARDS_KEY_PAIR_GEN;
    nid = &type == &kEd25519 ? NID_ED25519 : NID_ED448;
  }
  pair.public_key.bytes(CKA_EC_PARAMS, object_identifier(nid));
  return {};
}

void set_usage(Templates& pair, const KeyType& type, const std::string& asked) {
  const std::string usage = asked.empty() ? usual_usage(type) : asked;
  for (const Usage& one : kUsages) {
    if (usage.find(one.name) == std::string::npos) continue;
    pair.private_key.flag(one.private_side, true);
    pair.public_key.flag(one.public_side, true);
  }
}

// No other private key may have the same name already: its URI would be ambiguous from then on.
Done is_free(const std::shared_ptr<Token>& token, const client::Uri& uri) {
  if (!uri.names_object()) return {};
  const auto same = objects_in(token, uri, CKO_PRIVATE_KEY);
  if (!same) return same.error();
  if (same->empty()) return {};
  return fail(Reason::kAmbiguous, uri.text() + ": the token has such a private key already");
}

}  // namespace

Outcome<KeyPtr> generate_in_token(Context& context, const KeyType& type,
                                  const PairRequest& request) {
  const auto uri = parse_uri(request.uri);
  if (!uri) return uri.error();
  const auto token = token_for(context, *uri);
  if (!token) return token.error();
  if ((*token)->wants_login()) {
    const PinSource pins(*uri, context.settings(), nullptr, nullptr);
    if (auto done = (*token)->login(pins, false); !done) return std::move(done).error();
  }
  if (auto done = is_free(*token, *uri); !done) return std::move(done).error();

  Mark mark{CKO_PRIVATE_KEY, uri->object_id().value_or(core::Bytes()),
            uri->object_label().value_or(core::Bytes())};
  if (mark.id.empty()) {
    mark.id.resize(kIdSize);
    if (RAND_bytes_ex(context.lib(), mark.id.data(), mark.id.size(), 0) != 1) {
      return fail(Reason::kMemory, "no random id");
    }
  }
  Templates pair;
  if (auto done = set_type(pair, type, request); !done) return std::move(done).error();
  set_usage(pair, type, request.usage);
  for (Template* side : {&pair.public_key, &pair.private_key}) {
    side->flag(CKA_TOKEN, true).bytes(CKA_ID, mark.id);
    if (!mark.label.empty()) side->bytes(CKA_LABEL, mark.label);
  }
  pair.private_key.flag(CKA_PRIVATE, true).flag(CKA_SENSITIVE, true);

  auto session = (*token)->session(true);
  if (!session) return std::move(session).error();
  Mechanism mechanism(pair.mechanism);
  const auto made = session->generate_pair(mechanism, pair.public_key, pair.private_key);
  if (!made) return made.error();

  auto key = std::make_unique<Key>();
  key->context = &context;
  key->type = &type;
  key->parts = OSSL_KEYMGMT_SELECT_ALL;
  key->token = std::make_shared<TokenObject>(*token, std::move(mark), made->second,
                                             session->life().generation);
  auto public_key = public_key_of(context.lib(), *session, made->first);
  if (!public_key) {
    // Nobody could use it: it is not left behind.
    static_cast<void>(session->destroy(made->first));
    static_cast<void>(session->destroy(made->second));
    return std::move(public_key).error();
  }
  key->pkey = std::move(public_key->pkey);
  return key;
}

}  // namespace tallystick::provider
