// Puts a secret key of known bytes into a token, for tests that compare what the token makes of it:
//
//   provider_import_secret MODULE TOKEN PIN LABEL TYPE ID FILE [USE]...
//
// TYPE is AES or GENERIC, ID two hexadecimal digits, USE sign, encrypt, or derive.
#include <dlfcn.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <p11-kit/pkcs11.h>

namespace {

int failed(const char* what, CK_RV rv) {
  std::fprintf(stderr, "%s: 0x%lx\n", what, rv);
  return 1;
}

bool has_label(const CK_TOKEN_INFO& info, const std::string& label) {
  std::string padded = label;
  padded.resize(sizeof info.label, ' ');
  return padded == std::string(reinterpret_cast<const char*>(info.label), sizeof info.label);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> given(argv + 1, argv + argc);
  if (given.size() < 7) return failed("arguments", given.size());
  void* library = ::dlopen(given[0].c_str(), RTLD_NOW);
  auto get = library == nullptr
                 ? nullptr
                 : reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
  CK_FUNCTION_LIST* p11 = nullptr;
  if (get == nullptr || get(&p11) != CKR_OK) return failed("module", 0);
  CK_RV rv = p11->C_Initialize(nullptr);
  if (rv != CKR_OK) return failed("C_Initialize", rv);
  CK_ULONG count = 16;
  std::vector<CK_SLOT_ID> slots(count);
  rv = p11->C_GetSlotList(CK_TRUE, slots.data(), &count);
  if (rv != CKR_OK) return failed("C_GetSlotList", rv);
  CK_SESSION_HANDLE session = 0;
  for (CK_ULONG i = 0; i < count && session == 0; ++i) {
    CK_TOKEN_INFO info{};
    if (p11->C_GetTokenInfo(slots[i], &info) != CKR_OK || !has_label(info, given[1])) continue;
    rv = p11->C_OpenSession(slots[i], CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr,
                            &session);
    if (rv != CKR_OK) return failed("C_OpenSession", rv);
  }
  std::string pin = given[2];
  rv = p11->C_Login(session, CKU_USER, reinterpret_cast<CK_UTF8CHAR*>(pin.data()), pin.size());
  if (rv != CKR_OK) return failed("C_Login", rv);

  std::ifstream file(given[6], std::ios::binary);
  std::string value{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  std::string label = given[3];
  auto id = static_cast<CK_BYTE>(std::stoul(given[5], nullptr, 16));
  CK_OBJECT_CLASS object_class = CKO_SECRET_KEY;
  CK_KEY_TYPE type = given[4] == "AES" ? CKK_AES : CKK_GENERIC_SECRET;
  CK_BBOOL yes = CK_TRUE;
  CK_BBOOL no = CK_FALSE;
  std::vector<CK_ATTRIBUTE> key{{CKA_CLASS, &object_class, sizeof object_class},
                                {CKA_KEY_TYPE, &type, sizeof type},
                                {CKA_TOKEN, &yes, sizeof yes},
                                {CKA_PRIVATE, &yes, sizeof yes},
                                {CKA_SENSITIVE, &yes, sizeof yes},
                                {CKA_LABEL, label.data(), label.size()},
                                {CKA_ID, &id, sizeof id},
                                {CKA_VALUE, value.data(), value.size()}};
  // Modules differ in what they take for granted.
  const auto use = [&](CK_ATTRIBUTE_TYPE attribute, const char* name) {
    const bool wanted = std::find(given.begin() + 7, given.end(), name) != given.end();
    key.push_back({attribute, wanted ? &yes : &no, sizeof yes});
  };
  use(CKA_SIGN, "sign");
  use(CKA_ENCRYPT, "encrypt");
  use(CKA_DECRYPT, "encrypt");
  use(CKA_DERIVE, "derive");
  CK_OBJECT_HANDLE handle = 0;
  rv = p11->C_CreateObject(session, key.data(), key.size(), &handle);
  if (rv != CKR_OK) return failed("C_CreateObject", rv);
  p11->C_Finalize(nullptr);
  return 0;
}
