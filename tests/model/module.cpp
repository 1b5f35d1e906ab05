#include "tests/model/module.h"

#include <dlfcn.h>

#include <stdexcept>

namespace tallystick::model {

Module::Module(const std::string& path) : library_(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
  if (library_ == nullptr) throw std::runtime_error(dlerror());
  const auto get = reinterpret_cast<CK_C_GetFunctionList>(dlsym(library_, "C_GetFunctionList"));
  if (get == nullptr || get(&functions_) != CKR_OK) throw std::runtime_error("not a module");
}

Module::~Module() { (void)dlclose(library_); }

PackedTemplate::PackedTemplate(const Template& attributes) {
  for (const auto& one : attributes) packed_.push_back(pack(one));
}

CK_ATTRIBUTE PackedTemplate::pack(const Attribute& one) {
  if (one.no_pointer) return {one.type, nullptr, 8};
  if (!one.inner.empty()) {
    std::vector<CK_ATTRIBUTE> all;
    for (const auto& inner : one.inner) all.push_back(pack(inner));
    auto& kept = inner_.emplace_back(std::move(all));
    return {one.type, kept.data(), kept.size() * sizeof(CK_ATTRIBUTE)};
  }
  auto& kept = values_.emplace_back(one.value);
  return {one.type, kept.data(), kept.size()};
}

const Bytes& peer_point() {
  static const Bytes kPoint = {0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc,
                               0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d,
                               0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96,
                               0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb,
                               0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31,
                               0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5};
  return kPoint;
}

const Bytes& p256() {
  static const Bytes kOid = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
  return kOid;
}

Bytes octet_string(const Bytes& content) {
  Bytes out = {0x04, static_cast<std::uint8_t>(content.size())};
  out.insert(out.end(), content.begin(), content.end());
  return out;
}

PackedMechanism::PackedMechanism(const Call& call) {
  mechanism_.mechanism = call.mechanism;
  const auto points_to = [this](auto& parameter) {
    mechanism_.pParameter = &parameter;
    mechanism_.ulParameterLen = sizeof parameter;
  };
  const auto is = [this](const Bytes& bytes) {
    bytes_ = bytes;
    mechanism_.pParameter = bytes_.data();
    mechanism_.ulParameterLen = bytes_.size();
  };
  if (call.shape == Shape::kBadParameter) {
    is({1, 2, 3});
    return;
  }
  switch (call.mechanism) {
    case CKM_AES_GCM:
      bytes_.assign(12, 0x11);
      gcm_.pIv = bytes_.data();
      gcm_.ulIvLen = bytes_.size();
      gcm_.ulIvBits = bytes_.size() * 8;
      gcm_.ulTagBits = 128;
      points_to(gcm_);
      break;
    case CKM_AES_CBC_PAD:
      is(Bytes(16, 0x22));
      break;
    case CKM_RSA_PKCS_OAEP:
      oaep_.hashAlg = CKM_SHA_1;
      oaep_.mgf = CKG_MGF1_SHA1;
      oaep_.source = CKZ_DATA_SPECIFIED;
      points_to(oaep_);
      break;
    case CKM_ECDH1_DERIVE:
      point_ = peer_point();
      ecdh_.kdf = CKD_NULL;
      ecdh_.pPublicData = point_.data();
      ecdh_.ulPublicDataLen = point_.size();
      points_to(ecdh_);
      break;
    case CKM_HKDF_DERIVE:
      hkdf_.bExtract = CK_TRUE;
      hkdf_.bExpand = CK_TRUE;
      hkdf_.prfHashMechanism = CKM_SHA256;
      hkdf_.ulSaltType = CKF_HKDF_SALT_NULL;
      points_to(hkdf_);
      break;
    case CKM_TS_OEM_SHARE_GEN:
    case CKM_TS_ASSET_KEY_DERIVE:
    case CKM_TS_ASSET_GENERATE:
      is(call.bytes);
      break;
    case CKM_TS_OEM_SHARE_WRAP:
      if (call.op == Op::kWrap) is({1});
      break;
    default:
      break;
  }
}

}  // namespace tallystick::model
