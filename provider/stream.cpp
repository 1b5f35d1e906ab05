#include "provider/stream.h"

#include "provider/mechanism_names.h"

namespace tallystick::provider {
namespace {

// The longest MAC or digest.
constexpr std::size_t kMostValue = 64;
// What a cipher may give beyond what it took: a block that it held back, padding, a tag.
constexpr std::size_t kMostExtra = 64;
constexpr std::size_t kMostState = 64UL * 1024UL;

// The const of input buffers, which the 2.40 prototypes lack.
CK_BYTE* in(core::ByteView bytes) { return const_cast<CK_BYTE*>(bytes.data()); }
CK_ULONG length(core::ByteView bytes) { return static_cast<CK_ULONG>(bytes.size()); }

const char* verb(StreamKind kind) {
  switch (kind) {
    case StreamKind::kSign:
      return "sign by ";
    case StreamKind::kDigest:
      return "digest by ";
    case StreamKind::kEncrypt:
      return "encrypt by ";
    case StreamKind::kDecrypt:
      return "decrypt by ";
  }
  return "";
}

// body(place, &size) -> CK_RV writes behind what is in `out`, where `room` bytes are made for it.
// The place is never null, which would ask for a length only, and leave the operation as it is.
template <typename Body>
CK_RV append(core::WipedBytes& out, std::size_t room, Body body) {
  const std::size_t before = out.size();
  out.resize(before + room + 1);
  auto size = static_cast<CK_ULONG>(room);
  CK_RV rv = body(out.data() + before, &size);
  if (rv == CKR_OK && size > room) rv = CKR_DEVICE_ERROR;
  out.resize(rv == CKR_OK ? before + size : before);
  return rv;
}

}  // namespace

Outcome<Stream> Stream::begin(StreamKind kind, Session& session, Mechanism& mechanism,
                              ObjectHandle key) {
  CK_MECHANISM used = mechanism.get();
  std::string what = verb(kind) + mechanism_name(used.mechanism);
  const Module& module = session.module();
  CK_RV rv = CKR_FUNCTION_NOT_SUPPORTED;
  switch (kind) {
    case StreamKind::kSign:
      rv = module.call(&CK_FUNCTION_LIST::C_SignInit, session.handle(), &used, key);
      break;
    case StreamKind::kDigest:
      rv = module.call(&CK_FUNCTION_LIST::C_DigestInit, session.handle(), &used);
      break;
    case StreamKind::kEncrypt:
      rv = module.call(&CK_FUNCTION_LIST::C_EncryptInit, session.handle(), &used, key);
      break;
    case StreamKind::kDecrypt:
      rv = module.call(&CK_FUNCTION_LIST::C_DecryptInit, session.handle(), &used, key);
      break;
  }
  if (rv != CKR_OK) {
    session.discard();
    return from_rv(Reason::kOperation, session.name() + ": " + what, rv);
  }
  return Stream(kind, std::move(what), std::move(session));
}

Stream::Stream(Stream&& other) noexcept
    : kind_(other.kind_),
      what_(std::move(other.what_)),
      session_(std::move(other.session_)),
      active_(std::exchange(other.active_, false)) {}

Stream::~Stream() {
  if (active_) session_.discard();
}

Failure Stream::failed(CK_RV rv) const {
  return from_rv(Reason::kOperation, session_.name() + ": " + what_, rv);
}

Done Stream::take(core::ByteView data) {
  // Some modules refuse a null pointer, and nothing changes by nothing.
  if (data.empty()) return {};
  const CK_RV rv = kind_ == StreamKind::kSign
                       ? call(&CK_FUNCTION_LIST::C_SignUpdate, in(data), length(data))
                       : call(&CK_FUNCTION_LIST::C_DigestUpdate, in(data), length(data));
  if (rv != CKR_OK) return failed(rv);
  return {};
}

Outcome<core::Bytes> Stream::finish() {
  core::Bytes value(kMostValue);
  auto size = static_cast<CK_ULONG>(value.size());
  const CK_RV rv = kind_ == StreamKind::kSign
                       ? call(&CK_FUNCTION_LIST::C_SignFinal, value.data(), &size)
                       : call(&CK_FUNCTION_LIST::C_DigestFinal, value.data(), &size);
  if (rv != CKR_OK) return failed(rv);
  active_ = false;
  if (size > value.size()) return failed(CKR_DEVICE_ERROR);
  value.resize(size);
  return value;
}

Outcome<core::Bytes> Stream::whole(core::ByteView data) {
  data = addressed(data);
  core::Bytes value(kMostValue);
  auto size = static_cast<CK_ULONG>(value.size());
  const CK_RV rv =
      kind_ == StreamKind::kSign
          ? call(&CK_FUNCTION_LIST::C_Sign, in(data), length(data), value.data(), &size)
          : call(&CK_FUNCTION_LIST::C_Digest, in(data), length(data), value.data(), &size);
  if (rv != CKR_OK) return failed(rv);
  active_ = false;
  if (size > value.size()) return failed(CKR_DEVICE_ERROR);
  value.resize(size);
  return value;
}

Done Stream::transform(core::ByteView data, core::WipedBytes& out) {
  if (data.empty()) return {};
  const auto function = kind_ == StreamKind::kEncrypt ? &CK_FUNCTION_LIST::C_EncryptUpdate
                                                      : &CK_FUNCTION_LIST::C_DecryptUpdate;
  const CK_RV rv = append(out, data.size() + kMostExtra, [&](CK_BYTE* place, CK_ULONG* size) {
    return call(function, in(data), length(data), place, size);
  });
  if (rv != CKR_OK) return failed(rv);
  return {};
}

Done Stream::finish(core::WipedBytes& out) {
  const auto function = kind_ == StreamKind::kEncrypt ? &CK_FUNCTION_LIST::C_EncryptFinal
                                                      : &CK_FUNCTION_LIST::C_DecryptFinal;
  const CK_RV rv = append(
      out, kMostExtra, [&](CK_BYTE* place, CK_ULONG* size) { return call(function, place, size); });
  if (rv != CKR_OK) return failed(rv);
  active_ = false;
  return {};
}

// The empty message at a real address: modules take a null pointer for a mistake.
core::ByteView Stream::addressed(core::ByteView data) {
  static const std::uint8_t nothing = 0;
  return data.empty() ? core::ByteView(&nothing, 0) : data;
}

Outcome<std::size_t> Stream::size_of(core::ByteView data) const {
  data = addressed(data);
  const auto function =
      kind_ == StreamKind::kEncrypt ? &CK_FUNCTION_LIST::C_Encrypt : &CK_FUNCTION_LIST::C_Decrypt;
  // That does not end the operation.
  CK_ULONG size = 0;
  const CK_RV rv = call(function, in(data), length(data), static_cast<CK_BYTE*>(nullptr), &size);
  if (rv != CKR_OK) return failed(rv);
  // Sealing adds a tag to every 16 KiB and a salt; nothing sensible adds more.
  if (size > data.size() + data.size() / 64 + 4096) return failed(CKR_DEVICE_ERROR);
  return std::size_t{size};
}

Done Stream::whole(core::ByteView data, core::WipedBytes& out) {
  const auto room = size_of(data);
  if (!room) return room.error();
  data = addressed(data);
  const auto function =
      kind_ == StreamKind::kEncrypt ? &CK_FUNCTION_LIST::C_Encrypt : &CK_FUNCTION_LIST::C_Decrypt;
  const CK_RV rv = append(out, *room, [&](CK_BYTE* place, CK_ULONG* size) {
    return call(function, in(data), length(data), place, size);
  });
  if (rv != CKR_OK) return failed(rv);
  active_ = false;
  return {};
}

Outcome<Stream> Stream::duplicate(Session& session) const {
  CK_ULONG size = 0;
  CK_RV rv = call(&CK_FUNCTION_LIST::C_GetOperationState, static_cast<CK_BYTE*>(nullptr), &size);
  core::WipedBytes state(rv == CKR_OK && size <= kMostState ? size : 0);
  if (rv == CKR_OK) rv = call(&CK_FUNCTION_LIST::C_GetOperationState, state.data(), &size);
  if (rv == CKR_OK && size > state.size()) rv = CKR_DEVICE_ERROR;
  if (rv == CKR_OK) {
    rv = session.module().call(&CK_FUNCTION_LIST::C_SetOperationState, session.handle(),
                               state.data(), size, ObjectHandle{0}, ObjectHandle{0});
  }
  if (rv != CKR_OK) {
    session.discard();
    return from_rv(Reason::kOperation, session_.name() + ": copy what " + what_ + " has begun", rv);
  }
  return Stream(kind_, what_, std::move(session));
}

}  // namespace tallystick::provider
