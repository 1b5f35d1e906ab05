#include "provider/store.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/params.h>
#include <openssl/store.h>

#include <array>

#include "provider/dispatch.h"
#include "provider/locate.h"
#include "provider/secret_key.h"

namespace tallystick::provider {
namespace {

// One URI that is open. Nothing is looked for before the first object is asked for: by then it is
// known what the caller expects, and how he can be asked for a PIN.
class Store {
 public:
  Store(Context& context, client::Uri uri) : context_(context), uri_(std::move(uri)) {}

  [[nodiscard]] Context& context() const { return context_; }
  int set_params(const OSSL_PARAM params[]);
  [[nodiscard]] bool at_end() const { return searched_ && next_ == found_.size(); }
  // Gives the next object to the caller; 0 from him is his affair and no failure.
  Outcome<int> load(OSSL_CALLBACK* take, void* argument, OSSL_PASSPHRASE_CALLBACK* ask,
                    void* ask_argument);

 private:
  Done search(const PinSource& pins);
  Done search_in(const std::shared_ptr<Token>& token);
  Done log_in(const std::vector<std::shared_ptr<Token>>& tokens, const PinSource& pins);
  [[nodiscard]] bool wants(CK_OBJECT_CLASS object_class) const;
  [[nodiscard]] Failure nothing_found() const;
  Outcome<int> give(const Found& found, OSSL_CALLBACK* take, void* argument) const;

  Context& context_;
  client::Uri uri_;
  // One of OSSL_STORE_INFO_; 0: anything.
  int expected_ = 0;
  core::Bytes subject_;
  bool searched_ = false;
  // Several keys match where the caller takes the first: he gets their names, and no key.
  bool names_only_ = false;
  std::vector<Found> found_;
  std::size_t next_ = 0;
};

const char* kind_name(int expected) {
  switch (expected) {
    case OSSL_STORE_INFO_PKEY:
      return "private key";
    case OSSL_STORE_INFO_PUBKEY:
      return "public key";
    case OSSL_STORE_INFO_CERT:
      return "certificate";
    default:
      return "object";
  }
}

template <typename Held>
int give_key(std::unique_ptr<Held> key, OSSL_CALLBACK* take, void* argument) {
  int type = OSSL_OBJECT_PKEY;
  auto* data_type = const_cast<char*>(key->type->name);
  Reference<Held> reference(std::move(key));
  const std::array<OSSL_PARAM, 4> params{
      OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &type),
      OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_TYPE, data_type, 0),
      reference.param(), OSSL_PARAM_construct_end()};
  return take(params.data(), argument);
}

bool Store::wants(CK_OBJECT_CLASS object_class) const {
  if (const auto type = uri_.object_class()) {
    // The public half of a private key is asked for with the private key's URI, too.
    const bool half = expected_ == OSSL_STORE_INFO_PUBKEY && *type == CKO_PRIVATE_KEY;
    if (*type != object_class && !(half && object_class == CKO_PUBLIC_KEY)) return false;
  }
  // Where a key is expected, a secret one is given to who asks for it by its type.
  if (object_class == CKO_SECRET_KEY) {
    return expected_ == 0 || (expected_ == OSSL_STORE_INFO_PKEY && uri_.object_class());
  }
  switch (expected_) {
    case 0:
      return true;
    case OSSL_STORE_INFO_PKEY:
      return object_class == CKO_PRIVATE_KEY;
    case OSSL_STORE_INFO_PUBKEY:
      return object_class == CKO_PUBLIC_KEY;
    case OSSL_STORE_INFO_CERT:
      return object_class == CKO_CERTIFICATE;
    default:
      return false;
  }
}

// A PIN is given to one token only: tried with every token that matches, it would use up the tries
// of all others.
Done Store::log_in(const std::vector<std::shared_ptr<Token>>& tokens, const PinSource& pins) {
  if (context_.settings().login == Settings::Login::kNever) return {};
  std::vector<std::shared_ptr<Token>> closed;
  for (const auto& token : tokens) {
    if (token->wants_login() && !token->logged_in()) closed.push_back(token);
  }
  if (closed.empty()) return {};
  // A list of everything shows what is public where there is no PIN.
  const bool must = expected_ == OSSL_STORE_INFO_PKEY || uri_.object_class() == CKO_PRIVATE_KEY ||
                    uri_.object_class() == CKO_SECRET_KEY;
  const auto given = pins.given();
  if (!given) return given.error();
  if (closed.size() > 1) {
    if (!must && !given->has_value()) return {};
    return fail(Reason::kAmbiguous, uri_.text() + ": " + std::to_string(closed.size()) +
                                        " tokens that want a PIN match; name one by token= or "
                                        "serial=");
  }
  if (!must && !given->has_value()) return {};
  return closed.front()->login(pins, true);
}

Done Store::search_in(const std::shared_ptr<Token>& token) {
  for (const CK_OBJECT_CLASS object_class :
       {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY, CKO_CERTIFICATE, CKO_SECRET_KEY}) {
    if (!wants(object_class)) continue;
    auto found = objects_in(token, uri_, object_class,
                            object_class == CKO_CERTIFICATE ? subject_ : core::Bytes());
    if (!found) return std::move(found).error();
    for (Found& one : *found) found_.push_back(std::move(one));
  }
  return {};
}

Failure Store::nothing_found() const {
  return fail(Reason::kObject, uri_.text() + ": no such " + kind_name(expected_));
}

Done Store::search(const PinSource& pins) {
  searched_ = true;
  const auto tokens = tokens_for(context_, uri_);
  if (!tokens) return tokens.error();
  const auto search_all = [&]() -> Done {
    for (const auto& token : *tokens) {
      if (auto done = search_in(token); !done) return done;
    }
    return {};
  };
  const bool always = context_.settings().login == Settings::Login::kAlways;
  const bool secret = wants(CKO_PRIVATE_KEY) || wants(CKO_SECRET_KEY);
  if (always || secret) {
    if (auto done = log_in(*tokens, pins); !done) return done;
  }
  if (auto done = search_all(); !done) return done;
  if (found_.empty() && !always && !secret) {
    // Public keys and certificates that are shown to the user only.
    if (auto done = log_in(*tokens, pins); !done) return done;
    if (auto done = search_all(); !done) return done;
  }
  if (found_.empty() && expected_ == OSSL_STORE_INFO_PUBKEY) {
    // A private key without a public key object still has a public part.
    for (const auto& token : *tokens) {
      auto found = objects_in(token, uri_, CKO_PRIVATE_KEY);
      if (!found) return std::move(found).error();
      for (Found& one : *found) found_.push_back(std::move(one));
    }
  }
  if (found_.empty() && (uri_.names_object() || expected_ != 0)) return nothing_found();
  const bool takes_first = expected_ == OSSL_STORE_INFO_PKEY || expected_ == OSSL_STORE_INFO_PUBKEY;
  names_only_ = takes_first && found_.size() > 1;
  if (names_only_) {
    context_.raise(fail(Reason::kAmbiguous, uri_.text() + ": " + std::to_string(found_.size()) +
                                                " " + kind_name(expected_) +
                                                "s match; name one by object=, id= or token="));
  }
  return {};
}

Outcome<int> Store::load(OSSL_CALLBACK* take, void* argument, OSSL_PASSPHRASE_CALLBACK* ask,
                         void* ask_argument) {
  if (!searched_) {
    const PinSource pins(uri_, context_.settings(), ask, ask_argument);
    if (auto done = search(pins); !done) {
      found_.clear();
      return std::move(done).error();
    }
  }
  while (next_ < found_.size()) {
    const Found& found = found_[next_++];
    auto given = give(found, take, argument);
    // In a list, a key of a type that OpenSSL has no use for is passed over.
    if (!given && given.error().reason == Reason::kKey && found_.size() > 1) continue;
    return given;
  }
  return 0;
}

Outcome<int> Store::give(const Found& found, OSSL_CALLBACK* take, void* argument) const {
  // In lists a secret key is its name: OpenSSL 3.0 has no object for it, and writes none.
  const bool secret = found.mark.object_class == CKO_SECRET_KEY;
  if (names_only_ || (secret && expected_ == 0)) {
    int type = OSSL_OBJECT_NAME;
    std::string name = uri_of(found.token->info(), found.mark);
    const std::array<OSSL_PARAM, 3> params{
        OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &type),
        OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA, name.data(), 0),
        OSSL_PARAM_construct_end()};
    return take(params.data(), argument);
  }
  if (found.mark.object_class == CKO_CERTIFICATE) {
    auto value = value_of(found);
    if (!value) return std::move(value).error();
    int type = OSSL_OBJECT_CERT;
    const std::array<OSSL_PARAM, 3> params{
        OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &type),
        OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_DATA, value->data(), value->size()),
        OSSL_PARAM_construct_end()};
    return take(params.data(), argument);
  }
  if (secret) {
    auto described = secret_of(found);
    if (!described) return std::move(described).error();
    return give_key(secret_key(context_, *std::move(described)), take, argument);
  }
  const bool with_private =
      found.mark.object_class == CKO_PRIVATE_KEY && expected_ != OSSL_STORE_INFO_PUBKEY;
  auto key = key_of(context_, found, with_private);
  if (!key) return std::move(key).error();
  return give_key(*std::move(key), take, argument);
}

int Store::set_params(const OSSL_PARAM params[]) {
  if (params == nullptr) return 1;
  if (const OSSL_PARAM* expected = OSSL_PARAM_locate_const(params, OSSL_STORE_PARAM_EXPECT)) {
    if (OSSL_PARAM_get_int(expected, &expected_) == 0) return 0;
  }
  if (const OSSL_PARAM* subject = OSSL_PARAM_locate_const(params, OSSL_STORE_PARAM_SUBJECT)) {
    if (subject->data_type != OSSL_PARAM_OCTET_STRING) return 0;
    const auto* bytes = static_cast<const std::uint8_t*>(subject->data);
    subject_.assign(bytes, bytes + subject->data_size);
  }
  return 1;
}

void* open_store(void* provider_context, const char* uri) {
  Context& context = context_of(provider_context);
  return answer(context, static_cast<Store*>(nullptr), [&]() -> Outcome<Store*> {
    auto parsed = parse_uri(uri);
    if (!parsed) return std::move(parsed).error();
    return new Store(context, *std::move(parsed));
  });
}

const OSSL_PARAM* settable(void* /*provider_context*/) {
  static const OSSL_PARAM settable_params[] = {
      OSSL_PARAM_int(OSSL_STORE_PARAM_EXPECT, nullptr),
      OSSL_PARAM_octet_string(OSSL_STORE_PARAM_SUBJECT, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_STORE_PARAM_PROPERTIES, nullptr, 0),
      OSSL_PARAM_utf8_string(OSSL_STORE_PARAM_INPUT_TYPE, nullptr, 0), OSSL_PARAM_END};
  return settable_params;
}

int set_params(void* store, const OSSL_PARAM params[]) {
  return static_cast<Store*>(store)->set_params(params);
}

int load(void* store, OSSL_CALLBACK* take, void* argument, OSSL_PASSPHRASE_CALLBACK* ask,
         void* ask_argument) {
  Store& open = *static_cast<Store*>(store);
  return answer(open.context(), 0, [&] { return open.load(take, argument, ask, ask_argument); });
}

int at_end(void* store) { return static_cast<Store*>(store)->at_end() ? 1 : 0; }

int close_store(void* store) {
  delete static_cast<Store*>(store);
  return 1;
}

}  // namespace

const OSSL_ALGORITHM* store_algorithms() {
  static const OSSL_DISPATCH table[] = {
      on<OSSL_FUNC_store_open_fn>(OSSL_FUNC_STORE_OPEN, open_store),
      on<OSSL_FUNC_store_settable_ctx_params_fn>(OSSL_FUNC_STORE_SETTABLE_CTX_PARAMS, settable),
      on<OSSL_FUNC_store_set_ctx_params_fn>(OSSL_FUNC_STORE_SET_CTX_PARAMS, set_params),
      on<OSSL_FUNC_store_load_fn>(OSSL_FUNC_STORE_LOAD, load),
      on<OSSL_FUNC_store_eof_fn>(OSSL_FUNC_STORE_EOF, at_end),
      on<OSSL_FUNC_store_close_fn>(OSSL_FUNC_STORE_CLOSE, close_store),
      end_of_table()};
  static const OSSL_ALGORITHM algorithms[] = {
      {"pkcs11", kProperties, table, "objects in PKCS#11 tokens"},
      {nullptr, nullptr, nullptr, nullptr}};
  return algorithms;
}

}  // namespace tallystick::provider
