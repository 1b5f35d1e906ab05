#include "tests/model/call.h"

#include <array>
#include <cstdio>

namespace tallystick::model {
namespace {

struct Named {
  CK_ULONG number;
  const char* name;
};

constexpr auto kCodes = std::to_array<Named>({
    {CKR_OK, "OK"},
    {CKR_SLOT_ID_INVALID, "SLOT_ID_INVALID"},
    {CKR_GENERAL_ERROR, "GENERAL_ERROR"},
    {CKR_FUNCTION_FAILED, "FUNCTION_FAILED"},
    {CKR_ARGUMENTS_BAD, "ARGUMENTS_BAD"},
    {CKR_ATTRIBUTE_READ_ONLY, "ATTRIBUTE_READ_ONLY"},
    {CKR_ATTRIBUTE_SENSITIVE, "ATTRIBUTE_SENSITIVE"},
    {CKR_ATTRIBUTE_TYPE_INVALID, "ATTRIBUTE_TYPE_INVALID"},
    {CKR_ATTRIBUTE_VALUE_INVALID, "ATTRIBUTE_VALUE_INVALID"},
    {CKR_ACTION_PROHIBITED, "ACTION_PROHIBITED"},
    {CKR_DATA_INVALID, "DATA_INVALID"},
    {CKR_DATA_LEN_RANGE, "DATA_LEN_RANGE"},
    {CKR_DEVICE_ERROR, "DEVICE_ERROR"},
    {CKR_ENCRYPTED_DATA_INVALID, "ENCRYPTED_DATA_INVALID"},
    {CKR_ENCRYPTED_DATA_LEN_RANGE, "ENCRYPTED_DATA_LEN_RANGE"},
    {CKR_KEY_HANDLE_INVALID, "KEY_HANDLE_INVALID"},
    {CKR_KEY_SIZE_RANGE, "KEY_SIZE_RANGE"},
    {CKR_KEY_TYPE_INCONSISTENT, "KEY_TYPE_INCONSISTENT"},
    {CKR_KEY_NOT_NEEDED, "KEY_NOT_NEEDED"},
    {CKR_KEY_INDIGESTIBLE, "KEY_INDIGESTIBLE"},
    {CKR_KEY_FUNCTION_NOT_PERMITTED, "KEY_FUNCTION_NOT_PERMITTED"},
    {CKR_KEY_NOT_WRAPPABLE, "KEY_NOT_WRAPPABLE"},
    {CKR_KEY_UNEXTRACTABLE, "KEY_UNEXTRACTABLE"},
    {CKR_MECHANISM_INVALID, "MECHANISM_INVALID"},
    {CKR_MECHANISM_PARAM_INVALID, "MECHANISM_PARAM_INVALID"},
    {CKR_OBJECT_HANDLE_INVALID, "OBJECT_HANDLE_INVALID"},
    {CKR_OPERATION_ACTIVE, "OPERATION_ACTIVE"},
    {CKR_OPERATION_NOT_INITIALIZED, "OPERATION_NOT_INITIALIZED"},
    {CKR_PIN_INCORRECT, "PIN_INCORRECT"},
    {CKR_PIN_LEN_RANGE, "PIN_LEN_RANGE"},
    {CKR_PIN_LOCKED, "PIN_LOCKED"},
    {CKR_SESSION_HANDLE_INVALID, "SESSION_HANDLE_INVALID"},
    {CKR_SESSION_PARALLEL_NOT_SUPPORTED, "SESSION_PARALLEL_NOT_SUPPORTED"},
    {CKR_SESSION_READ_ONLY, "SESSION_READ_ONLY"},
    {CKR_SESSION_READ_ONLY_EXISTS, "SESSION_READ_ONLY_EXISTS"},
    {CKR_SESSION_READ_WRITE_SO_EXISTS, "SESSION_READ_WRITE_SO_EXISTS"},
    {CKR_SIGNATURE_INVALID, "SIGNATURE_INVALID"},
    {CKR_SIGNATURE_LEN_RANGE, "SIGNATURE_LEN_RANGE"},
    {CKR_TEMPLATE_INCOMPLETE, "TEMPLATE_INCOMPLETE"},
    {CKR_TEMPLATE_INCONSISTENT, "TEMPLATE_INCONSISTENT"},
    {CKR_UNWRAPPING_KEY_HANDLE_INVALID, "UNWRAPPING_KEY_HANDLE_INVALID"},
    {CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT, "UNWRAPPING_KEY_TYPE_INCONSISTENT"},
    {CKR_USER_ALREADY_LOGGED_IN, "USER_ALREADY_LOGGED_IN"},
    {CKR_USER_NOT_LOGGED_IN, "USER_NOT_LOGGED_IN"},
    {CKR_USER_PIN_NOT_INITIALIZED, "USER_PIN_NOT_INITIALIZED"},
    {CKR_USER_TYPE_INVALID, "USER_TYPE_INVALID"},
    {CKR_USER_ANOTHER_ALREADY_LOGGED_IN, "USER_ANOTHER_ALREADY_LOGGED_IN"},
    {CKR_WRAPPED_KEY_INVALID, "WRAPPED_KEY_INVALID"},
    {CKR_WRAPPED_KEY_LEN_RANGE, "WRAPPED_KEY_LEN_RANGE"},
    {CKR_WRAPPING_KEY_HANDLE_INVALID, "WRAPPING_KEY_HANDLE_INVALID"},
    {CKR_WRAPPING_KEY_SIZE_RANGE, "WRAPPING_KEY_SIZE_RANGE"},
    {CKR_WRAPPING_KEY_TYPE_INCONSISTENT, "WRAPPING_KEY_TYPE_INCONSISTENT"},
    {CKR_BUFFER_TOO_SMALL, "BUFFER_TOO_SMALL"},
    {CKR_SAVED_STATE_INVALID, "SAVED_STATE_INVALID"},
    {CKR_STATE_UNSAVEABLE, "STATE_UNSAVEABLE"},
    {CKR_FUNCTION_REJECTED, "FUNCTION_REJECTED"},
});

constexpr auto kMechanisms = std::to_array<Named>({
    {CKM_AES_KEY_GEN, "AES_KEY_GEN"},
    {CKM_GENERIC_SECRET_KEY_GEN, "GENERIC_SECRET_KEY_GEN"},
    {CKM_EC_KEY_PAIR_GEN, "EC_KEY_PAIR_GEN"},
    {CKM_RSA_PKCS_KEY_PAIR_GEN, "RSA_PKCS_KEY_PAIR_GEN"},
    {CKM_AES_GCM, "AES_GCM"},
    {CKM_AES_CBC_PAD, "AES_CBC_PAD"},
    {CKM_AES_ECB, "AES_ECB"},
    {CKM_AES_CMAC, "AES_CMAC"},
    {CKM_AES_KEY_WRAP, "AES_KEY_WRAP"},
    {CKM_AES_KEY_WRAP_KWP, "AES_KEY_WRAP_KWP"},
    {CKM_SHA256_HMAC, "SHA256_HMAC"},
    {CKM_SHA256, "SHA256"},
    {CKM_ECDSA, "ECDSA"},
    {CKM_ECDSA_SHA256, "ECDSA_SHA256"},
    {CKM_ECDH1_DERIVE, "ECDH1_DERIVE"},
    {CKM_RSA_PKCS, "RSA_PKCS"},
    {CKM_RSA_PKCS_OAEP, "RSA_PKCS_OAEP"},
    {CKM_HKDF_DERIVE, "HKDF_DERIVE"},
    {CKM_TS_FAMILY_WRAP, "TS_FAMILY_WRAP"},
    {CKM_TS_OEM_SHARE_GEN, "TS_OEM_SHARE_GEN"},
    {CKM_TS_OEM_SHARE_WRAP, "TS_OEM_SHARE_WRAP"},
    {CKM_TS_MASTER_SHARE_WRAP, "TS_MASTER_SHARE_WRAP"},
    {CKM_TS_MASTER_KEY_DERIVE, "TS_MASTER_KEY_DERIVE"},
    {CKM_TS_ASSET_KEY_DERIVE, "TS_ASSET_KEY_DERIVE"},
    {CKM_TS_ASSET_GENERATE, "TS_ASSET_GENERATE"},
    {CKM_TS_SEAL, "TS_SEAL"},
    {CKM_TS_OPEN, "TS_OPEN"},
});

template <std::size_t kCount>
std::string name_in(const std::array<Named, kCount>& names, CK_ULONG number) {
  for (const auto& one : names) {
    if (one.number == number) return one.name;
  }
  std::array<char, 32> text{};
  (void)std::snprintf(text.data(), text.size(), "0x%lx", number);
  return text.data();
}

}  // namespace

std::string rv_text(CK_RV rv) { return name_in(kCodes, rv); }
std::string mechanism_text(CK_MECHANISM_TYPE type) { return name_in(kMechanisms, type); }

const char* op_name(Op op) {
  constexpr std::array kNames = {"C_OpenSession",
                                 "C_CloseSession",
                                 "C_CloseAllSessions",
                                 "C_GetSessionInfo",
                                 "C_Login",
                                 "C_Logout",
                                 "C_InitPIN",
                                 "C_SetPIN",
                                 "C_CreateObject",
                                 "C_CopyObject",
                                 "C_DestroyObject",
                                 "C_SetAttributeValue",
                                 "C_GetAttributeValue",
                                 "C_FindObjectsInit",
                                 "C_FindObjects",
                                 "C_FindObjectsFinal",
                                 "C_GenerateKey",
                                 "C_GenerateKeyPair",
                                 "C_WrapKey",
                                 "C_UnwrapKey",
                                 "C_DeriveKey",
                                 "init",
                                 "run",
                                 "C_DigestKey",
                                 "C_GetOperationState",
                                 "C_SetOperationState"};
  return kNames.at(static_cast<std::size_t>(op));
}

const char* use_name(Use use) {
  constexpr std::array kNames = {"C_Encrypt", "C_Decrypt", "C_Sign",   "C_Verify",
                                 "C_Digest",  "C_Wrap",    "C_Unwrap", "C_Derive"};
  return kNames.at(static_cast<std::size_t>(use));
}

const char* shape_name(Shape shape) {
  constexpr std::array kNames = {
      "", "length only", "buffer too small", "null pointer", "bad parameter", "tampered"};
  return kNames.at(static_cast<std::size_t>(shape));
}

std::string to_text(const Call& call) {
  std::string out = "#" + std::to_string(call.id) + " ";
  if (call.op == Op::kInit || call.op == Op::kRun) {
    out += use_name(call.use) + std::string(call.op == Op::kInit ? "Init" : "");
  } else {
    out += op_name(call.op);
  }
  const auto say = [&out](const char* what, Ref ref) {
    if (ref != 0) out += std::string(" ") + what + "=" + std::to_string(ref);
  };
  say("session", call.session);
  say("object", call.object);
  say("key", call.key);
  say("input", call.blob);
  if (call.op == Op::kOpenSession || call.op == Op::kCloseAllSessions) {
    out += " slot=" + std::to_string(call.slot);
  }
  if (call.number != 0) out += " number=" + std::to_string(call.number);
  if (call.mechanism != 0) out += " " + mechanism_text(call.mechanism);
  if (!call.bytes.empty()) out += " bytes=" + hex(call.bytes);
  if (!call.more.empty()) out += " more=" + hex(call.more);
  if (!call.attributes.empty()) out += " " + to_text(call.attributes);
  if (!call.attributes2.empty()) out += " private " + to_text(call.attributes2);
  if (call.shape != Shape::kPlain) out += std::string(" [") + shape_name(call.shape) + "]";
  return out;
}

}  // namespace tallystick::model
