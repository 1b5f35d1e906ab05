#include "core/base/secret.h"

#include <openssl/crypto.h>

#include <cstring>
#include <new>

#include "core/base/internal/locked_pool.h"

namespace tallystick::core {

Secret::Secret(std::size_t size) : size_(size), capacity_(size) {
  if (size == 0) return;
  data_ = internal::locked_allocate(size);
  if (data_ == nullptr) throw std::bad_alloc();
}

Secret Secret::copy_of(ByteView bytes) {
  Secret out(bytes.size());
  if (out.data_ != nullptr) std::memcpy(out.data_, bytes.data(), bytes.size());
  return out;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(capacity_, other.capacity_);
  return *this;
}

Secret::~Secret() {
  if (data_ != nullptr) internal::locked_release(data_, capacity_);
}

void Secret::truncate(std::size_t size) {
  if (size >= size_) return;
  OPENSSL_cleanse(data_ + size, size_ - size);
  size_ = size;
}

void wipe(MutableByteView bytes) {
  if (!bytes.empty()) OPENSSL_cleanse(bytes.data(), bytes.size());
}

}  // namespace tallystick::core
