// General-purpose, slot and token functions (PKCS#11 sections 5.4 and 5.5).
#include <algorithm>
#include <cstring>
#include <new>

#include "pkcs11/cryptoki/enter.h"
#include "pkcs11/cryptoki/function_lists.h"

using namespace tallystick;            // NOLINT(google-build-using-namespace): C_* have none
using namespace tallystick::cryptoki;  // NOLINT(google-build-using-namespace): C_* have none

namespace {

constexpr CK_VERSION kLibraryVersion = {0, 1};
constexpr std::string_view kMaker = "Tallystick";

// Blank padded and not terminated, as all text of PKCS#11 structures.
template <std::size_t N>
void put_text(unsigned char (&field)[N], std::string_view text) {
  std::memset(field, ' ', N);
  std::memcpy(field, text.data(), std::min(N, text.size()));
}

// "Low" from the first wrong PIN until the next right one, however many tries are left (PKCS#11
// 3.0, 3.2, CK_TOKEN_INFO).
CK_FLAGS pin_flags(unsigned left, CK_FLAGS low, CK_FLAGS final, CK_FLAGS locked) {
  if (left == 0) return locked | low;
  if (left == 1) return final | low;
  return left < token::kMaxTries ? low : 0;
}

void fill(const token::TokenInfo& from, CK_TOKEN_INFO& info) {
  put_text(info.label, core::text_of(from.label));
  put_text(info.manufacturerID, kMaker);
  put_text(info.model, "Tallystick");
  put_text(info.serialNumber, from.serial);
  // No state that is saved needs a key to go on.
  info.flags = CKF_RNG | CKF_LOGIN_REQUIRED | CKF_RESTORE_KEY_NOT_NEEDED;
  if (from.initialized) {
    info.flags |= CKF_TOKEN_INITIALIZED;
    info.flags |= pin_flags(from.so_tries_left, CKF_SO_PIN_COUNT_LOW, CKF_SO_PIN_FINAL_TRY,
                            CKF_SO_PIN_LOCKED);
  }
  if (from.user_pin_set) {
    info.flags |= CKF_USER_PIN_INITIALIZED;
    info.flags |= pin_flags(from.user_tries_left, CKF_USER_PIN_COUNT_LOW, CKF_USER_PIN_FINAL_TRY,
                            CKF_USER_PIN_LOCKED);
  }
  info.ulMaxSessionCount = CK_EFFECTIVELY_INFINITE;
  info.ulSessionCount = from.sessions;
  info.ulMaxRwSessionCount = CK_EFFECTIVELY_INFINITE;
  info.ulRwSessionCount = from.rw_sessions;
  info.ulMaxPinLen = token::kMaxPinLength;
  info.ulMinPinLen = token::kMinPinLength;
  info.ulTotalPublicMemory = CK_UNAVAILABLE_INFORMATION;
  info.ulFreePublicMemory = CK_UNAVAILABLE_INFORMATION;
  info.ulTotalPrivateMemory = CK_UNAVAILABLE_INFORMATION;
  info.ulFreePrivateMemory = CK_UNAVAILABLE_INFORMATION;
  info.hardwareVersion = kLibraryVersion;
  info.firmwareVersion = kLibraryVersion;
  put_text(info.utcTime, "");
}

// A list under the two-call convention, which counts elements here.
template <typename T>
Outcome<void> give_list(const std::vector<T>& list, T* out, CK_ULONG* count) {
  const CK_ULONG room = *count;
  *count = list.size();
  if (out == nullptr) return {};
  if (room < list.size()) return token::fault(CKR_BUFFER_TOO_SMALL, "the list is too short");
  std::ranges::copy(list, out);
  return {};
}

}  // namespace

CK_RV C_Initialize(void* init_args) {
  try {
    const ErrorMark mark;
    auto done = initialize(static_cast<const CK_C_INITIALIZE_ARGS*>(init_args));
    if (done) return CKR_OK;
    token::Log().failure("C_Initialize", done.error());
    return done.error().rv;
  } catch (const std::bad_alloc&) {
    return CKR_HOST_MEMORY;
  } catch (...) {
    return CKR_GENERAL_ERROR;
  }
}

CK_RV C_Finalize(void* reserved) {
  try {
    if (reserved != nullptr) return CKR_ARGUMENTS_BAD;
    const ErrorMark mark;
    auto done = finalize();
    return done ? CKR_OK : done.error().rv;
  } catch (...) {
    return CKR_GENERAL_ERROR;
  }
}

namespace tallystick::cryptoki {

CK_RV get_info(CK_VERSION version, CK_INFO* info) {
  return enter("C_GetInfo", [&](Module&) -> Outcome<void> {
    if (info == nullptr) return bad_arguments("null pointer");
    info->cryptokiVersion = version;
    put_text(info->manufacturerID, kMaker);
    info->flags = 0;
    put_text(info->libraryDescription, "Tallystick token");
    info->libraryVersion = kLibraryVersion;
    return {};
  });
}

}  // namespace tallystick::cryptoki

CK_RV C_GetInfo(CK_INFO* info) { return get_info({2, 40}, info); }

CK_RV C_GetFunctionList(CK_FUNCTION_LIST** function_list) {
  if (function_list == nullptr) return CKR_ARGUMENTS_BAD;
  *function_list = function_list_2_40();
  return CKR_OK;
}

CK_RV C_GetInterfaceList(CK_INTERFACE_PTR interfaces, CK_ULONG_PTR number) {
  if (number == nullptr) return CKR_ARGUMENTS_BAD;
  const auto all = interface_list();
  const CK_ULONG room = *number;
  *number = all.size();
  if (interfaces == nullptr) return CKR_OK;
  if (room < all.size()) return CKR_BUFFER_TOO_SMALL;
  std::ranges::copy(all, interfaces);
  return CKR_OK;
}

CK_RV C_GetInterface(CK_UTF8CHAR_PTR name, CK_VERSION_PTR version, CK_INTERFACE_PTR_PTR found,
                     CK_FLAGS flags) {
  if (found == nullptr) return CKR_ARGUMENTS_BAD;
  for (auto& one : interface_list()) {
    const auto* const its_version = static_cast<const CK_VERSION*>(one.pFunctionList);
    const bool named =
        name == nullptr || std::strcmp(reinterpret_cast<const char*>(name),
                                       reinterpret_cast<const char*>(one.pInterfaceName)) == 0;
    const bool versioned = version == nullptr || (version->major == its_version->major &&
                                                  version->minor == its_version->minor);
    if (named && versioned && (one.flags & flags) == flags) {
      *found = &one;
      return CKR_OK;
    }
  }
  return CKR_FUNCTION_FAILED;
}

CK_RV C_GetSlotList(unsigned char, CK_SLOT_ID* slot_list, CK_ULONG* count) {
  // Every slot has a token, initialised or not, so the first argument makes no difference.
  return enter("C_GetSlotList", [&](Module& module) -> Outcome<void> {
    if (count == nullptr) return bad_arguments("null pointer");
    if (slot_list != nullptr) return give_list(module.slots(), slot_list, count);
    auto slots = module.find_slots();
    if (!slots) return std::move(slots).error();
    return give_list(*slots, slot_list, count);
  });
}

CK_RV C_GetSlotInfo(CK_SLOT_ID slot_id, CK_SLOT_INFO* info) {
  return enter("C_GetSlotInfo", [&](Module& module) -> Outcome<void> {
    if (info == nullptr) return bad_arguments("null pointer");
    if (auto found = module.token(slot_id); !found) return std::move(found).error();
    put_text(info->slotDescription, "Tallystick slot " + std::to_string(slot_id));
    put_text(info->manufacturerID, kMaker);
    info->flags = CKF_TOKEN_PRESENT;
    info->hardwareVersion = kLibraryVersion;
    info->firmwareVersion = kLibraryVersion;
    return {};
  });
}

CK_RV C_GetTokenInfo(CK_SLOT_ID slot_id, CK_TOKEN_INFO* info) {
  return enter("C_GetTokenInfo", [&](Module& module) -> Outcome<void> {
    if (info == nullptr) return bad_arguments("null pointer");
    auto found = module.token(slot_id);
    if (!found) return std::move(found).error();
    auto from = (*found)->info();
    if (!from) return std::move(from).error();
    fill(*from, *info);
    return {};
  });
}

CK_RV C_WaitForSlotEvent(CK_FLAGS flags, CK_SLOT_ID* slot, void* reserved) {
  return enter("C_WaitForSlotEvent", [&](Module&) -> Outcome<void> {
    if (slot == nullptr || reserved != nullptr) return bad_arguments("pointers");
    if ((flags & CKF_DONT_BLOCK) == 0) return token::not_supported("only without blocking");
    return token::fault(CKR_NO_EVENT, "nothing has happened");
  });
}

CK_RV C_GetMechanismList(CK_SLOT_ID slot_id, CK_MECHANISM_TYPE* mechanism_list, CK_ULONG* count) {
  return enter("C_GetMechanismList", [&](Module& module) -> Outcome<void> {
    if (count == nullptr) return bad_arguments("null pointer");
    if (auto found = module.token(slot_id); !found) return std::move(found).error();
    return give_list(module.mechanisms().types(), mechanism_list, count);
  });
}

CK_RV C_GetMechanismInfo(CK_SLOT_ID slot_id, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO* info) {
  return enter("C_GetMechanismInfo", [&](Module& module) -> Outcome<void> {
    if (info == nullptr) return bad_arguments("null pointer");
    if (auto found = module.token(slot_id); !found) return std::move(found).error();
    const auto* const mechanism = module.mechanisms().find(type);
    if (mechanism == nullptr) return token::bad_mechanism("no such mechanism");
    *info = {mechanism->min_key_size, mechanism->max_key_size, mechanism->flags()};
    return {};
  });
}

CK_RV C_InitToken(CK_SLOT_ID slot_id, unsigned char* pin, CK_ULONG pin_len, unsigned char* label) {
  return enter("C_InitToken", [&](Module& module) -> Outcome<void> {
    if (pin == nullptr || label == nullptr) return bad_arguments("null pointer");
    auto found = module.token(slot_id);
    if (!found) return std::move(found).error();
    return with_bytes(pin, pin_len, [&](ByteView bytes) -> Outcome<void> {
      if (auto done = (*found)->initialize(bytes, ByteView(label, 32)); !done) return done;
      // The last slot is always one without a token. The token is made, though: when the slots are
      // not found now, C_GetSlotList finds them.
      try {
        (void)module.find_slots();
      } catch (const std::bad_alloc&) {
      }
      return {};
    });
  });
}
