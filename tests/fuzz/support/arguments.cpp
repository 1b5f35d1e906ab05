#include "tests/fuzz/support/arguments.h"

#include <array>

#include "tests/fuzz/support/argument_lists.h"
#include "tests/fuzz/support/token.h"
#include "tests/fuzz/support/world.h"

namespace tallystick::fuzz {
namespace {

// Good values that no fuzzer finds by itself: names of curves, points, a key in DER.
std::span<const core::Bytes> good_values() {
  static const std::vector<core::Bytes> values = [] {
    std::vector<core::Bytes> out = {
        {0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07},  // P-256
        {0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22},                    // P-384
        {0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x23},                    // P-521
        {0x06, 0x03, 0x2B, 0x65, 0x70},                                // Ed25519
        {0x06, 0x03, 0x2B, 0x65, 0x71},                                // Ed448
        {0x06, 0x03, 0x2B, 0x65, 0x6E},                                // X25519
        {0x06, 0x03, 0x2B, 0x65, 0x6F},                                // X448
    };
    core::Bytes point = {0x04, 0x41, 0x04};
    const auto xy = world().token.public_xy();
    point.insert(point.end(), xy.begin(), xy.end());
    out.push_back(point);
    out.push_back(core::Bytes(32, 0x55));  // a scalar, an AES key, a seed
    out.push_back({1, 0, 1});
    out.push_back(core::Bytes(16, 0x66));
    out.push_back(world().certificate(core::DeviceKind::kPart, world().part.public_xy()));
    out.push_back(core::Bytes(256, 0xC3));  // as long as a modulus of 2048 bits, and odd
    return out;
  }();
  return values;
}

// Nobody waits for an RSA key of a fuzzer's size to be made: what would be accepted is made too
// small.
CK_ULONG quick_bits(CK_ULONG bits) { return bits >= 1024 && bits <= 65536 ? 1023 : bits; }

bool is_template(CK_ATTRIBUTE_TYPE type) {
  return type == CKA_WRAP_TEMPLATE || type == CKA_UNWRAP_TEMPLATE || type == CKA_DERIVE_TEMPLATE;
}

}  // namespace

Region Arguments::region() {
  const auto form = in().u8();
  if (form == 0xFF) return {nullptr, 0};
  if (form == 0xFE) return {nullptr, in().number()};
  if (form == 0xFD) {  // many bytes that nobody has to bring
    const CK_ULONG size = in().u16();
    return {memory_.room(size), size};
  }
  const auto bytes = in().take(form < 0xF0 ? form : (form - 0xEFU) * 64U);
  return {memory_.copy(bytes), bytes.size()};
}

CK_OBJECT_HANDLE Arguments::key() {
  const auto number = in().u8();
  const auto& keys = token().keys();
  return number < 0xF8 ? keys[number % keys.size()] : in().number();
}

CK_MECHANISM_TYPE Arguments::hash() {
  const auto number = in().u8();
  return number < 0xF8 ? kHashes[number % kHashes.size()] : in().number();
}

// ---- Templates ----

// The forms a value comes in. Which one is right for a type is the engine's to say.
CK_ATTRIBUTE Arguments::attribute(unsigned depth) {
  const auto which = in().u8();
  CK_ATTRIBUTE out{};
  out.type = which < 0xFF ? kAttributes[which % kAttributes.size()] : in().u32();
  const auto is = [&out](const Region& region) {
    out.pValue = region.data;
    out.ulValueLen = region.size;
  };
  auto form = in().u8();
  // Bytes in the place of a template would be pointers to anywhere, which no caller may give.
  if (is_template(out.type) && form % 12U != 5) form = 11;
  switch (form % 12U) {
    case 0:
    case 1:
      is(block(static_cast<CK_BBOOL>(form % 12U)));
      break;
    case 2: {
      auto number = CK_ULONG{in().number()};
      if (out.type == CKA_MODULUS_BITS) number = quick_bits(number);
      is(block(number));
      break;
    }
    case 3:
      is(region());
      break;
    case 4: {
      std::vector<CK_MECHANISM_TYPE> list(in().u8() % 72U);
      for (auto& type : list) type = kMechanisms[in().u8() % kMechanisms.size()];
      is({reinterpret_cast<CK_BYTE*>(memory_.array(list)),
          list.size() * sizeof(CK_MECHANISM_TYPE)});
      break;
    }
    case 5: {
      if (depth >= 3) break;
      const auto nested = attributes(depth + 1);
      out.pValue = nested.attributes;
      out.ulValueLen = nested.count * sizeof(CK_ATTRIBUTE);
      // A length between two attributes, with memory for what is stated.
      if (form >= 240 && nested.attributes != nullptr) {
        out.ulValueLen -= std::min<CK_ULONG>(out.ulValueLen, in().u8() % sizeof(CK_ATTRIBUTE));
      }
      break;
    }
    case 6:
      is(block(in().pick(kClasses)));
      break;
    case 7:
      is(block(in().pick(kKeyTypes)));
      break;
    case 8: {  // a date
      const auto* const digits = "2024022920250230000000009999123119991301";
      const auto at = in().u8() % 5U * 8U;
      is({memory_.copy(core::bytes_of({digits + at, 8})), 8});
      break;
    }
    case 9: {
      const auto& value = in().pick(good_values());
      is({memory_.copy(value), value.size()});
      break;
    }
    case 10:
      is(block(in().u8()));
      break;
    default:
      out.ulValueLen = in().number();  // a null pointer with a length, often 0
      break;
  }
  return out;
}

Template Arguments::attributes(unsigned depth) {
  const auto count = in().u8();
  if (count == 0xFF) return {nullptr, in().number()};
  std::vector<CK_ATTRIBUTE> list;
  for (unsigned i = 0; i < count && !in().empty() && i < 80; ++i) list.push_back(attribute(depth));
  return {memory_.array(list), list.size()};
}

// ---- Mechanisms ----

enum class Arguments::Shape : std::uint8_t {
  kNone,
  kBytes,
  kNumber,
  kGcm,
  kCcm,
  kCtr,
  kOaep,
  kPss,
  kEcdh,
  kEddsa,
  kHkdf,
  kCounterKdf,
  kPbkdf2,
  kSignContext,
  kHashSignContext,
  kGcmMessage,
  kCcmMessage,
};
constexpr unsigned kShapes = 17;

Arguments::Shape Arguments::shape_of(CK_MECHANISM_TYPE type) {
  switch (type) {
    case CKM_AES_GCM:
      return Shape::kGcm;
    case CKM_AES_CCM:
      return Shape::kCcm;
    case CKM_AES_CTR:
      return Shape::kCtr;
    case CKM_AES_CBC:
    case CKM_AES_CBC_PAD:
    case CKM_AES_KEY_WRAP:
    case CKM_AES_KEY_WRAP_KWP:
      return Shape::kBytes;
    case CKM_RSA_PKCS_OAEP:
      return Shape::kOaep;
    case CKM_RSA_PKCS_PSS:
    case CKM_SHA1_RSA_PKCS_PSS:
    case CKM_SHA224_RSA_PKCS_PSS:
    case CKM_SHA256_RSA_PKCS_PSS:
    case CKM_SHA384_RSA_PKCS_PSS:
    case CKM_SHA512_RSA_PKCS_PSS:
    case CKM_SHA3_224_RSA_PKCS_PSS:
    case CKM_SHA3_256_RSA_PKCS_PSS:
    case CKM_SHA3_384_RSA_PKCS_PSS:
    case CKM_SHA3_512_RSA_PKCS_PSS:
      return Shape::kPss;
    case CKM_ECDH1_DERIVE:
    case CKM_ECDH1_COFACTOR_DERIVE:
      return Shape::kEcdh;
    case CKM_EDDSA:
      return Shape::kEddsa;
    case CKM_HKDF_DERIVE:
    case CKM_HKDF_DATA:
      return Shape::kHkdf;
    case CKM_SP800_108_COUNTER_KDF:
      return Shape::kCounterKdf;
    case CKM_PKCS5_PBKD2:
      return Shape::kPbkdf2;
    case CKM_HASH_ML_DSA:
      return Shape::kHashSignContext;
    case CKM_AES_CMAC_GENERAL:
    case CKM_SHA_1_HMAC_GENERAL:
    case CKM_SHA224_HMAC_GENERAL:
    case CKM_SHA256_HMAC_GENERAL:
    case CKM_SHA384_HMAC_GENERAL:
    case CKM_SHA512_HMAC_GENERAL:
    case CKM_SHA512_224_HMAC_GENERAL:
    case CKM_SHA512_256_HMAC_GENERAL:
    case CKM_SHA3_224_HMAC_GENERAL:
    case CKM_SHA3_256_HMAC_GENERAL:
    case CKM_SHA3_384_HMAC_GENERAL:
    case CKM_SHA3_512_HMAC_GENERAL:
      return Shape::kNumber;
    default:
      break;
  }
  if (type == CKM_ML_DSA || type == CKM_SLH_DSA ||
      (type >= CKM_HASH_ML_DSA_SHA224 && type <= CKM_HASH_ML_DSA_SHA3_512)) {
    return Shape::kSignContext;
  }
  return type >= TS_VENDOR(0) ? Shape::kBytes : Shape::kNone;
}

Region Arguments::parameter(Shape shape) {
  switch (shape) {
    case Shape::kNone:
      return {};
    case Shape::kBytes:
      return region();
    case Shape::kNumber:
      return block(CK_ULONG{in().number()});
    case Shape::kGcm:
      return gcm();
    case Shape::kCcm:
      return ccm();
    case Shape::kCtr:
      return ctr();
    case Shape::kOaep:
      return oaep();
    case Shape::kPss:
      return pss();
    case Shape::kEcdh:
      return ecdh();
    case Shape::kEddsa:
      return eddsa();
    case Shape::kHkdf:
      return hkdf();
    case Shape::kCounterKdf:
      return counter_kdf();
    case Shape::kPbkdf2:
      return pbkdf2();
    case Shape::kSignContext:
      return sign_context();
    case Shape::kHashSignContext:
      return hash_sign_context();
    case Shape::kGcmMessage:
      return gcm_message();
    case Shape::kCcmMessage:
      return ccm_message();
  }
  return {};
}

// A structure of another kind; the right one when both are as long, because then its counts and
// pointers would be taken for the right one's, which no caller may give.
Region Arguments::misfit(Shape shape, Shape right) {
  const auto other = parameter(shape);
  const auto whole = parameter(right);
  return other.size == whole.size ? whole : other;
}

CK_MECHANISM* Arguments::mechanism() {
  const auto which = in().u8();
  return mechanism(which < 0xFF ? kMechanisms[which % kMechanisms.size()] : in().u32());
}

CK_MECHANISM* Arguments::mechanism(CK_MECHANISM_TYPE type) {
  const auto form = in().u8();
  Region region;
  if (form < 0xC0) {
    region = parameter(shape_of(type));
  } else if (form < 0xF0) {
    region = misfit(static_cast<Shape>(form % kShapes), shape_of(type));
  } else {
    // The right structure, cut off or with more behind it.
    const auto whole = parameter(shape_of(type));
    const CK_ULONG size = in().u8();
    region = {memory_.room(size), size};
    if (whole.data != nullptr && size != 0) {
      std::memcpy(region.data, whole.data, std::min(size, whole.size));
    }
  }
  return memory_.structure(CK_MECHANISM{type, region.data, region.size});
}

Region Arguments::message_parameter(CK_MECHANISM_TYPE type) {
  const auto form = in().u8();
  auto right = shape_of(type);
  if (type == CKM_AES_GCM) right = Shape::kGcmMessage;
  if (type == CKM_AES_CCM) right = Shape::kCcmMessage;
  if (form >= 0xE0) return misfit(static_cast<Shape>(form % kShapes), right);
  return parameter(right);
}

// ---- The structures, member by member ----

Region Arguments::gcm() {
  const auto iv = region();
  const auto aad = region();
  CK_GCM_PARAMS params{};
  params.pIv = iv.data;
  params.ulIvLen = iv.size;
  params.ulIvBits = in().number();
  params.pAAD = aad.data;
  params.ulAADLen = aad.size;
  params.ulTagBits = in().number();
  return block(params);
}

Region Arguments::ccm() {
  const auto nonce = region();
  const auto aad = region();
  CK_CCM_PARAMS params{};
  params.ulDataLen = in().number();
  params.pNonce = nonce.data;
  params.ulNonceLen = nonce.size;
  params.pAAD = aad.data;
  params.ulAADLen = aad.size;
  params.ulMACLen = in().number();
  return block(params);
}

// The tag's length stands in bits; the room for it is what is stated, when that is not absurd.
Region Arguments::gcm_message() {
  const auto iv = region();
  CK_GCM_MESSAGE_PARAMS params{};
  params.pIv = iv.data;
  params.ulIvLen = iv.size;
  params.ulIvFixedBits = in().number();
  params.ivGenerator = in().number();
  params.ulTagBits = in().number();
  const auto tag_size = params.ulTagBits / 8 + (params.ulTagBits % 8 != 0 ? 1 : 0);
  if (!in().flag() && tag_size <= 4096) {
    params.pTag = memory_.room(tag_size);
    const auto tag = in().take(tag_size);
    if (!tag.empty()) std::memcpy(params.pTag, tag.data(), tag.size());
  }
  return block(params);
}

Region Arguments::ccm_message() {
  const auto nonce = region();
  CK_CCM_MESSAGE_PARAMS params{};
  params.ulDataLen = in().number();
  params.pNonce = nonce.data;
  params.ulNonceLen = nonce.size;
  params.ulNonceFixedBits = in().number();
  params.nonceGenerator = in().number();
  params.ulMACLen = in().number();
  if (!in().flag() && params.ulMACLen <= 4096) {
    params.pMAC = memory_.room(params.ulMACLen);
    const auto tag = in().take(params.ulMACLen);
    if (!tag.empty()) std::memcpy(params.pMAC, tag.data(), tag.size());
  }
  return block(params);
}

Region Arguments::ctr() {
  CK_AES_CTR_PARAMS params{};
  params.ulCounterBits = in().number();
  const auto counter = in().take(sizeof params.cb);
  if (!counter.empty()) std::memcpy(params.cb, counter.data(), counter.size());
  return block(params);
}

Region Arguments::oaep() {
  CK_RSA_PKCS_OAEP_PARAMS params{};
  params.hashAlg = hash();
  params.mgf = in().number();
  params.source = in().number();
  const auto label = region();
  params.pSourceData = label.data;
  params.ulSourceDataLen = label.size;
  return block(params);
}

Region Arguments::pss() {
  CK_RSA_PKCS_PSS_PARAMS params{};
  params.hashAlg = hash();
  params.mgf = in().number();
  params.sLen = in().number();
  return block(params);
}

Region Arguments::ecdh() {
  CK_ECDH1_DERIVE_PARAMS params{};
  params.kdf = in().number();
  const auto shared = region();
  params.pSharedData = shared.data;
  params.ulSharedDataLen = shared.size;
  const auto peer = region();
  params.pPublicData = peer.data;
  params.ulPublicDataLen = peer.size;
  return block(params);
}

Region Arguments::eddsa() {
  CK_EDDSA_PARAMS params{};
  params.phFlag = in().u8();
  const auto context = region();
  params.pContextData = context.data;
  params.ulContextDataLen = context.size;
  return block(params);
}

Region Arguments::hkdf() {
  CK_HKDF_PARAMS params{};
  params.bExtract = in().u8();
  params.bExpand = in().u8();
  params.prfHashMechanism = hash();
  params.ulSaltType = in().number();
  const auto salt = region();
  params.pSalt = salt.data;
  params.ulSaltLen = salt.size;
  params.hSaltKey = key();
  const auto info = region();
  params.pInfo = info.data;
  params.ulInfoLen = info.size;
  return block(params);
}

Region Arguments::counter_kdf() {
  std::vector<CK_PRF_DATA_PARAM> fields(in().u8() % 40U);
  CK_SP800_108_KDF_PARAMS params{};
  params.prfType = hash();
  for (auto& field : fields) {
    field.type = in().number();
    Region value;
    switch (in().u8() % 3U) {
      case 0: {
        CK_SP800_108_COUNTER_FORMAT format{};
        format.bLittleEndian = in().u8();
        format.ulWidthInBits = in().number();
        value = block(format);
        break;
      }
      case 1: {
        CK_SP800_108_DKM_LENGTH_FORMAT format{};
        format.dkmLengthMethod = in().number();
        format.bLittleEndian = in().u8();
        format.ulWidthInBits = in().number();
        value = block(format);
        break;
      }
      default:
        value = region();
    }
    field.pValue = value.data;
    field.ulValueLen = value.size;
  }
  std::vector<CK_DERIVED_KEY> keys(in().u8() % 24U);
  for (auto& key : keys) {
    const auto wanted = attributes(2);
    key.pTemplate = wanted.attributes;
    key.ulAttributeCount = wanted.count;
    if (in().u8() < 0xF0) {
      key.phKey = memory_.structure(CK_OBJECT_HANDLE{0});
      handles_.push_back(key.phKey);
    }
  }
  params.ulNumberOfDataParams = fields.size();
  params.pDataParams = memory_.array(fields);
  params.ulAdditionalDerivedKeys = keys.size();
  params.pAdditionalDerivedKeys = memory_.array(keys);
  return block(params);
}

Region Arguments::pbkdf2() {
  CK_PKCS5_PBKD2_PARAMS2 params{};
  params.saltSource = in().number();
  const auto salt = region();
  params.pSaltSourceData = salt.data;
  params.ulSaltSourceDataLen = salt.size;
  params.iterations = in().number();
  // A number that would be accepted and take long is none of a fuzzer's business.
  if (params.iterations > 255 && params.iterations <= 10'000'000) params.iterations = 255;
  params.prf = in().number();
  const auto data = region();
  params.pPrfData = data.data;
  params.ulPrfDataLen = data.size;
  const auto password = region();
  params.pPassword = password.data;
  params.ulPasswordLen = password.size;
  return block(params);
}

Region Arguments::sign_context() {
  CK_SIGN_ADDITIONAL_CONTEXT params{};
  params.hedgeVariant = in().number();
  const auto context = region();
  params.pContext = context.data;
  params.ulContextLen = context.size;
  return block(params);
}

Region Arguments::hash_sign_context() {
  CK_HASH_SIGN_ADDITIONAL_CONTEXT params{};
  params.hedgeVariant = in().number();
  const auto context = region();
  params.pContext = context.data;
  params.ulContextLen = context.size;
  params.hash = hash();
  return block(params);
}

}  // namespace tallystick::fuzz
