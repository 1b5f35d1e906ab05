// Message after message under one key: C_EncryptMessage and its like. Input: u8 flags (1 decrypt),
// the key, the mechanism, then messages: u8 kind (1: in parts), parameter, associated data, data.
#include "tests/fuzz/support/calls.h"
#include "tests/fuzz/support/token.h"

using namespace tallystick;

namespace {

using fuzz::Arguments;

void message(Arguments& arguments, CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type,
             bool decrypt) {
  const auto& p11 = fuzz::token();
  auto& in = arguments.in();
  const bool parts = in.flag();
  const auto parameter = arguments.message_parameter(type);
  const auto aad = arguments.region();
  if (!parts) {
    const auto data = arguments.region();
    (void)fuzz::answer(arguments, [&](CK_BYTE* out, CK_ULONG* size) {
      return (decrypt ? p11->C_DecryptMessage : p11->C_EncryptMessage)(
          session, parameter.data, parameter.size, aad.data, aad.size, data.data, data.size, out,
          size);
    });
    return;
  }
  const auto begun = (decrypt ? p11->C_DecryptMessageBegin : p11->C_EncryptMessageBegin)(
      session, parameter.data, parameter.size, aad.data, aad.size);
  if (begun != CKR_OK) return;
  bool last = false;
  while (!last && !in.empty()) {
    const auto flags = in.u8();
    last = (flags & 1U) != 0;
    const auto data = arguments.region();
    (void)fuzz::answer(arguments, [&](CK_BYTE* out, CK_ULONG* size) {
      return (decrypt ? p11->C_DecryptMessageNext : p11->C_EncryptMessageNext)(
          session, parameter.data, parameter.size, data.data, data.size, out, size,
          flags < 0xF8 ? flags & 1U : flags);
    });
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto& p11 = fuzz::token();
  fuzz::Input in(data, size);
  Arguments arguments(in);
  const fuzz::Session session;
  const bool decrypt = in.flag();
  const auto key = arguments.key();
  auto* const mechanism = arguments.mechanism();
  const auto begun = (decrypt ? p11->C_MessageDecryptInit : p11->C_MessageEncryptInit)(
      session.handle(), mechanism, key);
  if (begun != CKR_OK) return 0;
  for (unsigned i = 0; i < 4 && !in.empty(); ++i) {
    message(arguments, session.handle(), mechanism->mechanism, decrypt);
  }
  (void)(decrypt ? p11->C_MessageDecryptFinal : p11->C_MessageEncryptFinal)(session.handle());
  return 0;
}
