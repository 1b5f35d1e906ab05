// NonceBook: the initialisation vectors that the token makes for the messages of a key, so that
// none comes twice (A33). Kept for each key value in this process: copies of a key share it, and so
// do all sessions.
#pragma once

#include <map>
#include <memory>

#include "pkcs11/engine/lock.h"
#include "pkcs11/engine/object.h"

namespace tallystick::token {

// How an IV is to be made: CKG_GENERATE..., and how many of its first bits stay as the caller gave
// them.
struct NonceRule {
  CK_GENERATOR_FUNCTION generator = CKG_NO_GENERATE;
  CK_ULONG fixed_bits = 0;
};

// The IVs of one key value.
class NonceSource {
 public:
  // Makes the part of `iv` after the fixed bits. CKR_MECHANISM_PARAM_INVALID for a rule that could
  // not keep them apart: random parts shorter than 96 bits, counters in more than one shape.
  // CKR_KEY_EXHAUSTED when there are no more.
  Outcome<void> fill(const core::Crypto& crypto, const NonceRule& rule, core::MutableByteView iv);

 private:
  Outcome<void> fill_random(const core::Crypto& crypto, CK_ULONG fixed_bits,
                            core::MutableByteView iv);
  Outcome<void> fill_counted(const NonceRule& rule, core::MutableByteView iv);

  // The first use of a counter says how all others look.
  struct Shape {
    CK_GENERATOR_FUNCTION generator = CKG_NO_GENERATE;
    CK_ULONG fixed_bits = 0;
    core::Bytes base;  // what the counter is combined with, fixed bits cleared
    bool operator==(const Shape&) const = default;
  };

  Mutex mutex_;
  Shape shape_ TS_GUARDED_BY(mutex_);
  std::uint64_t counter_ TS_GUARDED_BY(mutex_) = 0;
  std::uint64_t random_ TS_GUARDED_BY(mutex_) = 0;
};

class NonceBook {
 public:
  // The source of a key; the same for every object with the same value that came from one making.
  std::shared_ptr<NonceSource> source(const Object& key);

 private:
  struct Entry {
    std::weak_ptr<const core::Secret> value;
    std::shared_ptr<NonceSource> source;
  };
  Mutex mutex_;
  std::map<const core::Secret*, Entry> entries_ TS_GUARDED_BY(mutex_);
  std::size_t cleaned_at_ TS_GUARDED_BY(mutex_) = 0;
};

}  // namespace tallystick::token
