#include "provider/random.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/rand.h>

#include <algorithm>
#include <mutex>

#include "provider/dispatch.h"
#include "provider/locate.h"

namespace tallystick::provider {
namespace {

constexpr unsigned int kStrength = 256;
constexpr std::size_t kMostAtOnce = 1UL << 16U;

// As an EVP_RAND: the token's generator has its state, so this has none but where the token is.
class Random {
 public:
  explicit Random(Context& context) : context_(context) {}
  [[nodiscard]] Context& context() const { return context_; }

  Done generate(core::MutableByteView out);
  [[nodiscard]] int state() const { return state_; }
  void set_state(int state) { state_ = state; }
  void enable_locking() { locking_ = true; }
  void lock() {
    if (locking_) mutex_.lock();
  }
  void unlock() {
    if (locking_) mutex_.unlock();
  }

 private:
  Outcome<std::shared_ptr<Token>> token();

  Context& context_;
  std::shared_ptr<Token> token_;
  int state_ = EVP_RAND_STATE_UNINITIALISED;
  bool locking_ = false;
  std::mutex mutex_;
};

Outcome<std::shared_ptr<Token>> Random::token() {
  if (token_) return token_;
  if (context_.settings().token.empty()) {
    return fail(Reason::kSetting, "tallystick-token does not say which token makes random numbers");
  }
  const auto uri = parse_uri(context_.settings().token);
  if (!uri) return uri.error();
  auto found = token_for(context_, *uri);
  if (found) token_ = *found;
  return found;
}

// It takes no PIN. A session that has become stale is begun anew, once.
Done Random::generate(core::MutableByteView out) {
  const auto token = this->token();
  if (!token) return token.error();
  while (!out.empty()) {
    const core::MutableByteView some = out.first(std::min(out.size(), kMostAtOnce));
    for (bool again = false;; again = true) {
      auto session = (*token)->session();
      if (!session) return std::move(session).error();
      const CK_RV rv =
          session->module().call(&CK_FUNCTION_LIST::C_GenerateRandom, session->handle(),
                                 some.data(), static_cast<CK_ULONG>(some.size()));
      if (rv == CKR_OK) break;
      session->discard();
      if (again || !(*token)->begins_anew(session->life(), rv)) {
        return from_rv(Reason::kOperation, (*token)->name() + ": random numbers", rv);
      }
    }
    out = out.subspan(some.size());
  }
  return {};
}

Random& random_of(void* random) { return *static_cast<Random*>(random); }

void* new_random(void* provider_context, void* /*parent*/, const OSSL_DISPATCH* /*calls*/) {
  return new (std::nothrow) Random(context_of(provider_context));
}
void free_random(void* random) { delete static_cast<Random*>(random); }

// A first byte shows whether there is a token that makes any.
int instantiate(void* random, unsigned int /*strength*/, int /*prediction_resistance*/,
                const unsigned char* /*personalization*/, std::size_t /*size*/,
                const OSSL_PARAM /*params*/[]) {
  return done(random_of(random).context(), [&]() -> Done {
    core::ByteArray<1> first{};
    auto done = random_of(random).generate(first);
    random_of(random).set_state(done ? EVP_RAND_STATE_READY : EVP_RAND_STATE_ERROR);
    return done;
  });
}
int uninstantiate(void* random) {
  random_of(random).set_state(EVP_RAND_STATE_UNINITIALISED);
  return 1;
}

int generate(void* random, unsigned char* out, std::size_t size, unsigned int strength,
             int /*prediction_resistance*/, const unsigned char* /*more*/,
             std::size_t /*more_size*/) {
  return done(random_of(random).context(), [&]() -> Done {
    if (strength > kStrength) return fail(Reason::kOperation, "random numbers of more strength");
    return random_of(random).generate({out, size});
  });
}

// What a caller adds to the pot is his: a token's generator cannot be steered.
int reseed(void* /*random*/, int /*prediction_resistance*/, const unsigned char* /*entropy*/,
           std::size_t /*entropy_size*/, const unsigned char* /*more*/, std::size_t /*more_size*/) {
  return 1;
}

std::size_t nonce(void* random, unsigned char* out, unsigned int /*strength*/, std::size_t least,
                  std::size_t most) {
  const std::size_t size = std::max(least, std::min<std::size_t>(most, kStrength / 16));
  if (out == nullptr) return size;
  return generate(random, out, size, kStrength, 0, nullptr, 0) == 1 ? size : 0;
}

std::size_t get_seed(void* random, unsigned char** out, int entropy, std::size_t least,
                     std::size_t most, int /*prediction_resistance*/, const unsigned char* /*more*/,
                     std::size_t /*more_size*/) {
  const std::size_t wanted = entropy > 0 ? (static_cast<std::size_t>(entropy) + 7) / 8 : 0;
  const std::size_t size = std::max(wanted, least);
  if (size > most) return 0;
  auto* seed = static_cast<unsigned char*>(OPENSSL_secure_malloc(size));
  if (seed == nullptr) return 0;
  if (generate(random, seed, size, kStrength, 0, nullptr, 0) != 1) {
    OPENSSL_secure_clear_free(seed, size);
    return 0;
  }
  *out = seed;
  return size;
}
void clear_seed(void* /*random*/, unsigned char* seed, std::size_t size) {
  OPENSSL_secure_clear_free(seed, size);
}

int enable_locking(void* random) {
  random_of(random).enable_locking();
  return 1;
}
int lock(void* random) {
  random_of(random).lock();
  return 1;
}
void unlock(void* random) { random_of(random).unlock(); }

int get_params(void* random, OSSL_PARAM params[]) {
  OSSL_PARAM* state = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_STATE);
  OSSL_PARAM* strength = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_STRENGTH);
  OSSL_PARAM* most = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_MAX_REQUEST);
  return (state == nullptr || OSSL_PARAM_set_int(state, random_of(random).state()) == 1) &&
                 (strength == nullptr || OSSL_PARAM_set_uint(strength, kStrength) == 1) &&
                 (most == nullptr || OSSL_PARAM_set_size_t(most, kMostAtOnce) == 1)
             ? 1
             : 0;
}
const OSSL_PARAM* gettable(void* /*random*/, void* /*provider_context*/) {
  static const OSSL_PARAM list[] = {OSSL_PARAM_int(OSSL_RAND_PARAM_STATE, nullptr),
                                    OSSL_PARAM_uint(OSSL_RAND_PARAM_STRENGTH, nullptr),
                                    OSSL_PARAM_size_t(OSSL_RAND_PARAM_MAX_REQUEST, nullptr),
                                    OSSL_PARAM_END};
  return list;
}

const OSSL_DISPATCH kFunctions[] = {
    on<OSSL_FUNC_rand_newctx_fn>(OSSL_FUNC_RAND_NEWCTX, new_random),
    on<OSSL_FUNC_rand_freectx_fn>(OSSL_FUNC_RAND_FREECTX, free_random),
    on<OSSL_FUNC_rand_instantiate_fn>(OSSL_FUNC_RAND_INSTANTIATE, instantiate),
    on<OSSL_FUNC_rand_uninstantiate_fn>(OSSL_FUNC_RAND_UNINSTANTIATE, uninstantiate),
    on<OSSL_FUNC_rand_generate_fn>(OSSL_FUNC_RAND_GENERATE, generate),
    on<OSSL_FUNC_rand_reseed_fn>(OSSL_FUNC_RAND_RESEED, reseed),
    on<OSSL_FUNC_rand_nonce_fn>(OSSL_FUNC_RAND_NONCE, nonce),
    on<OSSL_FUNC_rand_enable_locking_fn>(OSSL_FUNC_RAND_ENABLE_LOCKING, enable_locking),
    on<OSSL_FUNC_rand_lock_fn>(OSSL_FUNC_RAND_LOCK, lock),
    on<OSSL_FUNC_rand_unlock_fn>(OSSL_FUNC_RAND_UNLOCK, unlock),
    on<OSSL_FUNC_rand_get_ctx_params_fn>(OSSL_FUNC_RAND_GET_CTX_PARAMS, get_params),
    on<OSSL_FUNC_rand_gettable_ctx_params_fn>(OSSL_FUNC_RAND_GETTABLE_CTX_PARAMS, gettable),
    on<OSSL_FUNC_rand_get_seed_fn>(OSSL_FUNC_RAND_GET_SEED, get_seed),
    on<OSSL_FUNC_rand_clear_seed_fn>(OSSL_FUNC_RAND_CLEAR_SEED, clear_seed),
    end_of_table()};

}  // namespace

const OSSL_ALGORITHM* random_algorithms() {
  // Under a name of its own: nobody gets it who has not asked for it. The second is the name that
  // pkcs11-provider gives it.
  static const OSSL_ALGORITHM algorithms[] = {
      {"TALLYSTICK-RAND:PKCS11-RAND", kRandomProperties, kFunctions, "random numbers by a token"},
      {nullptr, nullptr, nullptr, nullptr}};
  return algorithms;
}

}  // namespace tallystick::provider
