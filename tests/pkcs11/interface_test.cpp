// The function lists: 2.40, and 3.0 and 3.2 through C_GetInterface.
#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"

namespace tallystick::test {
namespace {

std::vector<CK_INTERFACE> interfaces(const Module& module) {
  const auto list = reinterpret_cast<CK_C_GetInterfaceList>(module.symbol("C_GetInterfaceList"));
  CK_ULONG count = 0;
  must(list(nullptr, &count));
  std::vector<CK_INTERFACE> out(count);
  must(list(out.data(), &count));
  return out;
}

CK_RV get_interface(const Module& module, const char* name, const CK_VERSION* version,
                    CK_INTERFACE** found, CK_FLAGS flags = 0) {
  const auto get = reinterpret_cast<CK_C_GetInterface>(module.symbol("C_GetInterface"));
  std::array<CK_UTF8CHAR, 32> text{};
  if (name != nullptr) std::memcpy(text.data(), name, std::strlen(name));
  CK_VERSION copy{};
  if (version != nullptr) copy = *version;
  return get(name != nullptr ? text.data() : nullptr, version != nullptr ? &copy : nullptr, found,
             flags);
}

TEST(Interfaces, TheListOfCGetFunctionListSays240) {
  const Module module;
  EXPECT_EQ(module->version.major, 2);
  EXPECT_EQ(module->version.minor, 40);
}

TEST(Interfaces, NoEntryOfAnyListIsNull) {
  const Module module;
  constexpr std::size_t kFirst = offsetof(CK_FUNCTION_LIST, C_Initialize);
  const auto all_set = [](const void* list, std::size_t size) {
    const auto* const raw = static_cast<const unsigned char*>(list);
    for (std::size_t at = kFirst; at < size; at += sizeof(void*)) {
      void* entry = nullptr;
      std::memcpy(&entry, raw + at, sizeof entry);
      if (entry == nullptr) return false;
    }
    return true;
  };
  EXPECT_TRUE(all_set(module.functions(), sizeof(CK_FUNCTION_LIST)));
  EXPECT_TRUE(all_set(module.v3(), sizeof(CK_FUNCTION_LIST_3_0)));
  EXPECT_TRUE(all_set(module.v32(), sizeof(CK_FUNCTION_LIST_3_2)));
}

TEST(Interfaces, TheInterfaceListHoldsAllVersionsTheNewestFirst) {
  const Module module;
  std::vector<std::pair<int, int>> versions;
  for (const auto& interface : interfaces(module)) {
    EXPECT_STREQ(reinterpret_cast<const char*>(interface.pInterfaceName), "PKCS 11");
    const auto* const version = static_cast<const CK_VERSION*>(interface.pFunctionList);
    versions.emplace_back(version->major, version->minor);
  }
  const std::vector<std::pair<int, int>> expected = {{3, 2}, {3, 0}, {2, 40}};
  EXPECT_EQ(versions, expected);
}

TEST(Interfaces, EachListNamesItsOwnVersionInCGetInfo) {
  const Bench bench;
  const auto version_of = [](CK_C_GetInfo get_info) {
    CK_INFO info{};
    must(get_info(&info));
    return std::pair<int, int>(info.cryptokiVersion.major, info.cryptokiVersion.minor);
  };
  EXPECT_EQ(version_of(bench.module()->C_GetInfo), std::pair(2, 40));
  EXPECT_EQ(version_of(bench.module().v3()->C_GetInfo), std::pair(3, 0));
  EXPECT_EQ(version_of(bench.module().v32()->C_GetInfo), std::pair(3, 2));
  EXPECT_EQ(version_of(reinterpret_cast<CK_C_GetInfo>(bench.module().symbol("C_GetInfo"))),
            std::pair(2, 40));
}

// Who holds an older list must find the same functions as who holds a newer one.
TEST(Interfaces, A66_TheOlderListsAreTheBeginningsOfTheNewest) {
  const Module module;
  const auto entry = [](const void* list, std::size_t at) {
    void* found = nullptr;
    std::memcpy(&found, static_cast<const unsigned char*>(list) + at, sizeof found);
    return found;
  };
  for (std::size_t at = offsetof(CK_FUNCTION_LIST, C_Initialize); at < sizeof(CK_FUNCTION_LIST_3_0);
       at += sizeof(void*)) {
    if (at == offsetof(CK_FUNCTION_LIST, C_GetInfo)) continue;
    EXPECT_EQ(entry(module.v3(), at), entry(module.v32(), at)) << at;
    if (at >= sizeof(CK_FUNCTION_LIST)) continue;
    EXPECT_EQ(entry(module.functions(), at), entry(module.v32(), at)) << at;
  }
}

TEST(Interfaces, EveryFunctionIsExportedByItsNameToo) {
  const Module module;
  auto* const list = module.v32();
  const auto is = [&](const char* name, auto entry) {
    EXPECT_EQ(module.symbol(name), reinterpret_cast<void*>(entry)) << name;
  };
  is("C_WaitForSlotEvent", list->C_WaitForSlotEvent);
  is("C_LoginUser", list->C_LoginUser);
  is("C_SessionCancel", list->C_SessionCancel);
  is("C_MessageEncryptInit", list->C_MessageEncryptInit);
  is("C_VerifyMessageNext", list->C_VerifyMessageNext);
  is("C_MessageVerifyFinal", list->C_MessageVerifyFinal);
  is("C_EncapsulateKey", list->C_EncapsulateKey);
  is("C_DecapsulateKey", list->C_DecapsulateKey);
  is("C_VerifySignatureInit", list->C_VerifySignatureInit);
  is("C_VerifySignature", list->C_VerifySignature);
  is("C_VerifySignatureUpdate", list->C_VerifySignatureUpdate);
  is("C_VerifySignatureFinal", list->C_VerifySignatureFinal);
  is("C_GetSessionValidationFlags", list->C_GetSessionValidationFlags);
  is("C_AsyncComplete", list->C_AsyncComplete);
  is("C_AsyncGetID", list->C_AsyncGetID);
  is("C_AsyncJoin", list->C_AsyncJoin);
  is("C_WrapKeyAuthenticated", list->C_WrapKeyAuthenticated);
  is("C_UnwrapKeyAuthenticated", list->C_UnwrapKeyAuthenticated);
}

TEST(Interfaces, AListThatIsTooSmallIsToldItsSize) {
  const Module module;
  const auto list = reinterpret_cast<CK_C_GetInterfaceList>(module.symbol("C_GetInterfaceList"));
  CK_INTERFACE one{};
  CK_ULONG count = 1;
  EXPECT_THAT(list(&one, &count), ReturnsRv(CKR_BUFFER_TOO_SMALL));
  EXPECT_EQ(count, interfaces(module).size());
  EXPECT_EQ(one.pFunctionList, nullptr);
  EXPECT_THAT(list(&one, nullptr), ReturnsRv(CKR_ARGUMENTS_BAD));
}

TEST(Interfaces, ChoosesByNameVersionAndFlags) {
  const Module module;
  CK_INTERFACE* found = nullptr;
  ASSERT_THAT(get_interface(module, nullptr, nullptr, &found), IsOk());
  EXPECT_EQ(static_cast<const CK_VERSION*>(found->pFunctionList)->major, 3);
  EXPECT_EQ(static_cast<const CK_VERSION*>(found->pFunctionList)->minor, 2);

  const CK_VERSION old{2, 40};
  ASSERT_THAT(get_interface(module, "PKCS 11", &old, &found), IsOk());
  EXPECT_EQ(static_cast<const CK_VERSION*>(found->pFunctionList)->minor, 40);

  const CK_VERSION current{3, 0};
  ASSERT_THAT(get_interface(module, "PKCS 11", &current, &found), IsOk());
  EXPECT_EQ(static_cast<const CK_VERSION*>(found->pFunctionList)->major, 3);
  EXPECT_EQ(static_cast<const CK_VERSION*>(found->pFunctionList)->minor, 0);
  const CK_VERSION never_was{3, 1};
  EXPECT_THAT(get_interface(module, "PKCS 11", &never_was, &found), ReturnsRv(CKR_FUNCTION_FAILED));
  // A forked child has to initialise again: that is not what this flag promises.
  EXPECT_THAT(get_interface(module, "PKCS 11", &current, &found, CKF_INTERFACE_FORK_SAFE),
              ReturnsRv(CKR_FUNCTION_FAILED));

  const CK_VERSION unknown{4, 1};
  EXPECT_THAT(get_interface(module, "PKCS 11", &unknown, &found), ReturnsRv(CKR_FUNCTION_FAILED));
  EXPECT_THAT(get_interface(module, "Vendor nobody", nullptr, &found),
              ReturnsRv(CKR_FUNCTION_FAILED));
  EXPECT_THAT(get_interface(module, "PKCS 11", nullptr, &found, 1UL << 40U),
              ReturnsRv(CKR_FUNCTION_FAILED));
  EXPECT_THAT(get_interface(module, "PKCS 11", nullptr, nullptr), ReturnsRv(CKR_ARGUMENTS_BAD));
}

TEST(Interfaces, A66_BothListsEndInOneImplementation) {
  TestToken token;
  auto* const v3 = token.module().v3();
  // A session and an object of one list are those of the other.
  const auto key = generate_aes(token.session());
  CK_ATTRIBUTE value{CKA_VALUE, nullptr, 0};
  EXPECT_THAT(v3->C_GetAttributeValue(token.handle(), key, &value, 1),
              ReturnsRv(CKR_ATTRIBUTE_SENSITIVE));
  CK_BBOOL no = CK_FALSE;
  CK_ATTRIBUTE sensitive{CKA_SENSITIVE, &no, sizeof no};
  EXPECT_THAT(v3->C_SetAttributeValue(token.handle(), key, &sensitive, 1),
              ReturnsRv(CKR_ATTRIBUTE_READ_ONLY));
  EXPECT_THAT(v3->C_Initialize(nullptr), ReturnsRv(CKR_CRYPTOKI_ALREADY_INITIALIZED));
}

TEST(Interfaces, LoginUserServesWithoutAUserNameOnly) {
  TestToken token;
  must(token.session().logout());
  auto* const v3 = token.module().v3();
  std::string pin = kUserPin;
  std::string name = "somebody";
  auto* const text = reinterpret_cast<CK_UTF8CHAR*>(pin.data());
  auto* const user = reinterpret_cast<CK_UTF8CHAR*>(name.data());
  const auto s = token.handle();
  EXPECT_THAT(v3->C_LoginUser(s, CKU_USER, text, pin.size(), user, name.size()),
              ReturnsRv(CKR_PIN_INCORRECT));
  EXPECT_THAT(v3->C_LoginUser(s, CKU_USER, text, pin.size(), nullptr, 1),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(v3->C_LoginUser(s, CKU_USER, nullptr, pin.size(), nullptr, 0),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(v3->C_LoginUser(s, 99, text, pin.size(), nullptr, 0),
              ReturnsRv(CKR_USER_TYPE_INVALID));
  EXPECT_EQ(token.session().state(), static_cast<CK_STATE>(CKS_RW_PUBLIC_SESSION));
  EXPECT_THAT(v3->C_LoginUser(s, CKU_USER, text, pin.size(), nullptr, 0), IsOk());
  EXPECT_EQ(token.session().state(), static_cast<CK_STATE>(CKS_RW_USER_FUNCTIONS));
  EXPECT_THAT(v3->C_LoginUser(s, CKU_USER, text, pin.size(), nullptr, 0),
              ReturnsRv(CKR_USER_ALREADY_LOGGED_IN));
}

TEST(Interfaces, SessionCancelEndsTheOperationsThatItNames) {
  TestToken token;
  auto* const v3 = token.module().v3();
  const auto key = generate_aes(token.session());
  Gcm gcm(core::Bytes(12, 1));
  ASSERT_THAT(token->C_EncryptInit(token.handle(), gcm.get(), key), IsOk());
  Mechanism sha(CKM_SHA256);
  ASSERT_THAT(token->C_DigestInit(token.handle(), sha.get()), IsOk());
  ASSERT_THAT(v3->C_SessionCancel(token.handle(), CKF_ENCRYPT), IsOk());

  std::array<CK_BYTE, 64> out{};
  CK_ULONG size = out.size();
  EXPECT_THAT(token->C_EncryptFinal(token.handle(), out.data(), &size),
              ReturnsRv(CKR_OPERATION_NOT_INITIALIZED));
  size = out.size();
  EXPECT_THAT(token->C_DigestFinal(token.handle(), out.data(), &size), IsOk());
  EXPECT_EQ(size, 32U);
}

TEST(Interfaces, FunctionsOf32ThatTheTokenDoesNotOfferSaySo) {
  TestToken token;
  auto* const v32 = token.module().v32();
  const auto s = token.handle();
  std::array<CK_UTF8CHAR, 8> name = {'C', '_', 'S', 'i', 'g', 'n', 0, 0};
  CK_ULONG number = 0;
  CK_BYTE byte = 0;
  CK_ASYNC_DATA data{};
  EXPECT_THAT(v32->C_AsyncComplete(s, name.data(), &data), ReturnsRv(CKR_FUNCTION_NOT_SUPPORTED));
  EXPECT_THAT(v32->C_AsyncGetID(s, name.data(), &number), ReturnsRv(CKR_FUNCTION_NOT_SUPPORTED));
  EXPECT_THAT(v32->C_AsyncJoin(s, name.data(), 0, &byte, 1), ReturnsRv(CKR_FUNCTION_NOT_SUPPORTED));
  EXPECT_THAT(v32->C_AsyncJoin(s + 1000, name.data(), 0, &byte, 1),
              ReturnsRv(CKR_SESSION_HANDLE_INVALID));

  // A mechanism that does not encapsulate, and one that there is not.
  Mechanism gcm(CKM_AES_GCM);
  Mechanism unknown(CKM_DES_CBC);
  CK_OBJECT_HANDLE key = 77;
  for (auto* const mechanism : {&gcm, &unknown}) {
    EXPECT_THAT(v32->C_EncapsulateKey(s, mechanism->get(), 1, nullptr, 0, &byte, &number, &key),
                ReturnsRv(CKR_MECHANISM_INVALID));
    EXPECT_THAT(v32->C_DecapsulateKey(s, mechanism->get(), 1, nullptr, 0, &byte, 1, &key),
                ReturnsRv(CKR_MECHANISM_INVALID));
  }
  EXPECT_THAT(v32->C_EncapsulateKey(s, nullptr, 1, nullptr, 0, &byte, &number, &key),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(v32->C_DecapsulateKey(s, gcm.get(), 1, nullptr, 0, nullptr, 1, &key),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_EQ(key, 77U);
}

TEST(Interfaces, TheTokenClaimsNoValidation) {
  TestToken token;
  auto* const v32 = token.module().v32();
  CK_FLAGS flags = 77;
  EXPECT_THAT(v32->C_GetSessionValidationFlags(token.handle(), CKS_LAST_VALIDATION_OK, &flags),
              IsOk());
  EXPECT_EQ(flags, 0U);
  EXPECT_THAT(v32->C_GetSessionValidationFlags(token.handle(), 2, &flags),
              ReturnsRv(CKR_ARGUMENTS_BAD));
  EXPECT_THAT(v32->C_GetSessionValidationFlags(token.handle(), CKS_LAST_VALIDATION_OK, nullptr),
              ReturnsRv(CKR_ARGUMENTS_BAD));
}

}  // namespace
}  // namespace tallystick::test
