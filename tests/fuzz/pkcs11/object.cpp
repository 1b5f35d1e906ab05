// Templates: C_CreateObject, C_CopyObject, C_SetAttributeValue, C_GetAttributeValue and searches
// with types, lengths and values of the fuzzer's, nested ones too. Input: steps of u8 function and
// what it takes.
#include "tests/fuzz/support/argument_lists.h"
#include "tests/fuzz/support/calls.h"
#include "tests/fuzz/support/token.h"

using namespace tallystick;

namespace {

using fuzz::Arguments;
using fuzz::Session;

void search(Arguments& arguments, Session& session) {
  const auto& p11 = fuzz::token();
  const auto pattern = arguments.attributes();
  if (p11->C_FindObjectsInit(session.handle(), pattern.attributes, pattern.count) != CKR_OK) return;
  const CK_ULONG most = arguments.in().u8() % 64U;
  auto* const found =
      reinterpret_cast<CK_OBJECT_HANDLE*>(arguments.memory().room(most * sizeof(CK_OBJECT_HANDLE)));
  CK_ULONG count = 0;
  if (p11->C_FindObjects(session.handle(), found, most, &count) == CKR_OK) {
    fuzz::expect(count <= most, "no more objects are found than there is room for");
  }
  (void)p11->C_FindObjectsFinal(session.handle());
}

// Asks for lengths, then for the values, each into memory of exactly its length.
void read(Arguments& arguments, Session& session, CK_OBJECT_HANDLE object) {
  const auto& p11 = fuzz::token();
  std::vector<CK_ATTRIBUTE> wanted;
  for (unsigned i = arguments.in().u8() % 24U; i > 0; --i) {
    wanted.push_back({arguments.in().pick(fuzz::kAttributes), nullptr, 0});
  }
  (void)p11->C_GetAttributeValue(session.handle(), object, wanted.data(), wanted.size());
  for (auto& attribute : wanted) {
    if (attribute.ulValueLen == CK_UNAVAILABLE_INFORMATION) attribute.ulValueLen = 0;
    fuzz::expect(attribute.ulValueLen <= fuzz::kMostAnnounced, "an attribute is not that long");
    if (arguments.in().u8() >= 0xE0 && attribute.ulValueLen > 0) --attribute.ulValueLen;
    // An array of attributes holds pointers of the caller's: those are null here.
    attribute.pValue = arguments.memory().room(attribute.ulValueLen);
    std::memset(attribute.pValue, 0, attribute.ulValueLen);
  }
  (void)p11->C_GetAttributeValue(session.handle(), object, wanted.data(), wanted.size());
  CK_ULONG size = 0;
  (void)p11->C_GetObjectSize(session.handle(), object, &size);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto& p11 = fuzz::token();
  fuzz::Input in(data, size);
  Arguments arguments(in);
  Session session;
  CK_OBJECT_HANDLE latest = 0;
  for (unsigned step = 0; step < 6 && !in.empty(); ++step) {
    const auto function = in.u8();
    // What the seed has is only looked at.
    const auto object = (function & 0x80U) != 0 || latest == 0 ? arguments.key() : latest;
    CK_OBJECT_HANDLE made = 0;
    switch (function % 5U) {
      case 0: {
        const auto wanted = arguments.attributes();
        if (p11->C_CreateObject(session.handle(), wanted.attributes, wanted.count, &made) ==
            CKR_OK) {
          latest = made;
          session.made(made);
        }
        break;
      }
      case 1: {
        const auto wanted = arguments.attributes();
        if (p11->C_CopyObject(session.handle(), object, wanted.attributes, wanted.count, &made) ==
            CKR_OK) {
          latest = made;
          session.made(made);
        }
        break;
      }
      case 2: {
        const auto wanted = arguments.attributes();
        if (latest != 0) {
          (void)p11->C_SetAttributeValue(session.handle(), latest, wanted.attributes, wanted.count);
        }
        break;
      }
      case 3:
        search(arguments, session);
        break;
      default:
        read(arguments, session, object);
        break;
    }
  }
  return 0;
}
