// A multi-part operation of a token, and the session in which it runs until it ends.
#pragma once

#include "provider/session.h"

namespace tallystick::provider {

enum class StreamKind { kSign, kDigest, kEncrypt, kDecrypt };

class Stream {
 public:
  // Takes the session over when the operation has begun in it; otherwise the session stays the
  // caller's. Digests take no key.
  static Outcome<Stream> begin(StreamKind kind, Session& session, Mechanism& mechanism,
                               ObjectHandle key = 0);
  Stream(Stream&& other) noexcept;
  Stream& operator=(Stream&&) = delete;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  // An operation that has not ended ends with its session.
  ~Stream();

  // Signatures and digests: more of the data, then the value; or all of it at once.
  Done take(core::ByteView data);
  Outcome<core::Bytes> finish();
  Outcome<core::Bytes> whole(core::ByteView data);
  // Ciphers: what comes out goes to the end of `out`.
  Done transform(core::ByteView data, core::WipedBytes& out);
  Done finish(core::WipedBytes& out);
  // The whole message, in one call and out of it; and how much that will be.
  Done whole(core::ByteView data, core::WipedBytes& out);
  Outcome<std::size_t> size_of(core::ByteView data) const;

  // A second operation in the same state, where the token can save it (digests without keys).
  [[nodiscard]] Outcome<Stream> duplicate(Session& session) const;

 private:
  Stream(StreamKind kind, std::string what, Session session)
      : kind_(kind), what_(std::move(what)), session_(std::move(session)) {}
  template <typename... Parameters, typename... Arguments>
  CK_RV call(CK_RV (*CK_FUNCTION_LIST::*function)(Parameters...), Arguments... arguments) const {
    return session_.module().call(function, session_.handle(), arguments...);
  }
  [[nodiscard]] Failure failed(CK_RV rv) const;
  static core::ByteView addressed(core::ByteView data);

  StreamKind kind_;
  // "sign by CKM_SHA256_HMAC", for messages.
  std::string what_;
  Session session_;
  bool active_ = true;
};

}  // namespace tallystick::provider
