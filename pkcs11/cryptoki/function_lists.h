// The function lists, and the 3.0 functions that no header of p11-kit declares.
#pragma once

#include <span>

#include "pkcs11/engine/cryptoki.h"

extern "C" {
CK_RV C_LoginUser(CK_SESSION_HANDLE session, CK_USER_TYPE user_type, CK_UTF8CHAR_PTR pin,
                  CK_ULONG pin_len, CK_UTF8CHAR_PTR username, CK_ULONG username_len);
CK_RV C_SessionCancel(CK_SESSION_HANDLE session, CK_FLAGS flags);
CK_RV C_MessageEncryptInit(CK_SESSION_HANDLE session, CK_MECHANISM*, CK_OBJECT_HANDLE);
CK_RV C_EncryptMessage(CK_SESSION_HANDLE session, void*, CK_ULONG, unsigned char*, CK_ULONG,
                       unsigned char*, CK_ULONG, unsigned char*, CK_ULONG*);
CK_RV C_EncryptMessageBegin(CK_SESSION_HANDLE session, void*, CK_ULONG, unsigned char*, CK_ULONG);
CK_RV C_EncryptMessageNext(CK_SESSION_HANDLE session, void*, CK_ULONG, unsigned char*, CK_ULONG,
                           unsigned char*, CK_ULONG*, CK_FLAGS);
CK_RV C_MessageEncryptFinal(CK_SESSION_HANDLE session);
CK_RV C_MessageDecryptInit(CK_SESSION_HANDLE session, CK_MECHANISM*, CK_OBJECT_HANDLE);
CK_RV C_DecryptMessage(CK_SESSION_HANDLE session, void*, CK_ULONG, unsigned char*, CK_ULONG,
                       unsigned char*, CK_ULONG, unsigned char*, CK_ULONG*);
CK_RV C_DecryptMessageBegin(CK_SESSION_HANDLE session, void*, CK_ULONG, unsigned char*, CK_ULONG);
CK_RV C_DecryptMessageNext(CK_SESSION_HANDLE session, void*, CK_ULONG, unsigned char*, CK_ULONG,
                           unsigned char*, CK_ULONG*, CK_FLAGS);
CK_RV C_MessageDecryptFinal(CK_SESSION_HANDLE session);
CK_RV C_MessageSignInit(CK_SESSION_HANDLE session, CK_MECHANISM*, CK_OBJECT_HANDLE);
CK_RV C_SignMessage(CK_SESSION_HANDLE session, void*, CK_ULONG, unsigned char*, CK_ULONG,
                    unsigned char*, CK_ULONG*);
CK_RV C_SignMessageBegin(CK_SESSION_HANDLE session, void*, CK_ULONG);
CK_RV C_SignMessageNext(CK_SESSION_HANDLE session, void*, CK_ULONG, unsigned char*, CK_ULONG,
                        unsigned char*, CK_ULONG*);
CK_RV C_MessageSignFinal(CK_SESSION_HANDLE session);
CK_RV C_MessageVerifyInit(CK_SESSION_HANDLE session, CK_MECHANISM*, CK_OBJECT_HANDLE);
CK_RV C_VerifyMessage(CK_SESSION_HANDLE session, void*, CK_ULONG, unsigned char*, CK_ULONG,
                      unsigned char*, CK_ULONG);
CK_RV C_VerifyMessageBegin(CK_SESSION_HANDLE session, void*, CK_ULONG);
CK_RV C_VerifyMessageNext(CK_SESSION_HANDLE session, void*, CK_ULONG, unsigned char*, CK_ULONG,
                          unsigned char*, CK_ULONG);
CK_RV C_MessageVerifyFinal(CK_SESSION_HANDLE session);
}

namespace tallystick::cryptoki {

CK_FUNCTION_LIST* function_list_2_40();
// The newest first: that is what a caller gets who names no version.
std::span<CK_INTERFACE> interface_list();

}  // namespace tallystick::cryptoki
