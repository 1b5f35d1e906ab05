#include "pkcs11/engine/mechanism.h"

#include <algorithm>
#include <cstring>

namespace tallystick::token {

Outcome<Parameter> Parameter::read(const CK_MECHANISM& mechanism) {
  Parameter out;
  auto memory = view_memory(mechanism.pParameter, mechanism.ulParameterLen, kMaxSize);
  if (!memory) return std::move(memory).error();
  out.bytes_ = core::Secret::copy_of(*memory);
  return out;
}

Outcome<void> Parameter::none() const {
  if (!bytes_.empty()) return bad_parameter("the mechanism takes no parameter");
  return {};
}

bool Parameter::copy_exactly(void* out, std::size_t size) const {
  if (bytes_.size() != size) return false;
  std::memcpy(out, bytes_.view().data(), size);
  return true;
}

Outcome<core::ByteView> view_memory(const void* memory, CK_ULONG size, std::size_t cap) {
  if (size == 0) return core::ByteView{};
  if (memory == nullptr) return bad_parameter("a length without a pointer");
  if (size > cap) return bad_parameter("a parameter that is too long");
  return core::ByteView(static_cast<const std::uint8_t*>(memory), size);
}

Outcome<core::Bytes> copy_memory(const void* memory, CK_ULONG size, std::size_t cap) {
  auto view = view_memory(memory, size, cap);
  if (!view) return std::move(view).error();
  return core::Bytes(view->begin(), view->end());
}

CK_FLAGS Mechanism::flags() const {
  CK_FLAGS flags = extra_flags;
  const auto add = [&flags](bool there, CK_FLAGS flag) { flags |= there ? flag : 0; };
  add(encrypt != nullptr, CKF_ENCRYPT);
  add(decrypt != nullptr, CKF_DECRYPT);
  add(message_encrypt != nullptr, CKF_MESSAGE_ENCRYPT | CKF_MULTI_MESSAGE);
  add(message_decrypt != nullptr, CKF_MESSAGE_DECRYPT | CKF_MULTI_MESSAGE);
  add(signs_messages() && sign != nullptr, CKF_MESSAGE_SIGN | CKF_MULTI_MESSAGE);
  add(signs_messages() && verify != nullptr, CKF_MESSAGE_VERIFY | CKF_MULTI_MESSAGE);
  add(sign != nullptr, CKF_SIGN);
  add(verify != nullptr, CKF_VERIFY);
  add(digest != nullptr, CKF_DIGEST);
  add(generate != nullptr, CKF_GENERATE);
  add(generate_pair != nullptr, CKF_GENERATE_KEY_PAIR);
  add(wrap != nullptr || wrap_authenticated != nullptr, CKF_WRAP);
  add(unwrap != nullptr || unwrap_authenticated != nullptr, CKF_UNWRAP);
  add(derive != nullptr, CKF_DERIVE);
  add(encapsulate != nullptr, CKF_ENCAPSULATE);
  add(decapsulate != nullptr, CKF_DECAPSULATE);
  return flags;
}

bool Mechanism::takes(CK_KEY_TYPE key_type) const {
  return key_types.empty() || std::ranges::find(key_types, key_type) != key_types.end();
}

void MechanismTable::add(Mechanism mechanism) {
  const auto type = mechanism.type;
  mechanisms_.emplace(type, std::move(mechanism));
}

const Mechanism* MechanismTable::find(CK_MECHANISM_TYPE type) const {
  const Mechanism* special = nullptr;
  const auto [first, last] = mechanisms_.equal_range(type);
  for (auto at = first; at != last; ++at) {
    if (at->second.only_for == nullptr) return &at->second;
    special = &at->second;
  }
  return special;
}

const Mechanism* MechanismTable::find(CK_MECHANISM_TYPE type, const Object& key) const {
  const Mechanism* general = nullptr;
  const auto [first, last] = mechanisms_.equal_range(type);
  for (auto at = first; at != last; ++at) {
    const auto& mechanism = at->second;
    if (mechanism.only_for == nullptr) {
      general = &mechanism;
    } else if (mechanism.only_for(key)) {
      return &mechanism;
    }
  }
  return general;
}

const Creator* MechanismTable::find_creator(CK_OBJECT_CLASS object_class,
                                            CK_KEY_TYPE key_type) const {
  const auto at = std::ranges::find_if(creators_, [&](const Creator& creator) {
    return creator.object_class == object_class &&
           (creator.key_type == CK_UNAVAILABLE_INFORMATION || creator.key_type == key_type);
  });
  return at == creators_.end() ? nullptr : &*at;
}

std::vector<CK_MECHANISM_TYPE> MechanismTable::types() const {
  std::vector<CK_MECHANISM_TYPE> out;
  for (const auto& [type, mechanism] : mechanisms_) {
    if (out.empty() || out.back() != type) out.push_back(type);
  }
  return out;
}

}  // namespace tallystick::token
