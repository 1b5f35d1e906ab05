#include "tests/pkcs11/support/keys.h"

#include <algorithm>

#include "core/base/reader.h"

namespace tallystick::test {

core::Bytes bytes(std::string_view text) { return {text.begin(), text.end()}; }

bool holds(core::ByteView whole, core::ByteView part) {
  return std::search(whole.begin(), whole.end(), part.begin(), part.end()) != whole.end();
}

core::Bytes ec_params(core::Curve curve) {
  if (curve == core::Curve::kP256) {
    return {0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
  }
  return {0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22};
}

core::Bytes ec_point(core::ByteView xy) {
  core::Writer out;
  out.u8(4).u8(static_cast<std::uint8_t>(xy.size() + 1)).u8(4).bytes(xy);
  return out.take();
}

core::Bytes public_xy(const Session& session, CK_OBJECT_HANDLE key) {
  const auto point = must(session.get(key, CKA_EC_POINT));
  if (point.size() < 3 || point[0] != 4 || point[2] != 4) throw std::runtime_error("CKA_EC_POINT");
  return {point.begin() + 3, point.end()};
}

Attributes secret_key(CK_KEY_TYPE type, core::ByteView value) {
  return Attributes()
      .number(CKA_CLASS, CKO_SECRET_KEY)
      .number(CKA_KEY_TYPE, type)
      .bytes(CKA_VALUE, value);
}

Attributes wraps() { return Attributes().flag(CKA_WRAP, true).flag(CKA_UNWRAP, true); }
Attributes extractable() { return Attributes().flag(CKA_EXTRACTABLE, true); }

Attributes aes_template(CK_ULONG length) {
  return Attributes()
      .number(CKA_CLASS, CKO_SECRET_KEY)
      .number(CKA_KEY_TYPE, CKK_AES)
      .number(CKA_VALUE_LEN, length);
}

Attributes ec_public_key(core::Curve curve, core::ByteView xy) {
  return Attributes()
      .number(CKA_CLASS, CKO_PUBLIC_KEY)
      .number(CKA_KEY_TYPE, CKK_EC)
      .bytes(CKA_EC_PARAMS, ec_params(curve))
      .bytes(CKA_EC_POINT, ec_point(xy));
}

Attributes ec_private_key(core::Curve curve, core::ByteView scalar) {
  return Attributes()
      .number(CKA_CLASS, CKO_PRIVATE_KEY)
      .number(CKA_KEY_TYPE, CKK_EC)
      .bytes(CKA_EC_PARAMS, ec_params(curve))
      .bytes(CKA_VALUE, scalar);
}

CK_OBJECT_HANDLE generate_aes(Session& session, const Attributes& more, CK_ULONG length) {
  return must(
      session.generate(CKM_AES_KEY_GEN, Attributes().number(CKA_VALUE_LEN, length).append(more)));
}

KeyPair generate_ec(Session& session, core::Curve curve, const Attributes& more_public,
                    const Attributes& more_private) {
  return must(session.generate_pair(
      CKM_EC_KEY_PAIR_GEN, Attributes().bytes(CKA_EC_PARAMS, ec_params(curve)).append(more_public),
      more_private));
}

CK_OBJECT_HANDLE data_object(Session& session, std::string_view label, bool on_token,
                             bool is_private) {
  return must(session.create(Attributes()
                                 .number(CKA_CLASS, CKO_DATA)
                                 .flag(CKA_TOKEN, on_token)
                                 .flag(CKA_PRIVATE, is_private)
                                 .text(CKA_LABEL, label)
                                 .text(CKA_VALUE, label)));
}

}  // namespace tallystick::test
