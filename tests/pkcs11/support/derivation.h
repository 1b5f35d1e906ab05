// Parameters of the mechanisms that derive keys from secret keys and from passwords.
#pragma once

#include <deque>

#include "tests/pkcs11/support/bench.h"

namespace tallystick::test {

// A token whose settings offer CKM_PKCS5_PBKD2.
class PasswordToken : public TestToken {
 public:
  PasswordToken() {
    home().configure("[mechanisms]\npkcs5_pbkd2 = true\n");
    restart_and_login();
  }
};

class Hkdf : public Mechanism {
 public:
  // Both steps, without a salt.
  explicit Hkdf(CK_MECHANISM_TYPE hash, core::Bytes info = {},
                CK_MECHANISM_TYPE type = CKM_HKDF_DERIVE);
  Hkdf(const Hkdf&) = delete;
  Hkdf& operator=(const Hkdf&) = delete;
  Hkdf& steps(bool extract, bool expand);
  Hkdf& salt(core::Bytes salt);
  Hkdf& salt_key(CK_OBJECT_HANDLE key);
  CK_HKDF_PARAMS& params() { return params_; }

 private:
  core::Bytes salt_;
  core::Bytes info_;
  CK_HKDF_PARAMS params_{};
};

// The counter mode of SP 800-108: fields in the order in which they are added.
class CounterKdf : public Mechanism {
 public:
  explicit CounterKdf(CK_SP800_108_PRF_TYPE prf);
  CounterKdf(const CounterKdf&) = delete;
  CounterKdf& operator=(const CounterKdf&) = delete;
  CounterKdf& counter(CK_ULONG bits = 32, bool little_endian = false);
  CounterKdf& length(CK_ULONG bits = 32, bool little_endian = false,
                     CK_SP800_108_DKM_LENGTH_METHOD method = CK_SP800_108_DKM_LENGTH_SUM_OF_KEYS);
  CounterKdf& bytes(core::Bytes bytes);
  CounterKdf& field(CK_PRF_DATA_TYPE type, void* value, CK_ULONG size);
  // One more key; its handle comes to handles().
  CounterKdf& key(Attributes wanted);
  [[nodiscard]] const std::deque<CK_OBJECT_HANDLE>& handles() const { return handles_; }
  CK_SP800_108_KDF_PARAMS& params() { return params_; }
  CK_PRF_DATA_PARAM& last_field() { return fields_.back(); }
  CK_DERIVED_KEY& last_key() { return keys_.back(); }

 private:
  std::deque<CK_SP800_108_COUNTER_FORMAT> counters_;
  std::deque<CK_SP800_108_DKM_LENGTH_FORMAT> lengths_;
  std::deque<core::Bytes> bytes_;
  std::deque<Attributes> templates_;
  std::deque<CK_OBJECT_HANDLE> handles_;
  std::vector<CK_PRF_DATA_PARAM> fields_;
  std::vector<CK_DERIVED_KEY> keys_;
  CK_SP800_108_KDF_PARAMS params_{};
};

class Pbkdf2 : public Mechanism {
 public:
  Pbkdf2(CK_PKCS5_PBKD2_PSEUDO_RANDOM_FUNCTION_TYPE prf, core::Bytes password, core::Bytes salt,
         CK_ULONG iterations);
  Pbkdf2(const Pbkdf2&) = delete;
  Pbkdf2& operator=(const Pbkdf2&) = delete;
  CK_PKCS5_PBKD2_PARAMS2& params() { return params_; }

 private:
  core::Bytes password_;
  core::Bytes salt_;
  CK_PKCS5_PBKD2_PARAMS2 params_{};
};

// A generic secret from which keys are derived and that may not be read.
CK_OBJECT_HANDLE base_key(Session& session, core::ByteView value,
                          CK_KEY_TYPE type = CKK_GENERIC_SECRET);

}  // namespace tallystick::test
