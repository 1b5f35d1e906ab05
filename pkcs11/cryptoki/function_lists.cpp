#include "pkcs11/cryptoki/function_lists.h"

#include <array>
#include <cstddef>
#include <cstring>

namespace tallystick::cryptoki {
namespace {

CK_RV get_info_3_0(CK_INFO* info) { return get_info({3, 0}, info); }
CK_RV get_info_3_2(CK_INFO* info) { return get_info({3, 2}, info); }

// Everything there is, in PKCS#11's order. The older lists are its beginnings.
CK_FUNCTION_LIST_3_2 list_3_2 = {
    {3, 2},
    C_Initialize,
    C_Finalize,
    get_info_3_2,
    C_GetFunctionList,
    C_GetSlotList,
    C_GetSlotInfo,
    C_GetTokenInfo,
    C_GetMechanismList,
    C_GetMechanismInfo,
    C_InitToken,
    C_InitPIN,
    C_SetPIN,
    C_OpenSession,
    C_CloseSession,
    C_CloseAllSessions,
    C_GetSessionInfo,
    C_GetOperationState,
    C_SetOperationState,
    C_Login,
    C_Logout,
    C_CreateObject,
    C_CopyObject,
    C_DestroyObject,
    C_GetObjectSize,
    C_GetAttributeValue,
    C_SetAttributeValue,
    C_FindObjectsInit,
    C_FindObjects,
    C_FindObjectsFinal,
    C_EncryptInit,
    C_Encrypt,
    C_EncryptUpdate,
    C_EncryptFinal,
    C_DecryptInit,
    C_Decrypt,
    C_DecryptUpdate,
    C_DecryptFinal,
    C_DigestInit,
    C_Digest,
    C_DigestUpdate,
    C_DigestKey,
    C_DigestFinal,
    C_SignInit,
    C_Sign,
    C_SignUpdate,
    C_SignFinal,
    C_SignRecoverInit,
    C_SignRecover,
    C_VerifyInit,
    C_Verify,
    C_VerifyUpdate,
    C_VerifyFinal,
    C_VerifyRecoverInit,
    C_VerifyRecover,
    C_DigestEncryptUpdate,
    C_DecryptDigestUpdate,
    C_SignEncryptUpdate,
    C_DecryptVerifyUpdate,
    C_GenerateKey,
    C_GenerateKeyPair,
    C_WrapKey,
    C_UnwrapKey,
    C_DeriveKey,
    C_SeedRandom,
    C_GenerateRandom,
    C_GetFunctionStatus,
    C_CancelFunction,
    C_WaitForSlotEvent,
    C_GetInterfaceList,
    C_GetInterface,
    C_LoginUser,
    C_SessionCancel,
    C_MessageEncryptInit,
    C_EncryptMessage,
    C_EncryptMessageBegin,
    C_EncryptMessageNext,
    C_MessageEncryptFinal,
    C_MessageDecryptInit,
    C_DecryptMessage,
    C_DecryptMessageBegin,
    C_DecryptMessageNext,
    C_MessageDecryptFinal,
    C_MessageSignInit,
    C_SignMessage,
    C_SignMessageBegin,
    C_SignMessageNext,
    C_MessageSignFinal,
    C_MessageVerifyInit,
    C_VerifyMessage,
    C_VerifyMessageBegin,
    C_VerifyMessageNext,
    C_MessageVerifyFinal,
    C_EncapsulateKey,
    C_DecapsulateKey,
    C_VerifySignatureInit,
    C_VerifySignature,
    C_VerifySignatureUpdate,
    C_VerifySignatureFinal,
    C_GetSessionValidationFlags,
    C_AsyncComplete,
    C_AsyncGetID,
    C_AsyncJoin,
    C_WrapKeyAuthenticated,
    C_UnwrapKeyAuthenticated,
};

// Where the functions begin: after the version and what pads it.
constexpr std::size_t kFirst = offsetof(CK_FUNCTION_LIST_3_2, C_Initialize);
constexpr std::size_t kEntry = sizeof(void*);
static_assert(offsetof(CK_FUNCTION_LIST, C_Initialize) == kFirst);
static_assert(offsetof(CK_FUNCTION_LIST_3_0, C_Initialize) == kFirst);
// Each list ends with the last function of its version, at the same place in all of them.
static_assert(offsetof(CK_FUNCTION_LIST, C_WaitForSlotEvent) == kFirst + 67 * kEntry);
static_assert(sizeof(CK_FUNCTION_LIST) == kFirst + 68 * kEntry);
static_assert(offsetof(CK_FUNCTION_LIST_3_0, C_WaitForSlotEvent) == kFirst + 67 * kEntry);
static_assert(offsetof(CK_FUNCTION_LIST_3_0, C_MessageVerifyFinal) == kFirst + 91 * kEntry);
static_assert(sizeof(CK_FUNCTION_LIST_3_0) == kFirst + 92 * kEntry);
static_assert(offsetof(CK_FUNCTION_LIST_3_2, C_WaitForSlotEvent) == kFirst + 67 * kEntry);
static_assert(offsetof(CK_FUNCTION_LIST_3_2, C_MessageVerifyFinal) == kFirst + 91 * kEntry);
static_assert(offsetof(CK_FUNCTION_LIST_3_2, C_EncapsulateKey) == kFirst + 92 * kEntry);
static_assert(offsetof(CK_FUNCTION_LIST_3_2, C_VerifySignatureInit) == kFirst + 94 * kEntry);
static_assert(offsetof(CK_FUNCTION_LIST_3_2, C_AsyncJoin) == kFirst + 101 * kEntry);
static_assert(offsetof(CK_FUNCTION_LIST_3_2, C_WrapKeyAuthenticated) == kFirst + 102 * kEntry);
static_assert(offsetof(CK_FUNCTION_LIST_3_2, C_UnwrapKeyAuthenticated) == kFirst + 103 * kEntry);
static_assert(sizeof(CK_FUNCTION_LIST_3_2) == kFirst + 104 * kEntry);

template <typename List>
List beginning(CK_VERSION version, CK_C_GetInfo info) {
  static_assert(sizeof(List) < sizeof(CK_FUNCTION_LIST_3_2));
  List list{};
  std::memcpy(&list, &list_3_2, sizeof list);
  list.version = version;
  list.C_GetInfo = info;
  return list;
}

// Nothing past the end of these is ever read by who asked for their version.
CK_FUNCTION_LIST list_2_40 = beginning<CK_FUNCTION_LIST>({2, 40}, C_GetInfo);
CK_FUNCTION_LIST_3_0 list_3_0 = beginning<CK_FUNCTION_LIST_3_0>({3, 0}, get_info_3_0);

std::array<CK_UTF8CHAR, 8> name = {'P', 'K', 'C', 'S', ' ', '1', '1', 0};
// Headers differ in the characters of a name.
using Name = decltype(CK_INTERFACE::pInterfaceName);
Name interface_name() { return reinterpret_cast<Name>(name.data()); }

std::array<CK_INTERFACE, 3> interfaces = {{
    {interface_name(), &list_3_2, 0},
    {interface_name(), &list_3_0, 0},
    {interface_name(), &list_2_40, 0},
}};

}  // namespace

CK_FUNCTION_LIST* function_list_2_40() { return &list_2_40; }
std::span<CK_INTERFACE> interface_list() { return interfaces; }

}  // namespace tallystick::cryptoki
