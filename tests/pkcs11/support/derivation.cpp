#include "tests/pkcs11/support/derivation.h"

#include "tests/pkcs11/support/keys.h"

namespace tallystick::test {

Hkdf::Hkdf(CK_MECHANISM_TYPE hash, core::Bytes info, CK_MECHANISM_TYPE type)
    : Mechanism(type), info_(std::move(info)) {
  params_.bExtract = CK_TRUE;
  params_.bExpand = CK_TRUE;
  params_.prfHashMechanism = hash;
  params_.ulSaltType = CKF_HKDF_SALT_NULL;
  params_.pInfo = info_.empty() ? nullptr : info_.data();
  params_.ulInfoLen = info_.size();
  point(&params_, sizeof params_);
}

Hkdf& Hkdf::steps(bool extract, bool expand) {
  params_.bExtract = extract ? CK_TRUE : CK_FALSE;
  params_.bExpand = expand ? CK_TRUE : CK_FALSE;
  return *this;
}

Hkdf& Hkdf::salt(core::Bytes salt) {
  salt_ = std::move(salt);
  params_.ulSaltType = CKF_HKDF_SALT_DATA;
  params_.pSalt = salt_.empty() ? nullptr : salt_.data();
  params_.ulSaltLen = salt_.size();
  return *this;
}

Hkdf& Hkdf::salt_key(CK_OBJECT_HANDLE key) {
  params_.ulSaltType = CKF_HKDF_SALT_KEY;
  params_.hSaltKey = key;
  return *this;
}

CK_OBJECT_HANDLE base_key(Session& session, core::ByteView value, CK_KEY_TYPE type) {
  return must(session.create(secret_key(type, value).flag(CKA_DERIVE, true)));
}

}  // namespace tallystick::test
