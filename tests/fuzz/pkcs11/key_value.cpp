// The numbers and encodings that keys and certificates are imported with: EC points and curves in
// DER, RSA numbers, raw scalars, X.509. What is accepted is used once.
//
// Input: u8 kind, then the values of its attributes, each a u8 and, where that is odd, bytes of the
// fuzzer's instead of the good ones.
#include <array>

#include "tests/fuzz/support/calls.h"
#include "tests/fuzz/support/home.h"
#include "tests/fuzz/support/token.h"
#include "tests/fuzz/support/world.h"

using namespace tallystick;

namespace {

using fuzz::Arguments;
using fuzz::Session;

struct Value {
  CK_ATTRIBUTE_TYPE type;
  core::Bytes good;
};
struct Kind {
  CK_OBJECT_CLASS object_class;
  CK_KEY_TYPE key_type;  // of a certificate: its type
  CK_ATTRIBUTE_TYPE use;
  CK_MECHANISM_TYPE mechanism;
  std::vector<Value> values;
};

core::Bytes octets(std::uint8_t size, core::ByteView bytes) {
  core::Bytes out = {0x04, size};
  out.insert(out.end(), bytes.begin(), bytes.end());
  return out;
}

// Eight numbers, each a u16 length and its bytes: n, e, d, p, q, d mod p−1, d mod q−1, 1/q mod p.
std::array<core::Bytes, 8> rsa_numbers() {
  const auto file = fuzz::seed("rsa.numbers");
  fuzz::Input in{core::ByteView(file)};
  std::array<core::Bytes, 8> out;
  for (auto& number : out) {
    const auto bytes = in.take(in.u16());
    number.assign(bytes.begin(), bytes.end());
  }
  return out;
}

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = [] {
    const auto& world = fuzz::world();
    const core::Bytes p256 = {0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
    const core::Bytes p384 = {0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22};
    const core::Bytes ed25519 = {0x06, 0x03, 0x2B, 0x65, 0x70};
    const core::Bytes x25519 = {0x06, 0x03, 0x2B, 0x65, 0x6E};
    const auto point = [](const core::EcPrivateKey& key) {
      core::Bytes raw = {0x04};
      raw.insert(raw.end(), key.public_xy().begin(), key.public_xy().end());
      return octets(static_cast<std::uint8_t>(raw.size()), raw);
    };
    const auto scalar = [](std::size_t size) { return core::Bytes(size, 0x13); };
    const auto rsa = rsa_numbers();
    return std::vector<Kind>{
        {CKO_PUBLIC_KEY,
         CKK_EC,
         CKA_VERIFY,
         CKM_ECDSA,
         {{CKA_EC_PARAMS, p256}, {CKA_EC_POINT, point(world.token)}}},
        {CKO_PUBLIC_KEY,
         CKK_EC,
         CKA_VERIFY,
         CKM_ECDSA_SHA384,
         {{CKA_EC_PARAMS, p384}, {CKA_EC_POINT, point(world.oem)}}},
        {CKO_PRIVATE_KEY,
         CKK_EC,
         CKA_SIGN,
         CKM_ECDSA,
         {{CKA_EC_PARAMS, p256}, {CKA_VALUE, scalar(32)}}},
        {CKO_PRIVATE_KEY,
         CKK_EC,
         CKA_DERIVE,
         CKM_ECDH1_DERIVE,
         {{CKA_EC_PARAMS, p256}, {CKA_VALUE, scalar(32)}}},
        {CKO_PUBLIC_KEY,
         CKK_EC_EDWARDS,
         CKA_VERIFY,
         CKM_EDDSA,
         {{CKA_EC_PARAMS, ed25519}, {CKA_EC_POINT, octets(32, scalar(32))}}},
        {CKO_PRIVATE_KEY,
         CKK_EC_EDWARDS,
         CKA_SIGN,
         CKM_EDDSA,
         {{CKA_EC_PARAMS, ed25519}, {CKA_VALUE, scalar(32)}}},
        {CKO_PRIVATE_KEY,
         CKK_EC_MONTGOMERY,
         CKA_DERIVE,
         CKM_ECDH1_DERIVE,
         {{CKA_EC_PARAMS, x25519}, {CKA_VALUE, scalar(32)}}},
        {CKO_PUBLIC_KEY,
         CKK_RSA,
         CKA_VERIFY,
         CKM_SHA256_RSA_PKCS,
         {{CKA_MODULUS, rsa[0]}, {CKA_PUBLIC_EXPONENT, rsa[1]}}},
        {CKO_PUBLIC_KEY,
         CKK_RSA,
         CKA_ENCRYPT,
         CKM_RSA_PKCS,
         {{CKA_MODULUS, rsa[0]}, {CKA_PUBLIC_EXPONENT, rsa[1]}}},
        {CKO_PRIVATE_KEY,
         CKK_RSA,
         CKA_SIGN,
         CKM_SHA256_RSA_PKCS,
         {{CKA_MODULUS, rsa[0]},
          {CKA_PUBLIC_EXPONENT, rsa[1]},
          {CKA_PRIVATE_EXPONENT, rsa[2]},
          {CKA_PRIME_1, rsa[3]},
          {CKA_PRIME_2, rsa[4]},
          {CKA_EXPONENT_1, rsa[5]},
          {CKA_EXPONENT_2, rsa[6]},
          {CKA_COEFFICIENT, rsa[7]}}},
        {CKO_CERTIFICATE,
         CKC_X_509,
         CK_UNAVAILABLE_INFORMATION,
         0,
         {{CKA_VALUE, world.certificate(core::DeviceKind::kPart, world.part.public_xy())},
          {CKA_SUBJECT, {}}}},
    };
  }();
  return all;
}

void use(Arguments& arguments, Session& session, const Kind& kind, CK_OBJECT_HANDLE key) {
  const auto& p11 = fuzz::token();
  CK_MECHANISM mechanism{kind.mechanism, nullptr, 0};
  core::Bytes text(32, 0x42);
  core::Bytes out(2048);
  CK_ULONG size = out.size();
  if (kind.use == CKA_VERIFY) {
    const auto signature = arguments.region();
    if (p11->C_VerifyInit(session.handle(), &mechanism, key) == CKR_OK) {
      fuzz::expect(p11->C_Verify(session.handle(), text.data(), text.size(), signature.data,
                                 signature.size) != CKR_OK,
                   "what was never signed does not verify");
    }
  } else if (kind.use == CKA_ENCRYPT) {
    fuzz::expect(p11->C_EncryptInit(session.handle(), &mechanism, key) == CKR_OK,
                 "a public key that came in encrypts");
    (void)p11->C_Encrypt(session.handle(), text.data(), text.size(), out.data(), &size);
  } else if (kind.use == CKA_SIGN) {
    fuzz::expect(
        p11->C_SignInit(session.handle(), &mechanism, key) == CKR_OK &&
            p11->C_Sign(session.handle(), text.data(), text.size(), out.data(), &size) == CKR_OK,
        "a private key that came in signs");
  } else if (kind.use == CKA_DERIVE) {
    const auto peer = arguments.region();
    CK_ECDH1_DERIVE_PARAMS params{CKD_NULL, 0, nullptr, peer.size, peer.data};
    mechanism.pParameter = &params;
    mechanism.ulParameterLen = sizeof params;
    CK_OBJECT_CLASS object_class = CKO_SECRET_KEY;
    CK_KEY_TYPE key_type = CKK_GENERIC_SECRET;
    std::array<CK_ATTRIBUTE, 2> wanted = {{{CKA_CLASS, &object_class, sizeof object_class},
                                           {CKA_KEY_TYPE, &key_type, sizeof key_type}}};
    CK_OBJECT_HANDLE made = 0;
    if (p11->C_DeriveKey(session.handle(), &mechanism, key, wanted.data(), wanted.size(), &made) ==
        CKR_OK) {
      session.made(made);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto& p11 = fuzz::token();
  fuzz::Input in(data, size);
  Arguments arguments(in);
  Session session;
  const auto& kind = kinds()[in.u8() % kinds().size()];
  auto object_class = kind.object_class;
  auto key_type = kind.key_type;
  CK_BBOOL yes = CK_TRUE;
  std::vector<CK_ATTRIBUTE> wanted = {{CKA_CLASS, &object_class, sizeof object_class}};
  wanted.push_back({object_class == CKO_CERTIFICATE ? CKA_CERTIFICATE_TYPE : CKA_KEY_TYPE,
                    &key_type, sizeof key_type});
  if (object_class != CKO_CERTIFICATE) wanted.push_back({kind.use, &yes, sizeof yes});
  for (const auto& value : kind.values) {
    const auto region =
        in.flag() ? arguments.region() : fuzz::copied(arguments, core::ByteView(value.good));
    wanted.push_back({value.type, region.data, region.size});
  }
  CK_OBJECT_HANDLE object = 0;
  if (p11->C_CreateObject(session.handle(), wanted.data(), wanted.size(), &object) != CKR_OK) {
    return 0;
  }
  session.made(object);
  use(arguments, session, kind, object);
  return 0;
}
