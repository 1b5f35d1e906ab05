#include "provider/operation.h"

#include <array>

namespace tallystick::provider {

Done Operation::begin(const Key& key, Init init, const OSSL_PARAM params[]) {
  context_.reset(EVP_PKEY_CTX_new_from_pkey(key.context->lib(), key.pkey.get(), nullptr));
  if (!context_ || init(context_.get(), params) <= 0) {
    context_.reset();
    return fail(Reason::kOperation, name_of(key) + ": the operation does not begin");
  }
  return {};
}

Outcome<Operation> Operation::duplicate() const {
  Operation copy;
  if (context_) {
    copy.context_.reset(EVP_PKEY_CTX_dup(context_.get()));
    if (!copy.context_) return fail(Reason::kMemory, "the operation is not copied");
  }
  return copy;
}

int Operation::digest(const char* parameter, OSSL_LIB_CTX* lib) const {
  return digest_of(context_.get(), parameter, lib);
}

std::optional<int> number_of(EVP_PKEY_CTX* operation, const char* parameter) {
  int number = 0;
  std::array<OSSL_PARAM, 2> params{OSSL_PARAM_construct_int(parameter, &number),
                                   OSSL_PARAM_construct_end()};
  if (EVP_PKEY_CTX_get_params(operation, params.data()) <= 0) return std::nullopt;
  if (OSSL_PARAM_modified(params.data()) == 0) return std::nullopt;
  return number;
}

int digest_of(EVP_PKEY_CTX* operation, const char* parameter, OSSL_LIB_CTX* lib) {
  std::array<char, 64> text{};
  std::array<OSSL_PARAM, 2> params{
      OSSL_PARAM_construct_utf8_string(parameter, text.data(), text.size()),
      OSSL_PARAM_construct_end()};
  if (EVP_PKEY_CTX_get_params(operation, params.data()) <= 0 || text[0] == 0) return NID_undef;
  const core::MdPtr digest(EVP_MD_fetch(lib, text.data(), nullptr));
  return digest ? EVP_MD_get_type(digest.get()) : NID_undef;
}

int get_operation_params(EVP_PKEY_CTX* operation, OSSL_PARAM params[]) {
  return operation == nullptr ? 0 : EVP_PKEY_CTX_get_params(operation, params);
}

int set_operation_params(EVP_PKEY_CTX* operation, const OSSL_PARAM params[]) {
  if (params == nullptr || params->key == nullptr) return 1;
  return operation == nullptr ? 0 : EVP_PKEY_CTX_set_params(operation, params);
}

const OSSL_PARAM* gettable_operation_params(EVP_PKEY_CTX* operation) {
  return operation == nullptr ? nullptr : EVP_PKEY_CTX_gettable_params(operation);
}

const OSSL_PARAM* settable_operation_params(EVP_PKEY_CTX* operation) {
  return operation == nullptr ? nullptr : EVP_PKEY_CTX_settable_params(operation);
}

}  // namespace tallystick::provider
