// What a token is to sign or to digest, on its way there. Up to a limit it is kept here and goes in
// one call: then no session is held meanwhile, a copy is only a copy, and a fork or a module that
// somebody ends in between does no harm. What is longer streams.
#pragma once

#include <functional>
#include <optional>

#include "provider/stream.h"

namespace tallystick::provider {

class Intake {
 public:
  // Begins the operation in a session of the token.
  using Begin = std::function<Outcome<Stream>()>;

  Done take(core::ByteView data, const Begin& begin);
  // The value; then empty again.
  Outcome<core::Bytes> finish(const Begin& begin);
  void forget();

  // `session` gives one for what streams already.
  [[nodiscard]] Outcome<std::unique_ptr<Intake>> duplicate(
      const std::function<Outcome<Session>()>& session) const;

 private:
  core::WipedBytes held_;
  std::optional<Stream> stream_;
};

}  // namespace tallystick::provider
