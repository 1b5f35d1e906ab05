// Objects and their values.
#include "tests/fuzz/maker/call.h"
#include "tests/fuzz/support/world.h"
#include "tests/pkcs11/support/derivation.h"
#include "tests/pkcs11/support/public_keys.h"
#include "tests/pkcs11/support/symmetric.h"

namespace tallystick::fuzz::maker {
namespace {

void objects(const Corpus& corpus) {
  const auto add = [&corpus](const std::string& name, const Call& call) {
    corpus.add("pkcs11_object", name, call.view());
  };
  add("data", Call()
                  .u8(0)
                  .attributes(4)
                  .object_class(CKO_DATA)
                  .flag(CKA_TOKEN, true)
                  .bytes(CKA_LABEL, kText)
                  .bytes(CKA_VALUE, Bytes(100, 1))
                  .u8(2)
                  .attributes(2)
                  .bytes(CKA_LABEL, Bytes{'x'})
                  .flag(CKA_DESTROYABLE, false)
                  .u8(4)
                  .u8(3)
                  .type_of(CKA_LABEL)
                  .type_of(CKA_VALUE)
                  .type_of(CKA_UNIQUE_ID)
                  .u8(0)
                  .u8(0)
                  .u8(0));
  add("secret", Call()
                    .u8(0)
                    .attributes(7)
                    .object_class(CKO_SECRET_KEY)
                    .key_type(CKK_AES)
                    .bytes(CKA_VALUE, Bytes(32, 1))
                    .flag(CKA_EXTRACTABLE, true)
                    .flag(CKA_SENSITIVE, false)
                    .bytes(CKA_ID, Bytes{1})
                    .type_of(CKA_START_DATE)
                    .u8(8)
                    .u8(0)
                    .u8(1)
                    .attributes(2)
                    .bytes(CKA_LABEL, kText)
                    .flag(CKA_SENSITIVE, true)
                    .u8(4)
                    .u8(2)
                    .type_of(CKA_VALUE)
                    .type_of(CKA_START_DATE)
                    .u8(0)
                    .u8(0));
  add("nested", Call()
                    .u8(0)
                    .attributes(5)
                    .object_class(CKO_SECRET_KEY)
                    .key_type(CKK_AES)
                    .bytes(CKA_VALUE, Bytes(32, 1))
                    .flag(CKA_UNWRAP, true)
                    .type_of(CKA_UNWRAP_TEMPLATE)
                    .u8(5)
                    .attributes(3)
                    .object_class(CKO_SECRET_KEY)
                    .flag(CKA_SENSITIVE, true)
                    .bytes(CKA_LABEL, kText)
                    .u8(4)
                    .u8(1)
                    .type_of(CKA_UNWRAP_TEMPLATE)
                    .u8(0));
  add("mechanisms", Call()
                        .u8(0)
                        .attributes(4)
                        .object_class(CKO_SECRET_KEY)
                        .key_type(CKK_GENERIC_SECRET)
                        .bytes(CKA_VALUE, Bytes(32, 1))
                        .type_of(CKA_ALLOWED_MECHANISMS)
                        .u8(4)
                        .u8(2)
                        .u8(60)
                        .u8(61)
                        .u8(4)
                        .u8(1)
                        .type_of(CKA_ALLOWED_MECHANISMS)
                        .u8(0));
  add("ec-public", Call()
                       .u8(0)
                       .attributes(4)
                       .object_class(CKO_PUBLIC_KEY)
                       .key_type(CKK_EC)
                       .type_of(CKA_EC_PARAMS)
                       .u8(9)
                       .u8(0)
                       .type_of(CKA_EC_POINT)
                       .u8(9)
                       .u8(7)
                       .u8(1)
                       .attributes(1)
                       .flag(CKA_TOKEN, true)
                       .u8(4)
                       .u8(2)
                       .type_of(CKA_EC_POINT)
                       .type_of(CKA_PUBLIC_KEY_INFO)
                       .u8(0)
                       .u8(0));
  add("certificate", Call()
                         .u8(0)
                         .attributes(4)
                         .object_class(CKO_CERTIFICATE)
                         .type_of(CKA_CERTIFICATE_TYPE)
                         .u8(2)
                         .u8(0)
                         .bytes(CKA_SUBJECT, {})
                         .type_of(CKA_VALUE)
                         .u8(9)
                         .u8(11));
  add("search", Call()
                    .u8(3)
                    .attributes(2)
                    .object_class(CKO_SECRET_KEY)
                    .flag(CKA_SIGN, true)
                    .u8(20)
                    .u8(3)
                    .attributes(1)
                    .bytes(CKA_LABEL, Bytes{'h', 'k', 'd', 'f'})
                    .u8(2)
                    .u8(3)
                    .attributes(0)
                    .u8(63));
  add("read", Call()
                  .u8(4)
                  .key("family")
                  .u8(4)
                  .type_of(CKA_TS_FAMILY_ID)
                  .type_of(CKA_TS_ROLE)
                  .type_of(CKA_VALUE)
                  .type_of(CKA_TS_ICM_PUBLIC_KEY)
                  .u8(0)
                  .u8(0)
                  .u8(0)
                  .u8(0)
                  .u8(0x81)
                  .key("readable")
                  .attributes(1)
                  .flag(CKA_TOKEN, false));
}

void key_values(const Corpus& corpus) {
  for (unsigned kind = 0; kind < 11; ++kind) {
    Call good;
    good.u8(kind);
    for (unsigned i = 0; i < (kind == 9 ? 8U : 2U); ++i) good.u8(0);
    Bytes point = {4};
    const auto xy = world().part.public_xy();
    point.insert(point.end(), xy.begin(), xy.end());
    good.region(kind == 6 ? Bytes(32, 9) : point);
    corpus.add("pkcs11_key_value", "good-" + std::to_string(kind), good.view());
    Call other;
    other.u8(kind).u8(0).u8(1).region(test::octets(point));
    corpus.add("pkcs11_key_value", "other-" + std::to_string(kind), other.view());
  }
  for (const auto* const curve : {"P-384", "P-521", "ED448", "X448"}) {
    Call call;
    call.u8(0).u8(1).region(test::curve_params(curve)).u8(0);
    corpus.add("pkcs11_key_value", std::string("curve-") + curve, call.view());
  }
}

}  // namespace

void make_objects(const Corpus& corpus) {
  objects(corpus);
  key_values(corpus);
}

}  // namespace tallystick::fuzz::maker
