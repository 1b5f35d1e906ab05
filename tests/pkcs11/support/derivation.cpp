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

CounterKdf::CounterKdf(CK_SP800_108_PRF_TYPE prf) : Mechanism(CKM_SP800_108_COUNTER_KDF) {
  params_.prfType = prf;
  point(&params_, sizeof params_);
}

CounterKdf& CounterKdf::counter(CK_ULONG bits, bool little_endian) {
  auto& format = counters_.emplace_back();
  format.bLittleEndian = little_endian ? CK_TRUE : CK_FALSE;
  format.ulWidthInBits = bits;
  return field(CK_SP800_108_ITERATION_VARIABLE, &format, sizeof format);
}

CounterKdf& CounterKdf::length(CK_ULONG bits, bool little_endian,
                               CK_SP800_108_DKM_LENGTH_METHOD method) {
  auto& format = lengths_.emplace_back();
  format.dkmLengthMethod = method;
  format.bLittleEndian = little_endian ? CK_TRUE : CK_FALSE;
  format.ulWidthInBits = bits;
  return field(CK_SP800_108_DKM_LENGTH, &format, sizeof format);
}

CounterKdf& CounterKdf::bytes(core::Bytes bytes) {
  auto& kept = bytes_.emplace_back(std::move(bytes));
  return field(CK_SP800_108_BYTE_ARRAY, kept.data(), kept.size());
}

CounterKdf& CounterKdf::field(CK_PRF_DATA_TYPE type, void* value, CK_ULONG size) {
  fields_.push_back({type, value, size});
  params_.pDataParams = fields_.data();
  params_.ulNumberOfDataParams = fields_.size();
  return *this;
}

CounterKdf& CounterKdf::key(Attributes wanted) {
  auto& kept = templates_.emplace_back(std::move(wanted));
  keys_.push_back({kept.data(), kept.size(), &handles_.emplace_back(~0UL)});
  params_.pAdditionalDerivedKeys = keys_.data();
  params_.ulAdditionalDerivedKeys = keys_.size();
  return *this;
}

Pbkdf2::Pbkdf2(CK_PKCS5_PBKD2_PSEUDO_RANDOM_FUNCTION_TYPE prf, core::Bytes password,
               core::Bytes salt, CK_ULONG iterations)
    : Mechanism(CKM_PKCS5_PBKD2), password_(std::move(password)), salt_(std::move(salt)) {
  params_.saltSource = CKZ_SALT_SPECIFIED;
  params_.pSaltSourceData = salt_.data();
  params_.ulSaltSourceDataLen = salt_.size();
  params_.iterations = iterations;
  params_.prf = prf;
  params_.pPassword = password_.data();
  params_.ulPasswordLen = password_.size();
  point(&params_, sizeof params_);
}

CK_OBJECT_HANDLE base_key(Session& session, core::ByteView value, CK_KEY_TYPE type) {
  return must(session.create(secret_key(type, value).flag(CKA_DERIVE, true)));
}

}  // namespace tallystick::test
