// Call: one call of a C_* function as data, so that it can be made again, printed, and left out of
// a list. Objects, sessions and outputs are named by the call that made them: what was not made is
// named all the same, and the call then meets a handle of nothing.
#pragma once

#include <string>

#include "tests/model/attribute.h"

namespace tallystick::model {

// The call's number; for objects twice that, and one more for the private half of a pair.
using Ref = unsigned;

enum class Op {
  kOpenSession,
  kCloseSession,
  kCloseAllSessions,
  kSessionInfo,
  kLogin,
  kLogout,
  kInitPin,
  kSetPin,
  kCreate,
  kCopy,
  kDestroy,
  kSet,
  kGet,
  kFindInit,
  kFind,
  kFindFinal,
  kGenerate,
  kGeneratePair,
  kWrap,
  kUnwrap,
  kDerive,
  kInit,  // of encryption, decryption, signature, verification or digest: `use` says which
  kRun,
  kDigestKey,
  kSaveState,
  kRestoreState,
};
const char* op_name(Op op);

enum class Use { kEncrypt, kDecrypt, kSign, kVerify, kDigest, kWrap, kUnwrap, kDerive };
const char* use_name(Use use);

// How a call is made wrong, or asks for less.
enum class Shape {
  kPlain,
  kLengthOnly,    // NULL where the output would go
  kTooSmall,      // a buffer of one byte
  kNullPointer,   // NULL where the standard wants something
  kBadParameter,  // a mechanism's parameter of a wrong length
  kTampered,      // one bit of the input flipped
};
const char* shape_name(Shape shape);

struct Call {
  unsigned id = 0;
  Op op = Op::kSessionInfo;
  Ref session = 0;
  Ref object = 0;
  Ref key = 0;          // what is wrapped
  Ref blob = 0;         // the call whose output is the input
  CK_ULONG number = 0;  // slot, flags, user type, count, length
  CK_ULONG slot = 0;    // of a new session
  Use use = Use::kEncrypt;
  Shape shape = Shape::kPlain;
  CK_MECHANISM_TYPE mechanism = 0;
  Bytes bytes;  // PIN, data, vendor parameter
  Bytes more;   // the new PIN
  Template attributes;
  Template attributes2;  // of the private half
};
std::string to_text(const Call& call);

std::string rv_text(CK_RV rv);
std::string mechanism_text(CK_MECHANISM_TYPE type);

}  // namespace tallystick::model
