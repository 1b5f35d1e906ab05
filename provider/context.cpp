#include "provider/context.h"

#include "provider/epoch.h"

namespace tallystick::provider {

Context* Context::make(const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH* in) {
  watch_forks();
  const CoreCalls calls(core, in);
  Settings settings = Settings::read(calls);
  if (settings.load_early && !settings.module_path.empty()) {
    // Why it does not load is said when it is wanted.
    static_cast<void>(Module::at(settings.module_path, settings.init_args));
  }
  // From the dispatch table, so that the application's BIOs can be used with it.
  core::LibCtxPtr lib(OSSL_LIB_CTX_new_from_dispatch(core, in));
  core::ProviderPtr own(lib ? OSSL_PROVIDER_load(lib.get(), "default") : nullptr);
  if (!own) {
    calls.raise(fail(Reason::kMemory, "libcrypto gives no context with its default provider"));
    return nullptr;
  }
  return new Context(calls, std::move(settings), std::move(lib), std::move(own));
}

}  // namespace tallystick::provider
