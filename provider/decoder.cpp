#include "provider/decoder.h"

#include <openssl/bio.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/params.h>
#include <openssl/pem.h>

#include <array>
#include <cstring>
#include <vector>

#include "provider/dispatch.h"
#include "provider/keymgmt.h"
#include "provider/locate.h"
#include "provider/uri_pem.h"

namespace tallystick::provider {
namespace {

constexpr std::size_t kMostBytes = 16UL * 1024UL;

struct FreeLibcrypto {
  void operator()(void* memory) const { OPENSSL_free(memory); }
};
template <typename T>
using Owned = std::unique_ptr<T, FreeLibcrypto>;

// The context of a decoder is the provider's: it keeps nothing of its own.
void* new_decoding(void* provider_context) { return provider_context; }
void free_decoding(void* /*context*/) {}

core::BioPtr input(const Context& context, OSSL_CORE_BIO* in) {
  return core::BioPtr(BIO_new_from_core_bio(context.lib(), in));
}

// The key that the URI in a DER names.
Outcome<KeyPtr> key_named_in(Context& context, const std::string& text, int selection,
                             OSSL_PASSPHRASE_CALLBACK* ask, void* ask_argument) {
  const auto uri = parse_uri(text);
  if (!uri) return uri.error();
  const PinSource pins(*uri, context.settings(), ask, ask_argument);
  const bool with_private = selection == 0 || (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0;
  return key_by_uri(context, *uri, pins, with_private);
}

// PEM with our label gives its bytes on; of anything else nothing is found, which is no error. The
// key's type is told, so that the decoders of all others need not look for it.
int decode_pem(void* context, OSSL_CORE_BIO* in, int selection, OSSL_CALLBACK* take, void* argument,
               OSSL_PASSPHRASE_CALLBACK* ask, void* ask_argument) {
  Context& own = context_of(context);
  const core::BioPtr bio = input(own, in);
  if (!bio) return 0;
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  {
    const Quietly quietly;
    if (PEM_read_bio(bio.get(), &name, &header, &data, &size) <= 0) return 1;
  }
  const Owned<char> owned_name(name);
  const Owned<char> owned_header(header);
  const Owned<unsigned char> owned_data(data);
  if (std::strcmp(name, kUriPemLabel) != 0) return 1;
  const auto length = static_cast<std::size_t>(size);
  return answer(own, 0, [&]() -> Outcome<int> {
    const auto text = uri_from_der({data, length});
    if (!text) return text.error();
    const auto key = key_named_in(own, *text, selection, ask, ask_argument);
    if (!key) return key.error();
    int type = OSSL_OBJECT_PKEY;
    const std::array<OSSL_PARAM, 5> params{
        OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &type),
        OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_TYPE,
                                         const_cast<char*>((*key)->type->name), 0),
        OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_STRUCTURE,
                                         const_cast<char*>(kUriStructure), 0),
        OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_DATA, data, length),
        OSSL_PARAM_construct_end()};
    return take(params.data(), argument);
  });
}

core::Bytes all_of(BIO* bio) {
  core::Bytes bytes(kMostBytes + 1);
  std::size_t size = 0;
  std::size_t got = 0;
  while (size < bytes.size() && BIO_read_ex(bio, bytes.data() + size, bytes.size() - size, &got)) {
    size += got;
  }
  bytes.resize(size);
  return bytes;
}

// Gives the key on if it is of the decoder's type; the decoders of the other types may be asked,
// too.
template <const KeyType& kType>
int decode_uri(void* context, OSSL_CORE_BIO* in, int selection, OSSL_CALLBACK* take, void* argument,
               OSSL_PASSPHRASE_CALLBACK* ask, void* ask_argument) {
  Context& own = context_of(context);
  return answer(own, 0, [&]() -> Outcome<int> {
    const core::BioPtr bio = input(own, in);
    if (!bio) return fail(Reason::kMemory, "no input");
    // Decoders of DER are asked about all of it.
    const Outcome<std::string> text = [&bio] {
      const Quietly quietly;
      return uri_from_der(all_of(bio.get()));
    }();
    if (!text) return 1;
    auto key = key_named_in(own, *text, selection, ask, ask_argument);
    if (!key) return std::move(key).error();
    if ((*key)->type != &kType) return 1;
    int type = OSSL_OBJECT_PKEY;
    KeyReference reference(*std::move(key));
    const std::array<OSSL_PARAM, 4> params{
        OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &type),
        OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_TYPE, const_cast<char*>(kType.name),
                                         0),
        reference.param(), OSSL_PARAM_construct_end()};
    return take(params.data(), argument);
  });
}

const OSSL_DISPATCH kPem[] = {
    on<OSSL_FUNC_decoder_newctx_fn>(OSSL_FUNC_DECODER_NEWCTX, new_decoding),
    on<OSSL_FUNC_decoder_freectx_fn>(OSSL_FUNC_DECODER_FREECTX, free_decoding),
    on<OSSL_FUNC_decoder_decode_fn>(OSSL_FUNC_DECODER_DECODE, decode_pem), end_of_table()};

template <const KeyType& kType>
OSSL_ALGORITHM decoder_of() {
  static const OSSL_DISPATCH functions[] = {
      on<OSSL_FUNC_decoder_newctx_fn>(OSSL_FUNC_DECODER_NEWCTX, new_decoding),
      on<OSSL_FUNC_decoder_freectx_fn>(OSSL_FUNC_DECODER_FREECTX, free_decoding),
      on<OSSL_FUNC_decoder_decode_fn>(OSSL_FUNC_DECODER_DECODE, decode_uri<kType>), end_of_table()};
  return {kType.names, "provider=tallystick,input=der,structure=pk11-uri", functions,
          "the key that a URI names"};
}

}  // namespace

const OSSL_ALGORITHM* decoder_algorithms() {
  static const OSSL_ALGORITHM* const decoders = [] {
    std::vector<OSSL_ALGORITHM> all{
        {"DER", "provider=tallystick,input=pem", kPem, "PEM with a key's URI"}};
    for_each_type([&all]<const KeyType & kType>() { all.push_back(decoder_of<kType>()); });
    return kept(all);
  }();
  return decoders;
}

}  // namespace tallystick::provider
