// Sessions, login, PINs (PKCS#11 section 5.6).
#include "pkcs11/cryptoki/enter.h"
#include "pkcs11/cryptoki/function_lists.h"

using namespace tallystick;            // NOLINT(google-build-using-namespace): C_* have none
using namespace tallystick::cryptoki;  // NOLINT(google-build-using-namespace): C_* have none

CK_RV C_InitPIN(CK_SESSION_HANDLE session, unsigned char* pin, CK_ULONG pin_len) {
  return enter_session("C_InitPIN", session, [&](Session& on) -> Outcome<void> {
    if (pin == nullptr) return bad_arguments("null pointer");
    return with_bytes(pin, pin_len, [&](ByteView bytes) { return on.init_pin(bytes); });
  });
}

CK_RV C_SetPIN(CK_SESSION_HANDLE session, unsigned char* old_pin, CK_ULONG old_len,
               unsigned char* new_pin, CK_ULONG new_len) {
  return enter_session("C_SetPIN", session, [&](Session& on) -> Outcome<void> {
    if (old_pin == nullptr || new_pin == nullptr) return bad_arguments("null pointer");
    return with_bytes(old_pin, old_len, [&](ByteView old_bytes) {
      return with_bytes(new_pin, new_len,
                        [&](ByteView new_bytes) { return on.set_pin(old_bytes, new_bytes); });
    });
  });
}

CK_RV C_OpenSession(CK_SLOT_ID slot_id, CK_FLAGS flags, void*, CK_NOTIFY,
                    CK_SESSION_HANDLE* session) {
  return enter("C_OpenSession", [&](Module& module) -> Outcome<void> {
    if (session == nullptr) return bad_arguments("null pointer");
    return give(module.open_session(slot_id, flags), session);
  });
}

CK_RV C_CloseSession(CK_SESSION_HANDLE session) {
  return enter("C_CloseSession", [&](Module& module) { return module.close_session(session); });
}

CK_RV C_CloseAllSessions(CK_SLOT_ID slot_id) {
  return enter("C_CloseAllSessions",
               [&](Module& module) { return module.close_all_sessions(slot_id); });
}

CK_RV C_GetSessionInfo(CK_SESSION_HANDLE session, CK_SESSION_INFO* info) {
  return enter_session("C_GetSessionInfo", session, [&](Session& on) -> Outcome<void> {
    if (info == nullptr) return bad_arguments("null pointer");
    if (auto seen = on.token().refresh(); !seen) return seen;
    info->slotID = on.token().slot();
    info->state = on.state();
    info->flags = CKF_SERIAL_SESSION | (on.read_write() ? CKF_RW_SESSION : 0);
    info->ulDeviceError = 0;
    return {};
  });
}

CK_RV C_GetOperationState(CK_SESSION_HANDLE session, unsigned char* state, CK_ULONG* state_len) {
  return enter_session("C_GetOperationState", session, [&](Session& on) {
    return with_output(state, state_len, [&](Output to) { return on.save_state(to); });
  });
}

CK_RV C_SetOperationState(CK_SESSION_HANDLE session, unsigned char* state, CK_ULONG state_len,
                          CK_OBJECT_HANDLE encryption_key, CK_OBJECT_HANDLE authentication_key) {
  return enter_session("C_SetOperationState", session, [&](Session& on) {
    return with_bytes(state, state_len, [&](ByteView ticket) {
      return on.restore_state(ticket, encryption_key, authentication_key);
    });
  });
}

CK_RV C_Login(CK_SESSION_HANDLE session, CK_USER_TYPE user_type, unsigned char* pin,
              CK_ULONG pin_len) {
  return enter_session("C_Login", session, [&](Session& on) -> Outcome<void> {
    if (pin == nullptr) return bad_arguments("null pointer");
    return with_bytes(pin, pin_len, [&](ByteView bytes) { return on.login(user_type, bytes); });
  });
}

CK_RV C_LoginUser(CK_SESSION_HANDLE session, CK_USER_TYPE user_type, CK_UTF8CHAR_PTR pin,
                  CK_ULONG pin_len, CK_UTF8CHAR_PTR username, CK_ULONG username_len) {
  return enter_session("C_LoginUser", session, [&](Session& on) -> Outcome<void> {
    if (pin == nullptr || (username == nullptr && username_len != 0)) {
      return bad_arguments("null pointer");
    }
    // There is one user and one SO; names tell nothing.
    if (username_len != 0) return token::fault(CKR_PIN_INCORRECT, "users have no names here");
    return with_bytes(pin, pin_len, [&](ByteView bytes) { return on.login(user_type, bytes); });
  });
}

CK_RV C_Logout(CK_SESSION_HANDLE session) {
  return enter_session("C_Logout", session, [](Session& on) { return on.logout(); });
}

CK_RV C_SessionCancel(CK_SESSION_HANDLE session, CK_FLAGS flags) {
  return enter_session("C_SessionCancel", session, [&](Session& on) { return on.cancel(flags); });
}

// The token makes no claims about a validated module.
CK_RV C_GetSessionValidationFlags(CK_SESSION_HANDLE session, CK_SESSION_VALIDATION_FLAGS_TYPE type,
                                  CK_FLAGS* flags) {
  return enter_session("C_GetSessionValidationFlags", session, [&](Session&) -> Outcome<void> {
    if (flags == nullptr || type != CKS_LAST_VALIDATION_OK) return bad_arguments("no such flags");
    *flags = 0;
    return {};
  });
}

CK_RV C_GetFunctionStatus(CK_SESSION_HANDLE) { return CKR_FUNCTION_NOT_PARALLEL; }

CK_RV C_CancelFunction(CK_SESSION_HANDLE) { return CKR_FUNCTION_NOT_PARALLEL; }
