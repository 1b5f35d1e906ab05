#include "provider/digest.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>

#include <algorithm>

#include "pkcs11/include/tallystick/pkcs11_v3.h"
#include "provider/dispatch.h"
#include "provider/intake.h"
#include "provider/locate.h"

namespace tallystick::provider {
namespace {

struct DigestType {
  // All names, as the default provider has them.
  const char* names;
  CK_MECHANISM_TYPE mechanism;
  std::size_t size;
  std::size_t block;
};

constexpr DigestType kTypes[] = {
    {"SHA1:SHA-1:SSL3-SHA1:1.3.14.3.2.26", CKM_SHA_1, 20, 64},
    {"SHA2-224:SHA-224:SHA224:2.16.840.1.101.3.4.2.4", CKM_SHA224, 28, 64},
    {"SHA2-256:SHA-256:SHA256:2.16.840.1.101.3.4.2.1", CKM_SHA256, 32, 64},
    {"SHA2-384:SHA-384:SHA384:2.16.840.1.101.3.4.2.2", CKM_SHA384, 48, 128},
    {"SHA2-512:SHA-512:SHA512:2.16.840.1.101.3.4.2.3", CKM_SHA512, 64, 128},
};

class Digest {
 public:
  Digest(Context& context, const DigestType& type) : context_(context), type_(type) {}
  [[nodiscard]] Context& context() const { return context_; }

  Done begin();
  Done update(core::ByteView data) { return intake_->take(data, stream()); }
  Done finish(unsigned char* out, std::size_t* size, std::size_t room);
  [[nodiscard]] Outcome<std::unique_ptr<Digest>> duplicate() const;

 private:
  [[nodiscard]] Intake::Begin stream() const;

  Context& context_;
  const DigestType& type_;
  std::shared_ptr<Token> token_;
  std::unique_ptr<Intake> intake_ = std::make_unique<Intake>();
};

Done Digest::begin() {
  intake_->forget();
  if (token_) return {};
  const auto uri = parse_uri(context_.settings().token);
  if (!uri) return uri.error();
  auto token = token_for(context_, *uri);
  if (!token) return std::move(token).error();
  token_ = *std::move(token);
  return {};
}

Intake::Begin Digest::stream() const {
  return [this]() -> Outcome<Stream> {
    if (!token_) return fail(Reason::kOperation, "no digest has begun");
    for (bool again = false;; again = true) {
      auto session = token_->session();
      if (!session) return std::move(session).error();
      Mechanism mechanism(type_.mechanism);
      auto begun = Stream::begin(StreamKind::kDigest, *session, mechanism);
      if (begun || again || !token_->begins_anew(session->life(), begun.error().rv)) return begun;
    }
  };
}

Done Digest::finish(unsigned char* out, std::size_t* size, std::size_t room) {
  auto value = intake_->finish(stream());
  if (!value) return std::move(value).error();
  if (value->size() != type_.size || room < type_.size) {
    return from_rv(Reason::kOperation, token_->name(), CKR_DEVICE_ERROR);
  }
  std::copy(value->begin(), value->end(), out);
  *size = value->size();
  return {};
}

Outcome<std::unique_ptr<Digest>> Digest::duplicate() const {
  auto copy = std::make_unique<Digest>(context_, type_);
  copy->token_ = token_;
  auto intake = intake_->duplicate([this] { return token_->session(); });
  if (!intake) return std::move(intake).error();
  copy->intake_ = *std::move(intake);
  return copy;
}

Digest& digest_of(void* digest) { return *static_cast<Digest*>(digest); }

template <std::size_t kIndex>
void* new_digest(void* provider_context) {
  return new (std::nothrow) Digest(context_of(provider_context), kTypes[kIndex]);
}
void free_digest(void* digest) { delete static_cast<Digest*>(digest); }
void* duplicate(void* digest) {
  return answer(digest_of(digest).context(), static_cast<Digest*>(nullptr),
                [&]() -> Outcome<Digest*> {
                  auto copy = digest_of(digest).duplicate();
                  if (!copy) return std::move(copy).error();
                  return copy->release();
                });
}
int begin(void* digest, const OSSL_PARAM /*params*/[]) {
  return done(digest_of(digest).context(), [&] { return digest_of(digest).begin(); });
}
int update(void* digest, const unsigned char* data, std::size_t size) {
  return done(digest_of(digest).context(), [&] { return digest_of(digest).update({data, size}); });
}
int finish(void* digest, unsigned char* out, std::size_t* size, std::size_t room) {
  return done(digest_of(digest).context(),
              [&] { return digest_of(digest).finish(out, size, room); });
}

template <std::size_t kIndex>
int get_params(OSSL_PARAM params[]) {
  const auto number = [params](const char* name, std::size_t value) {
    OSSL_PARAM* param = OSSL_PARAM_locate(params, name);
    return param == nullptr || OSSL_PARAM_set_size_t(param, value) == 1;
  };
  const auto flag = [params](const char* name, int value) {
    OSSL_PARAM* param = OSSL_PARAM_locate(params, name);
    return param == nullptr || OSSL_PARAM_set_int(param, value) == 1;
  };
  return number(OSSL_DIGEST_PARAM_BLOCK_SIZE, kTypes[kIndex].block) &&
                 number(OSSL_DIGEST_PARAM_SIZE, kTypes[kIndex].size) &&
                 flag(OSSL_DIGEST_PARAM_XOF, 0) && flag(OSSL_DIGEST_PARAM_ALGID_ABSENT, 1)
             ? 1
             : 0;
}
const OSSL_PARAM* gettable(void* /*provider_context*/) {
  static const OSSL_PARAM list[] = {OSSL_PARAM_size_t(OSSL_DIGEST_PARAM_BLOCK_SIZE, nullptr),
                                    OSSL_PARAM_size_t(OSSL_DIGEST_PARAM_SIZE, nullptr),
                                    OSSL_PARAM_int(OSSL_DIGEST_PARAM_XOF, nullptr),
                                    OSSL_PARAM_int(OSSL_DIGEST_PARAM_ALGID_ABSENT, nullptr),
                                    OSSL_PARAM_END};
  return list;
}

template <std::size_t kIndex>
OSSL_ALGORITHM row() {
  static const OSSL_DISPATCH functions[] = {
      on<OSSL_FUNC_digest_newctx_fn>(OSSL_FUNC_DIGEST_NEWCTX, new_digest<kIndex>),
      on<OSSL_FUNC_digest_freectx_fn>(OSSL_FUNC_DIGEST_FREECTX, free_digest),
      on<OSSL_FUNC_digest_dupctx_fn>(OSSL_FUNC_DIGEST_DUPCTX, duplicate),
      on<OSSL_FUNC_digest_init_fn>(OSSL_FUNC_DIGEST_INIT, begin),
      on<OSSL_FUNC_digest_update_fn>(OSSL_FUNC_DIGEST_UPDATE, update),
      on<OSSL_FUNC_digest_final_fn>(OSSL_FUNC_DIGEST_FINAL, finish),
      on<OSSL_FUNC_digest_get_params_fn>(OSSL_FUNC_DIGEST_GET_PARAMS, get_params<kIndex>),
      on<OSSL_FUNC_digest_gettable_params_fn>(OSSL_FUNC_DIGEST_GETTABLE_PARAMS, gettable),
      end_of_table()};
  return {kTypes[kIndex].names, kDigestProperties, functions, "digests by a token"};
}

}  // namespace

const OSSL_ALGORITHM* digest_algorithms(const Settings& settings) {
  static const OSSL_ALGORITHM algorithms[] = {
      row<0>(), row<1>(), row<2>(), row<3>(), row<4>(), {nullptr, nullptr, nullptr, nullptr}};
  return settings.token.empty() ? nullptr : algorithms;
}

}  // namespace tallystick::provider
