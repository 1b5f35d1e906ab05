// The function lists, and the functions of 3.0 and 3.2 that no header of p11-kit declares.
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

CK_RV C_EncapsulateKey(CK_SESSION_HANDLE session, CK_MECHANISM*, CK_OBJECT_HANDLE, CK_ATTRIBUTE*,
                       CK_ULONG, unsigned char*, CK_ULONG*, CK_OBJECT_HANDLE*);
CK_RV C_DecapsulateKey(CK_SESSION_HANDLE session, CK_MECHANISM*, CK_OBJECT_HANDLE, CK_ATTRIBUTE*,
                       CK_ULONG, unsigned char*, CK_ULONG, CK_OBJECT_HANDLE*);
CK_RV C_VerifySignatureInit(CK_SESSION_HANDLE session, CK_MECHANISM*, CK_OBJECT_HANDLE,
                            unsigned char*, CK_ULONG);
CK_RV C_VerifySignature(CK_SESSION_HANDLE session, unsigned char*, CK_ULONG);
CK_RV C_VerifySignatureUpdate(CK_SESSION_HANDLE session, unsigned char*, CK_ULONG);
CK_RV C_VerifySignatureFinal(CK_SESSION_HANDLE session);
CK_RV C_GetSessionValidationFlags(CK_SESSION_HANDLE session, CK_SESSION_VALIDATION_FLAGS_TYPE,
                                  CK_FLAGS*);
CK_RV C_AsyncComplete(CK_SESSION_HANDLE session, CK_UTF8CHAR_PTR, CK_ASYNC_DATA_PTR);
CK_RV C_AsyncGetID(CK_SESSION_HANDLE session, CK_UTF8CHAR_PTR, CK_ULONG*);
CK_RV C_AsyncJoin(CK_SESSION_HANDLE session, CK_UTF8CHAR_PTR, CK_ULONG, unsigned char*, CK_ULONG);
CK_RV C_WrapKeyAuthenticated(CK_SESSION_HANDLE session, CK_MECHANISM*, CK_OBJECT_HANDLE,
                             CK_OBJECT_HANDLE, unsigned char*, CK_ULONG, unsigned char*, CK_ULONG*);
CK_RV C_UnwrapKeyAuthenticated(CK_SESSION_HANDLE session, CK_MECHANISM*, CK_OBJECT_HANDLE,
                               unsigned char*, CK_ULONG, CK_ATTRIBUTE*, CK_ULONG, unsigned char*,
                               CK_ULONG, CK_OBJECT_HANDLE*);
}

namespace tallystick::cryptoki {

CK_FUNCTION_LIST* function_list_2_40();
// The newest first: that is what a caller gets who names no version.
std::span<CK_INTERFACE> interface_list();

// C_GetInfo as a list of this version gives it: the interface's version is the list's own.
CK_RV get_info(CK_VERSION version, CK_INFO* info);

}  // namespace tallystick::cryptoki
