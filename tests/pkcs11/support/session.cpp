#include "tests/pkcs11/support/session.h"

#include <algorithm>
#include <cstring>
#include <functional>

namespace tallystick::test {
namespace {

// Asks for the length, then for the bytes.
template <typename Call>
Answer<core::Bytes> two_step(const Call& call) {
  CK_ULONG size = 0;
  if (const auto rv = call(nullptr, &size); rv != CKR_OK) return {rv, {}};
  core::Bytes out(size);
  const auto rv = call(pointer(out), &size);
  out.resize(rv == CKR_OK ? size : 0);
  return {rv, out};
}

template <typename Piece>
CK_RV for_each_piece(core::Bytes& data, std::size_t step, const Piece& piece) {
  for (std::size_t at = 0; at < data.size(); at += step) {
    const auto rv = piece(data.data() + at, std::min(step, data.size() - at));
    if (rv != CKR_OK) return rv;
  }
  return CKR_OK;
}

using Update = std::function<CK_RV(CK_BYTE*, CK_ULONG, CK_BYTE*, CK_ULONG*)>;
using Final = std::function<CK_RV(CK_BYTE*, CK_ULONG*)>;

// More than any cipher of the token holds back: two sealed chunks and a prefix.
constexpr std::size_t kHeldBack = 40000;

Answer<core::Bytes> cipher_parts(core::Bytes& data, std::size_t step, const Update& update,
                                 const Final& finish) {
  core::Bytes out;
  core::Bytes room(step + kHeldBack);
  auto rv = for_each_piece(data, step, [&](CK_BYTE* piece, std::size_t size) {
    CK_ULONG written = room.size();
    const auto result = update(piece, size, room.data(), &written);
    if (result == CKR_OK) {
      out.insert(out.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(written));
    }
    return result;
  });
  if (rv != CKR_OK) return {rv, out};
  CK_ULONG written = room.size();
  rv = finish(room.data(), &written);
  if (rv == CKR_OK) {
    out.insert(out.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(written));
  }
  return {rv, out};
}

}  // namespace

CK_BYTE* pointer(core::Bytes& bytes) {
  static CK_BYTE nothing = 0;
  return bytes.empty() ? &nothing : bytes.data();
}

Session::Session(CK_FUNCTION_LIST* functions, CK_SLOT_ID slot, CK_FLAGS flags)
    : functions_(functions) {
  must(functions_->C_OpenSession(slot, flags, nullptr, nullptr, &handle_));
}

Session::~Session() { (void)functions_->C_CloseSession(handle_); }

CK_RV Session::login(CK_USER_TYPE user, const std::string& pin) {
  auto copy = pin;
  return functions_->C_Login(handle_, user, text_pointer(copy), copy.size());
}

CK_RV Session::logout() { return functions_->C_Logout(handle_); }

CK_RV Session::init_pin(const std::string& pin) {
  auto copy = pin;
  return functions_->C_InitPIN(handle_, text_pointer(copy), copy.size());
}

CK_RV Session::set_pin(const std::string& old_pin, const std::string& new_pin) {
  auto before = old_pin;
  auto after = new_pin;
  return functions_->C_SetPIN(handle_, text_pointer(before), before.size(), text_pointer(after),
                              after.size());
}

CK_STATE Session::state() const {
  CK_SESSION_INFO info{};
  must(functions_->C_GetSessionInfo(handle_, &info));
  return info.state;
}

Answer<CK_OBJECT_HANDLE> Session::create(Attributes attributes) {
  CK_OBJECT_HANDLE object = 0;
  const auto rv =
      functions_->C_CreateObject(handle_, attributes.data(), attributes.size(), &object);
  return {rv, object};
}

Answer<CK_OBJECT_HANDLE> Session::copy(CK_OBJECT_HANDLE object, Attributes attributes) {
  CK_OBJECT_HANDLE made = 0;
  const auto rv =
      functions_->C_CopyObject(handle_, object, attributes.data(), attributes.size(), &made);
  return {rv, made};
}

CK_RV Session::destroy(CK_OBJECT_HANDLE object) {
  return functions_->C_DestroyObject(handle_, object);
}

CK_RV Session::set(CK_OBJECT_HANDLE object, Attributes attributes) {
  return functions_->C_SetAttributeValue(handle_, object, attributes.data(), attributes.size());
}

Answer<core::Bytes> Session::get(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const {
  return two_step([&](CK_BYTE* out, CK_ULONG* size) {
    CK_ATTRIBUTE attribute{type, out, *size};
    const auto rv = functions_->C_GetAttributeValue(handle_, object, &attribute, 1);
    *size = attribute.ulValueLen;
    return rv;
  });
}

CK_ULONG Session::number(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const {
  const auto bytes = must(get(object, type));
  CK_ULONG value = 0;
  if (bytes.size() != sizeof value) throw std::runtime_error("not a CK_ULONG");
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

bool Session::flag(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const {
  const auto bytes = must(get(object, type));
  if (bytes.size() != 1 || bytes[0] > CK_TRUE) throw std::runtime_error("not a CK_BBOOL");
  return bytes[0] == CK_TRUE;
}

std::vector<CK_OBJECT_HANDLE> Session::find(Attributes pattern) const {
  must(functions_->C_FindObjectsInit(handle_, pattern.data(), pattern.size()));
  std::vector<CK_OBJECT_HANDLE> all;
  std::vector<CK_OBJECT_HANDLE> some(16);
  CK_ULONG count = 0;
  do {
    must(functions_->C_FindObjects(handle_, some.data(), some.size(), &count));
    all.insert(all.end(), some.begin(), some.begin() + static_cast<std::ptrdiff_t>(count));
  } while (count != 0);
  must(functions_->C_FindObjectsFinal(handle_));
  return all;
}

Answer<CK_OBJECT_HANDLE> Session::generate(Mechanism mechanism, Attributes attributes) {
  CK_OBJECT_HANDLE key = 0;
  const auto rv = functions_->C_GenerateKey(handle_, mechanism.get(), attributes.data(),
                                            attributes.size(), &key);
  return {rv, key};
}

Answer<KeyPair> Session::generate_pair(Mechanism mechanism, Attributes public_key,
                                       Attributes private_key) {
  KeyPair pair;
  const auto rv = functions_->C_GenerateKeyPair(
      handle_, mechanism.get(), public_key.data(), public_key.size(), private_key.data(),
      private_key.size(), &pair.public_key, &pair.private_key);
  return {rv, pair};
}

Answer<core::Bytes> Session::wrap(Mechanism mechanism, CK_OBJECT_HANDLE wrapping_key,
                                  CK_OBJECT_HANDLE key) {
  return two_step([&](CK_BYTE* out, CK_ULONG* size) {
    return functions_->C_WrapKey(handle_, mechanism.get(), wrapping_key, key, out, size);
  });
}

Answer<CK_OBJECT_HANDLE> Session::unwrap(Mechanism mechanism, CK_OBJECT_HANDLE unwrapping_key,
                                         core::Bytes blob, Attributes attributes) {
  CK_OBJECT_HANDLE key = 0;
  const auto rv = functions_->C_UnwrapKey(handle_, mechanism.get(), unwrapping_key, pointer(blob),
                                          blob.size(), attributes.data(), attributes.size(), &key);
  return {rv, key};
}

Answer<CK_OBJECT_HANDLE> Session::derive(Mechanism mechanism, CK_OBJECT_HANDLE base_key,
                                         Attributes attributes) {
  CK_OBJECT_HANDLE key = 0;
  const auto rv = functions_->C_DeriveKey(handle_, mechanism.get(), base_key, attributes.data(),
                                          attributes.size(), &key);
  return {rv, key};
}

Answer<core::Bytes> Session::encrypt(Mechanism& mechanism, CK_OBJECT_HANDLE key, core::Bytes data) {
  if (const auto rv = functions_->C_EncryptInit(handle_, mechanism.get(), key); rv != CKR_OK) {
    return {rv, {}};
  }
  return two_step([&](CK_BYTE* out, CK_ULONG* size) {
    return functions_->C_Encrypt(handle_, pointer(data), data.size(), out, size);
  });
}

Answer<core::Bytes> Session::decrypt(Mechanism& mechanism, CK_OBJECT_HANDLE key, core::Bytes data) {
  if (const auto rv = functions_->C_DecryptInit(handle_, mechanism.get(), key); rv != CKR_OK) {
    return {rv, {}};
  }
  return two_step([&](CK_BYTE* out, CK_ULONG* size) {
    return functions_->C_Decrypt(handle_, pointer(data), data.size(), out, size);
  });
}

Answer<core::Bytes> Session::sign(Mechanism mechanism, CK_OBJECT_HANDLE key, core::Bytes data) {
  if (const auto rv = functions_->C_SignInit(handle_, mechanism.get(), key); rv != CKR_OK) {
    return {rv, {}};
  }
  return two_step([&](CK_BYTE* out, CK_ULONG* size) {
    return functions_->C_Sign(handle_, pointer(data), data.size(), out, size);
  });
}

CK_RV Session::verify(Mechanism mechanism, CK_OBJECT_HANDLE key, core::Bytes data,
                      core::Bytes signature) {
  if (const auto rv = functions_->C_VerifyInit(handle_, mechanism.get(), key); rv != CKR_OK) {
    return rv;
  }
  return functions_->C_Verify(handle_, pointer(data), data.size(), pointer(signature),
                              signature.size());
}

Answer<core::Bytes> Session::digest(Mechanism mechanism, core::Bytes data) {
  if (const auto rv = functions_->C_DigestInit(handle_, mechanism.get()); rv != CKR_OK) {
    return {rv, {}};
  }
  return two_step([&](CK_BYTE* out, CK_ULONG* size) {
    return functions_->C_Digest(handle_, pointer(data), data.size(), out, size);
  });
}

Answer<core::Bytes> Session::encrypt_parts(Mechanism& mechanism, CK_OBJECT_HANDLE key,
                                           core::Bytes data, std::size_t step) {
  if (const auto rv = functions_->C_EncryptInit(handle_, mechanism.get(), key); rv != CKR_OK) {
    return {rv, {}};
  }
  return cipher_parts(
      data, step,
      [&](CK_BYTE* in, CK_ULONG in_size, CK_BYTE* out, CK_ULONG* out_size) {
        return functions_->C_EncryptUpdate(handle_, in, in_size, out, out_size);
      },
      [&](CK_BYTE* out, CK_ULONG* size) { return functions_->C_EncryptFinal(handle_, out, size); });
}

Answer<core::Bytes> Session::decrypt_parts(Mechanism& mechanism, CK_OBJECT_HANDLE key,
                                           core::Bytes data, std::size_t step) {
  if (const auto rv = functions_->C_DecryptInit(handle_, mechanism.get(), key); rv != CKR_OK) {
    return {rv, {}};
  }
  return cipher_parts(
      data, step,
      [&](CK_BYTE* in, CK_ULONG in_size, CK_BYTE* out, CK_ULONG* out_size) {
        return functions_->C_DecryptUpdate(handle_, in, in_size, out, out_size);
      },
      [&](CK_BYTE* out, CK_ULONG* size) { return functions_->C_DecryptFinal(handle_, out, size); });
}

Answer<core::Bytes> Session::sign_parts(Mechanism mechanism, CK_OBJECT_HANDLE key, core::Bytes data,
                                        std::size_t step) {
  if (const auto rv = functions_->C_SignInit(handle_, mechanism.get(), key); rv != CKR_OK) {
    return {rv, {}};
  }
  const auto rv = for_each_piece(data, step, [&](CK_BYTE* piece, std::size_t size) {
    return functions_->C_SignUpdate(handle_, piece, size);
  });
  if (rv != CKR_OK) return {rv, {}};
  return two_step(
      [&](CK_BYTE* out, CK_ULONG* size) { return functions_->C_SignFinal(handle_, out, size); });
}

CK_RV Session::verify_parts(Mechanism mechanism, CK_OBJECT_HANDLE key, core::Bytes data,
                            core::Bytes signature, std::size_t step) {
  if (const auto rv = functions_->C_VerifyInit(handle_, mechanism.get(), key); rv != CKR_OK) {
    return rv;
  }
  const auto rv = for_each_piece(data, step, [&](CK_BYTE* piece, std::size_t size) {
    return functions_->C_VerifyUpdate(handle_, piece, size);
  });
  if (rv != CKR_OK) return rv;
  return functions_->C_VerifyFinal(handle_, pointer(signature), signature.size());
}

Answer<core::Bytes> Session::digest_parts(Mechanism mechanism, core::Bytes data, std::size_t step) {
  if (const auto rv = functions_->C_DigestInit(handle_, mechanism.get()); rv != CKR_OK) {
    return {rv, {}};
  }
  const auto rv = for_each_piece(data, step, [&](CK_BYTE* piece, std::size_t size) {
    return functions_->C_DigestUpdate(handle_, piece, size);
  });
  if (rv != CKR_OK) return {rv, {}};
  return two_step(
      [&](CK_BYTE* out, CK_ULONG* size) { return functions_->C_DigestFinal(handle_, out, size); });
}

Answer<core::Bytes> Session::random(std::size_t size) {
  core::Bytes out(size);
  const auto rv = functions_->C_GenerateRandom(handle_, pointer(out), out.size());
  return {rv, out};
}

}  // namespace tallystick::test
