// One instance of the provider: what a library context of the application has loaded.
#pragma once

#include <openssl/core.h>
#include <openssl/err.h>

#include <new>

#include "core/crypto/handles.h"
#include "provider/core_calls.h"
#include "provider/settings.h"
#include "provider/token.h"

namespace tallystick::provider {

class Context {
 public:
  // Null and a raised error where it cannot be.
  static Context* make(const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH* in);
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() = default;

  // The private context, which has OpenSSL's default provider and no configuration: whatever the
  // application prefers, what is done in here never comes back to us.
  [[nodiscard]] OSSL_LIB_CTX* lib() const { return lib_.get(); }
  [[nodiscard]] const Settings& settings() const { return settings_; }
  [[nodiscard]] Tokens& tokens() { return tokens_; }
  void raise(const Failure& failure) const { core_.raise(failure); }

 private:
  Context(const CoreCalls& core, Settings settings, core::LibCtxPtr lib, core::ProviderPtr own)
      : core_(core), settings_(std::move(settings)), lib_(std::move(lib)), own_(std::move(own)) {}

  CoreCalls core_;
  Settings settings_;
  core::LibCtxPtr lib_;
  core::ProviderPtr own_;
  Tokens tokens_;
};

inline Context& context_of(void* provider_context) {
  return *static_cast<Context*>(provider_context);
}

// The edge of the provider: body() -> Outcome<T> or Done. Gives the value, or `otherwise` with the
// failure on the error queue. Nothing is thrown through it.
template <typename Body>
auto answer(const Context& context, typename std::invoke_result_t<Body>::Value otherwise,
            Body body) noexcept {
  try {
    auto result = body();
    if (result) return *std::move(result);
    context.raise(result.error());
  } catch (const std::exception& problem) {
    context.raise(fail(Reason::kMemory, problem.what()));
  }
  return otherwise;
}
// The same for what only succeeds or fails: 1 or 0.
template <typename Body>
int done(const Context& context, Body body) noexcept {
  return answer(context, 0, [&]() -> Outcome<int> {
    auto result = body();
    if (!result) return std::move(result).error();
    return 1;
  });
}

// libcrypto's errors that come and go while this lives are nobody's concern.
class Quietly {
 public:
  Quietly() { ERR_set_mark(); }
  ~Quietly() { ERR_pop_to_mark(); }
  Quietly(const Quietly&) = delete;
  Quietly& operator=(const Quietly&) = delete;
};

}  // namespace tallystick::provider
