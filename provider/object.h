// A key in a token that is used again and again: its handle is remembered, and found again when it
// has become stale.
#pragma once

#include <memory>

#include "provider/token.h"

namespace tallystick::provider {

// What an object is found by: its class, its id and its label.
struct Mark {
  CK_OBJECT_CLASS object_class = CKO_PRIVATE_KEY;
  core::Bytes id;
  core::Bytes label;
};
// The URI that names this object.
std::string uri_of(const CK_TOKEN_INFO& token, const Mark& mark);

class TokenObject {
 public:
  TokenObject(std::shared_ptr<Token> token, Mark mark, ObjectHandle handle,
              std::uint64_t generation)
      : token_(std::move(token)),
        mark_(std::move(mark)),
        handle_(handle),
        generation_(generation) {}

  [[nodiscard]] Token& token() const { return *token_; }
  [[nodiscard]] const Mark& mark() const { return mark_; }
  // "token line, key ec", for messages.
  [[nodiscard]] std::string name() const;
  [[nodiscard]] std::string uri() const { return uri_of(token_->info(), mark_); }

  // body(Session&, ObjectHandle) -> Outcome<T>, once more with a new session when the first try met
  // a session or a handle that is no longer what it was. `body` must not have done anything then.
  template <typename Body>
  auto use(Body body) -> decltype(body(std::declval<Session&>(), ObjectHandle{})) {
    for (bool again = false;; again = true) {
      auto session = token_->session();
      if (!session) return std::move(session).error();
      auto object = handle(*session);
      if (!object && (again || !begins_anew(*session, object.error().rv))) {
        return std::move(object).error();
      }
      if (!object) continue;
      auto result = body(*session, *object);
      if (result.ok() || again || !begins_anew(*session, result.error().rv)) return result;
    }
  }

 private:
  Outcome<ObjectHandle> handle(Session& session);
  bool begins_anew(const Session& session, CK_RV rv);

  std::shared_ptr<Token> token_;
  Mark mark_;
  // Under lists_lock(): the handle, and the token's generation that it is of.
  ObjectHandle handle_;
  std::uint64_t generation_;
};

}  // namespace tallystick::provider
