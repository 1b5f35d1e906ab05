// The function lists: 2.40, and 3.0 through C_GetInterface.
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

TEST(Interfaces, NoEntryOfEitherListIsNull) {
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
}

TEST(Interfaces, TheInterfaceListHoldsBothVersions) {
  const Module module;
  const auto all = interfaces(module);
  bool has_2_40 = false;
  bool has_3_0 = false;
  for (const auto& interface : all) {
    EXPECT_STREQ(reinterpret_cast<const char*>(interface.pInterfaceName), "PKCS 11");
    const auto* const version = static_cast<const CK_VERSION*>(interface.pFunctionList);
    has_2_40 = has_2_40 || (version->major == 2 && version->minor == 40);
    has_3_0 = has_3_0 || (version->major == 3 && version->minor == 0);
  }
  EXPECT_TRUE(has_2_40);
  EXPECT_TRUE(has_3_0);
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

  const CK_VERSION old{2, 40};
  ASSERT_THAT(get_interface(module, "PKCS 11", &old, &found), IsOk());
  EXPECT_EQ(static_cast<const CK_VERSION*>(found->pFunctionList)->minor, 40);

  const CK_VERSION current{3, 0};
  ASSERT_THAT(get_interface(module, "PKCS 11", &current, &found), IsOk());
  EXPECT_EQ(static_cast<const CK_VERSION*>(found->pFunctionList)->major, 3);
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

TEST(Interfaces, LoginUserServesWithoutAUserName) {
  TestToken token;
  must(token.session().logout());
  auto* const v3 = token.module().v3();
  std::string pin = kUserPin;
  auto* const text = reinterpret_cast<CK_UTF8CHAR*>(pin.data());
  const auto rv = v3->C_LoginUser(token.handle(), CKU_USER, text, pin.size(), nullptr, 0);
  EXPECT_TRUE(rv == CKR_OK || rv == CKR_FUNCTION_NOT_SUPPORTED) << rv_name(rv);
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

TEST(Interfaces, MessageFunctionsThatAreNotThereYetSaySo) {
  TestToken token;
  auto* const v3 = token.module().v3();
  Mechanism gcm(CKM_AES_GCM);
  EXPECT_THAT(v3->C_MessageEncryptInit(token.handle(), gcm.get(), 1),
              ReturnsRv(CKR_FUNCTION_NOT_SUPPORTED));
  EXPECT_THAT(v3->C_MessageSignFinal(token.handle()), ReturnsRv(CKR_FUNCTION_NOT_SUPPORTED));
}

}  // namespace
}  // namespace tallystick::test
