// Session: making, wrapping, unwrapping and deriving keys.
#include "pkcs11/engine/attribute_table.h"
#include "pkcs11/engine/keys/wrapped_key.h"
#include "pkcs11/engine/session.h"

namespace tallystick::token {
namespace {

constexpr std::size_t kLargestBlob = 1U << 20;  // to be unwrapped or decapsulated

// The caller's template and what the key demands of all that comes from it (CKA_UNWRAP_TEMPLATE,
// CKA_DERIVE_TEMPLATE, CKA_ENCAPSULATE_TEMPLATE, CKA_DECAPSULATE_TEMPLATE).
Outcome<Template> demanded_too(const Object& parent, CK_ATTRIBUTE_TYPE which,
                               const Template& wanted) {
  const auto stored = parent.attributes().find(which);
  AttributeSet demanded;
  if (stored) {
    auto decoded = decode_attributes(*stored);
    if (!decoded) return std::move(decoded).error();
    demanded = *std::move(decoded);
  }
  return wanted.with(demanded);
}

}  // namespace

Outcome<CK_OBJECT_HANDLE> Session::generate(const CK_MECHANISM& mechanism, const Template& wanted) {
  const CK_MECHANISM copy = mechanism;
  if (auto seen = token_->refresh(); !seen) return std::move(seen).error();
  const auto* const entry = token_->services().mechanisms->find(copy.mechanism);
  if (entry == nullptr || entry->generate == nullptr) return bad_mechanism("makes no keys");
  auto parameter = parameter_of(copy);
  if (!parameter) return std::move(parameter).error();
  auto produced = entry->generate({token_->context(), *parameter, wanted});
  if (!produced) return std::move(produced).error();
  Request request;
  request.action = Action::kGenerate;
  request.mechanism_type = copy.mechanism;
  request.mechanism = entry;
  request.wanted = &wanted;
  return keep(request, *std::move(produced));
}

Outcome<Session::Pair> Session::generate_pair(const CK_MECHANISM& mechanism,
                                              const Template& wanted_public,
                                              const Template& wanted_private) {
  const CK_MECHANISM copy = mechanism;
  const auto* const entry = token_->services().mechanisms->find(copy.mechanism);
  if (entry == nullptr || entry->generate_pair == nullptr) return bad_mechanism("makes no pairs");
  auto parameter = parameter_of(copy);
  if (!parameter) return std::move(parameter).error();
  auto pair = entry->generate_pair({token_->context(), *parameter, wanted_public, wanted_private});
  if (!pair) return std::move(pair).error();

  // Both halves are decided before either is kept.
  Request request;
  request.action = Action::kGenerate;
  request.mechanism_type = copy.mechanism;
  request.caller = caller();
  struct Half {
    Draft* draft;
    const Template* wanted;
  };
  for (const auto& [draft, wanted] :
       {Half{&pair->public_key, &wanted_public}, Half{&pair->private_key, &wanted_private}}) {
    request.made = draft;
    request.wanted = wanted;
    auto attributes = token_->services().policy->decide(request);
    if (!attributes) return std::move(attributes).error();
    draft->attributes = *std::move(attributes);
  }
  std::vector<Draft> halves;
  halves.push_back(std::move(pair->public_key));
  halves.push_back(std::move(pair->private_key));
  auto handles = store_all(std::move(halves));
  if (!handles) return std::move(handles).error();
  return Pair{handles->front(), handles->back()};
}

// The wrapping key and the key, when the one may wrap the other.
Outcome<Session::Wrapping> Session::choose_wrapping(const CK_MECHANISM& mechanism,
                                                    CK_OBJECT_HANDLE wrapping_key,
                                                    CK_OBJECT_HANDLE key) {
  auto chosen = choose(mechanism, wrapping_key, Use::kWrap, CKR_WRAPPING_KEY_HANDLE_INVALID);
  if (!chosen) return std::move(chosen).error();
  auto wrapped = object(key, CKR_KEY_HANDLE_INVALID);
  if (!wrapped) return std::move(wrapped).error();

  // The other half of an asymmetric wrapping key, when the token has it: what it may do counts.
  ObjectPtr pair;
  if (chosen->key->object_class() == CKO_PUBLIC_KEY) {
    const auto info = chosen->key->attributes().bytes(CKA_PUBLIC_KEY_INFO);
    auto halves = token_->find(
        AttributeSet().set_number(CKA_CLASS, CKO_PRIVATE_KEY).set(CKA_PUBLIC_KEY_INFO, info));
    if (!halves) return std::move(halves).error();
    for (auto& half : *halves) {
      if (!pair || half->flag(CKA_DECRYPT) || half->flag(kHasCiphered)) pair = std::move(half);
    }
  }
  Request request;
  request.caller = caller();
  request.object = chosen->key.get();
  request.use = Use::kWrap;
  request.mechanism = chosen->mechanism;
  request.wrapped = wrapped->get();
  request.wrapping_pair = pair.get();
  if (auto allowed = token_->services().policy->decide(request); !allowed) {
    return std::move(allowed).error();
  }
  return Wrapping{*std::move(chosen), *std::move(wrapped)};
}

namespace {

// `wrap()` gives a blob of at most `size` bytes.
template <typename Wrap>
Outcome<void> give_blob(const Outcome<std::size_t>& size, Output out, Wrap wrap) {
  if (!size) return size.error();
  auto room = out.reserve(*size);
  if (!room) return std::move(room).error();
  if (!*room) return {};
  auto blob = wrap();
  if (!blob) return std::move(blob).error();
  if (blob->size() > *size) return fault(CKR_GENERAL_ERROR, "a blob of another length");
  std::ranges::copy(*blob, out.first(blob->size()).begin());
  out.wrote(blob->size());
  return {};
}

}  // namespace

Outcome<void> Session::wrap(const CK_MECHANISM& mechanism, CK_OBJECT_HANDLE wrapping_key,
                            CK_OBJECT_HANDLE key, Output out) {
  const CK_MECHANISM copy = mechanism;
  const auto* const wraps = token_->services().mechanisms->find(copy.mechanism);
  if (wraps == nullptr || wraps->wrap == nullptr) return bad_mechanism("does not wrap");
  auto chosen = choose_wrapping(copy, wrapping_key, key);
  if (!chosen) return std::move(chosen).error();
  const auto& entry = *chosen->with.mechanism;
  if (entry.wrap == nullptr) return bad_mechanism("the mechanism does not wrap");
  const WrapInput input{token_->context(), chosen->with.parameter, chosen->with.key, chosen->key};
  return give_blob(entry.wrapped_size(input), out, [&] { return entry.wrap(input); });
}

Outcome<void> Session::wrap_authenticated(const CK_MECHANISM& mechanism,
                                          CK_OBJECT_HANDLE wrapping_key, CK_OBJECT_HANDLE key,
                                          core::ByteView aad, Output out) {
  const CK_MECHANISM copy = mechanism;
  const auto* const wraps = token_->services().mechanisms->find(copy.mechanism);
  if (wraps == nullptr || wraps->wrap_authenticated == nullptr) {
    return bad_mechanism("does not wrap with associated data");
  }
  auto chosen = choose_wrapping(copy, wrapping_key, key);
  if (!chosen) return std::move(chosen).error();
  const auto& entry = *chosen->with.mechanism;
  if (entry.wrap_authenticated == nullptr) {
    return bad_mechanism("the mechanism does not wrap with associated data");
  }
  const WrapInput input{token_->context(), chosen->with.parameter, chosen->with.key, chosen->key};
  const CallParameter parameter{copy.pParameter, copy.ulParameterLen};
  return give_blob(key_encoding_size(*token_->services().crypto, *chosen->key), out, [&] {
    return entry.wrap_authenticated(input, {parameter, aad});
  });
}

template <typename Unwrap>
Outcome<CK_OBJECT_HANDLE> Session::unwrap_by(const CK_MECHANISM& mechanism,
                                             CK_OBJECT_HANDLE unwrapping_key, core::ByteView blob,
                                             const Template& wanted, Unwrap unwrap) {
  if (blob.size() > kLargestBlob) return fault(CKR_WRAPPED_KEY_LEN_RANGE, "a blob too long");
  auto chosen = choose(mechanism, unwrapping_key, Use::kUnwrap, CKR_UNWRAPPING_KEY_HANDLE_INVALID);
  if (!chosen) return std::move(chosen).error();
  auto all_wanted = demanded_too(*chosen->key, CKA_UNWRAP_TEMPLATE, wanted);
  if (!all_wanted) return std::move(all_wanted).error();
  // A copy, because the caller may change its own while it is checked and used (A65).
  const core::Bytes copy(blob.begin(), blob.end());
  auto produced = unwrap(*chosen->mechanism, UnwrapInput{token_->context(), chosen->parameter,
                                                         chosen->key, copy, *all_wanted});
  if (!produced) return std::move(produced).error();
  Request request;
  request.action = Action::kUnwrap;
  request.mechanism_type = chosen->mechanism->type;
  request.wanted = &*all_wanted;
  request.parent = chosen->key.get();
  return keep(request, *std::move(produced));
}

Outcome<CK_OBJECT_HANDLE> Session::unwrap(const CK_MECHANISM& mechanism,
                                          CK_OBJECT_HANDLE unwrapping_key, core::ByteView blob,
                                          const Template& wanted) {
  const CK_MECHANISM copy = mechanism;
  const auto* const unwraps = token_->services().mechanisms->find(copy.mechanism);
  if (unwraps == nullptr || unwraps->unwrap == nullptr) return bad_mechanism("does not unwrap");
  return unwrap_by(copy, unwrapping_key, blob, wanted,
                   [](const Mechanism& entry, const UnwrapInput& input) -> Outcome<Produced> {
                     if (entry.unwrap == nullptr) {
                       return bad_mechanism("the mechanism does not unwrap");
                     }
                     return entry.unwrap(input);
                   });
}

Outcome<CK_OBJECT_HANDLE> Session::unwrap_authenticated(const CK_MECHANISM& mechanism,
                                                        CK_OBJECT_HANDLE unwrapping_key,
                                                        core::ByteView blob, const Template& wanted,
                                                        core::ByteView aad) {
  const CK_MECHANISM copy = mechanism;
  const auto* const unwraps = token_->services().mechanisms->find(copy.mechanism);
  if (unwraps == nullptr || unwraps->unwrap_authenticated == nullptr) {
    return bad_mechanism("does not unwrap with associated data");
  }
  const CallParameter parameter{copy.pParameter, copy.ulParameterLen};
  return unwrap_by(copy, unwrapping_key, blob, wanted,
                   [&](const Mechanism& entry, const UnwrapInput& input) -> Outcome<Produced> {
                     if (entry.unwrap_authenticated == nullptr) {
                       return bad_mechanism("the mechanism does not unwrap with associated data");
                     }
                     return entry.unwrap_authenticated(input, {parameter, aad});
                   });
}

Outcome<ObjectPtr> Session::second_key(const Chosen& chosen) {
  if (chosen.mechanism->second_key == nullptr) return ObjectPtr();
  auto handle = chosen.mechanism->second_key(chosen.parameter);
  if (!handle) return std::move(handle).error();
  if (!*handle) return ObjectPtr();
  auto key = object(**handle, CKR_KEY_HANDLE_INVALID);
  if (!key) return std::move(key).error();
  Request request;
  request.caller = caller();
  request.object = key->get();
  request.use = Use::kDerive;
  request.mechanism = chosen.mechanism;
  if (auto allowed = token_->services().policy->decide(request); !allowed) {
    return std::move(allowed).error();
  }
  return *std::move(key);
}

Outcome<std::vector<FurtherKey>> Session::further_keys(const Chosen& chosen) {
  if (chosen.mechanism->further_keys == nullptr) return std::vector<FurtherKey>();
  auto further = chosen.mechanism->further_keys(chosen.parameter);
  if (!further) return further;
  for (auto& one : *further) {
    auto all_wanted = demanded_too(*chosen.key, CKA_DERIVE_TEMPLATE, one.wanted);
    if (!all_wanted) return one.refused(std::move(all_wanted).error());
    one.wanted = *std::move(all_wanted);
  }
  return further;
}

// Every key is decided about before any is kept.
Outcome<CK_OBJECT_HANDLE> Session::keep_with(Request request, Produced produced,
                                             std::span<const FurtherKey> further) {
  request.caller = caller();
  const auto decide = [&](Draft& draft) -> Outcome<void> {
    request.made = &draft;
    auto attributes = token_->services().policy->decide(request);
    if (!attributes) return std::move(attributes).error();
    draft.attributes = *std::move(attributes);
    return {};
  };
  std::vector<Draft> all;
  if (auto decided = decide(produced.object); !decided) return std::move(decided).error();
  all.push_back(std::move(produced.object));
  for (std::size_t i = 0; i < further.size(); ++i) {
    request.wanted = &further[i].wanted;
    auto& draft = produced.further[i];
    if (auto decided = decide(draft); !decided) return further[i].refused(decided.error());
    all.push_back(std::move(draft));
  }
  auto handles = store_all(std::move(all));
  if (!handles) return std::move(handles).error();
  for (std::size_t i = 0; i < further.size(); ++i) further[i].give((*handles)[i + 1]);
  return handles->front();
}

Outcome<CK_OBJECT_HANDLE> Session::derive(const CK_MECHANISM& mechanism, CK_OBJECT_HANDLE base_key,
                                          const Template& wanted) {
  const auto* const derives = token_->services().mechanisms->find(mechanism.mechanism);
  if (derives == nullptr || derives->derive == nullptr) return bad_mechanism("does not derive");
  auto chosen = choose(mechanism, base_key, Use::kDerive);
  if (!chosen) return std::move(chosen).error();
  if (chosen->mechanism->derive == nullptr) return bad_mechanism("the mechanism does not derive");
  auto second = second_key(*chosen);
  if (!second) return std::move(second).error();
  auto all_wanted = demanded_too(*chosen->key, CKA_DERIVE_TEMPLATE, wanted);
  // The two may change places: HKDF extracts under the one what it expands from the other.
  if (all_wanted && *second) all_wanted = demanded_too(**second, CKA_DERIVE_TEMPLATE, *all_wanted);
  if (!all_wanted) return std::move(all_wanted).error();
  auto further = further_keys(*chosen);
  if (!further) return std::move(further).error();
  auto produced = chosen->mechanism->derive(
      {token_->context(), chosen->parameter, chosen->key, *all_wanted, *second, *further});
  if (!produced) return std::move(produced).error();
  Request request;
  request.action = Action::kDerive;
  request.mechanism_type = chosen->mechanism->type;
  request.wanted = &*all_wanted;
  request.parent = chosen->key.get();
  if (further->empty()) return keep(request, *std::move(produced));
  return keep_with(request, *std::move(produced), *further);
}

Outcome<std::optional<CK_OBJECT_HANDLE>> Session::encapsulate(const CK_MECHANISM& mechanism,
                                                              CK_OBJECT_HANDLE public_key,
                                                              const Template& wanted,
                                                              Output ciphertext) {
  const CK_MECHANISM copy = mechanism;
  const auto* const entry = token_->services().mechanisms->find(copy.mechanism);
  if (entry == nullptr || entry->encapsulate == nullptr) return bad_mechanism("no encapsulation");
  auto chosen = choose(copy, public_key, Use::kEncapsulate);
  if (!chosen) return std::move(chosen).error();
  auto all_wanted = demanded_too(*chosen->key, CKA_ENCAPSULATE_TEMPLATE, wanted);
  if (!all_wanted) {
    // What the standard has this one answer (3.2, section 5.18.8).
    const bool contradicts = all_wanted.error().rv == CKR_TEMPLATE_INCONSISTENT;
    return contradicts ? fault(CKR_KEY_HANDLE_INVALID, "the key does not encapsulate such keys")
                       : std::move(all_wanted).error();
  }
  const DeriveInput input{token_->context(), chosen->parameter, chosen->key, *all_wanted};
  auto size = entry->ciphertext_size(input);
  if (!size) return std::move(size).error();
  auto room = ciphertext.reserve(*size);
  if (!room) return std::move(room).error();
  if (!*room) return std::optional<CK_OBJECT_HANDLE>();
  auto made = entry->encapsulate(input);
  if (!made) return std::move(made).error();
  Request request;
  request.action = Action::kDerive;
  request.mechanism_type = entry->type;
  request.wanted = &*all_wanted;
  auto kept = keep(request, std::move(made->key));
  if (!kept) return std::move(kept).error();
  std::ranges::copy(made->ciphertext, ciphertext.first(*size).begin());
  return std::optional<CK_OBJECT_HANDLE>(*kept);
}

Outcome<CK_OBJECT_HANDLE> Session::decapsulate(const CK_MECHANISM& mechanism,
                                               CK_OBJECT_HANDLE private_key,
                                               core::ByteView ciphertext, const Template& wanted) {
  const CK_MECHANISM copy = mechanism;
  const auto* const entry = token_->services().mechanisms->find(copy.mechanism);
  if (entry == nullptr || entry->decapsulate == nullptr) return bad_mechanism("no decapsulation");
  if (ciphertext.size() > kLargestBlob) return fault(CKR_WRAPPED_KEY_LEN_RANGE, "too long");
  auto chosen = choose(copy, private_key, Use::kDecapsulate, CKR_UNWRAPPING_KEY_HANDLE_INVALID);
  if (!chosen) return std::move(chosen).error();
  auto all_wanted = demanded_too(*chosen->key, CKA_DECAPSULATE_TEMPLATE, wanted);
  if (!all_wanted) return std::move(all_wanted).error();
  // A copy, because the caller may change its own while it is used (A65).
  const core::Bytes bytes(ciphertext.begin(), ciphertext.end());
  auto produced =
      entry->decapsulate({token_->context(), chosen->parameter, chosen->key, bytes, *all_wanted});
  if (!produced) return std::move(produced).error();
  Request request;
  request.action = Action::kDerive;
  request.mechanism_type = entry->type;
  request.wanted = &*all_wanted;
  return keep(request, *std::move(produced));
}

}  // namespace tallystick::token
