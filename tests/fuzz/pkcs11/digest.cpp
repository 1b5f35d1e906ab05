// Digests, and the states that C_GetOperationState saves: one that is put back goes on as it was,
// one that was altered is refused. Input: the mechanism, u8 kind, u8 place, data before, data
// after; or for kind 1 a state that came from nowhere.
#include "tests/fuzz/support/calls.h"
#include "tests/fuzz/support/token.h"

using namespace tallystick;

namespace {

using fuzz::Arguments;
using fuzz::Region;

core::Bytes finish(Arguments& arguments, CK_SESSION_HANDLE session, const Region& more) {
  const auto& p11 = fuzz::token();
  if (p11->C_DigestUpdate(session, more.data, more.size) != CKR_OK) return {};
  return fuzz::answer(arguments, [&](CK_BYTE* out, CK_ULONG* size) {
    return p11->C_DigestFinal(session, out, size);
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto& p11 = fuzz::token();
  fuzz::Input in(data, size);
  Arguments arguments(in);
  const fuzz::Session session;
  auto* const mechanism = arguments.mechanism();
  const auto kind = in.u8();
  const auto place = in.u8();
  const auto before = arguments.region();
  if (kind % 4U == 1) {
    (void)p11->C_SetOperationState(session.handle(), before.data, before.size, arguments.key(),
                                   arguments.key());
  }
  if (p11->C_DigestInit(session.handle(), mechanism) != CKR_OK) return 0;
  if (kind % 4U == 2) {
    (void)p11->C_DigestKey(session.handle(), arguments.key());
  }
  if (kind % 4U == 3) {
    (void)fuzz::answer(arguments, [&](CK_BYTE* out, CK_ULONG* length) {
      return p11->C_Digest(session.handle(), before.data, before.size, out, length);
    });
    return 0;
  }
  if (p11->C_DigestUpdate(session.handle(), before.data, before.size) != CKR_OK) return 0;
  auto state = fuzz::answer(arguments, [&](CK_BYTE* out, CK_ULONG* length) {
    return p11->C_GetOperationState(session.handle(), out, length);
  });
  const auto after = arguments.region();
  const auto digest = finish(arguments, session.handle(), after);
  if (state.empty() || digest.empty()) return 0;

  const fuzz::Session other;
  auto ticket = fuzz::copied(arguments, state);
  ticket.data[place % state.size()] ^= static_cast<std::uint8_t>(1U << (place % 8U));
  fuzz::expect(p11->C_SetOperationState(other.handle(), ticket.data, ticket.size, 0, 0) ==
                   CKR_SAVED_STATE_INVALID,
               "an altered state is refused");
  fuzz::expect(p11->C_SetOperationState(other.handle(), ticket.data, place % state.size(), 0, 0) ==
                   CKR_SAVED_STATE_INVALID,
               "a state that is cut off is refused");
  auto whole = fuzz::copied(arguments, state);
  fuzz::expect(p11->C_SetOperationState(other.handle(), whole.data, whole.size, 0, 0) == CKR_OK,
               "a saved state is taken back");
  const auto again = finish(arguments, other.handle(), after);
  fuzz::expect(again.empty() || again == digest, "a state that was put back goes on as it was");
  return 0;
}
