#include "tools/cli/commands/signing_key_command.h"

#include <nlohmann/json.hpp>

#include "core/certificate/device_certificate.h"
#include "core/crypto/curve_oids.h"
#include "tools/cli/pkcs11/ec_keys.h"

namespace tallystick::cli {
namespace {

struct KeyOptions {
  std::string key;
};

// The object's id: as the URI says, else eight random bytes.
Outcome<core::Bytes> id_for(const core::Crypto& crypto, const Uri& uri) {
  if (auto id = uri.object_id()) return *std::move(id);
  core::Bytes id(8);
  if (auto done = crypto.random(id); !done) return from_core("key id", done.error());
  return id;
}

Done make_key(Environment& env, const KeyOptions& options) {
  auto crypto = env.crypto();
  if (!crypto) return std::move(crypto).error();
  auto uri = parse_uri(options.key);
  if (!uri) return std::move(uri).error();
  const auto label = uri->object_label();
  if (!label) {
    return usage_failure(uri->text(), "the URI names no object", "add object=NAME to it");
  }
  auto session = open_token(env, *uri, kWritable);
  if (!session) return std::move(session).error();
  Template same;
  same.number(CKA_CLASS, CKO_PRIVATE_KEY).bytes(CKA_LABEL, *label);
  auto found = session->find(same);
  if (!found) return std::move(found).error();
  if (!found->empty()) {
    return refused(uri->text(), "there is a key of that name already", "choose another object=");
  }
  auto id = id_for(**crypto, *uri);
  if (!id) return std::move(id).error();
  Template public_key;
  public_key.number(CKA_CLASS, CKO_PUBLIC_KEY)
      .number(CKA_KEY_TYPE, CKK_EC)
      .flag(CKA_TOKEN, true)
      .flag(CKA_VERIFY, true)
      .bytes(CKA_LABEL, *label)
      .bytes(CKA_ID, *id)
      .bytes(CKA_EC_PARAMS, core::curve_oid(core::Curve::kP384));
  Template private_key;
  private_key.number(CKA_CLASS, CKO_PRIVATE_KEY)
      .number(CKA_KEY_TYPE, CKK_EC)
      .flag(CKA_TOKEN, true)
      .flag(CKA_PRIVATE, true)
      .flag(CKA_SENSITIVE, true)
      .flag(CKA_EXTRACTABLE, false)
      .flag(CKA_SIGN, true)
      .bytes(CKA_LABEL, *label)
      .bytes(CKA_ID, *id);
  auto pair = session->generate_pair("key pair in " + session->name(),
                                     Mechanism(CKM_EC_KEY_PAIR_GEN), public_key, private_key);
  if (!pair) return std::move(pair).error();
  auto xy = public_xy_of(*session, pair->first, core::Curve::kP384);
  if (!xy) return std::move(xy).error();
  const auto fingerprint = core::key_id(**crypto, *xy);
  if (!fingerprint) return from_core("fingerprint", fingerprint.error());
  env.out.data(nlohmann::ordered_json{{"public_key", core::to_hex(*xy)},
                                      {"fingerprint", core::to_hex(*fingerprint)}});
  return {};
}

}  // namespace

void add_signing_key_command(Command group, Environment& env, const std::string& description) {
  add_command<KeyOptions>(
      group, env, "key", description, make_key, [](Command command, KeyOptions& options) {
        command.add_option("--key", options.key, "pkcs11: URI with token= and object=").required();
      });
}

}  // namespace tallystick::cli
