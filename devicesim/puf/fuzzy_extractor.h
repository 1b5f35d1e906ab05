// The fuzzy extractor (Dodis, Reyzin, Smith, EUROCRYPT 2004): a uniform key and public helper data
// from start-up values; the same key again from later, noisy values and the helper data. It is
// robust (Boyen and others, EUROCRYPT 2005): the helper data carry a MAC under a key that only the
// right secret gives, so that changed helper data, or another part's, give no key.
//
//   helper data = "TSPUFHD1" ‖ salt(32) ‖ chosen pairs(2048) ‖ offset(528) ‖ tag(32)
//   chosen pairs: bit i is set when cells 2i and 2i + 1 serve; exactly kPairs are, bit 0 is the
//                 highest of byte 0
//   PRK = HKDF-Extract-SHA-256(salt, secret)
//   key = HKDF-Expand(PRK, "TSPUF/ROOT", 32)
//   tag = HMAC-SHA-256(HKDF-Expand(PRK, "TSPUF/HELPER", 32), all before the tag)
//
// Why regeneration fails is not said: whoever may change helper data and sees whether the code or
// the tag was at fault learns the cells one by one (Delvaux and Verbauwhede, CT-RSA 2014; Becker,
// 2019). Both are always computed, and there is one error.
#pragma once

#include "core/crypto/crypto.h"
#include "devicesim/puf/code_offset.h"

namespace tallystick::device::puf {

constexpr std::size_t kRootKeySize = 32;
constexpr std::size_t kHelperSize = 8 + 32 + 2048 + kOffsetSize + 32;

struct Enrolment {
  core::Bytes helper;  // kHelperSize bytes, public
  core::Secret key;    // kRootKeySize bytes
};

// `start_up` has kStartUpSize bytes. kOpenFailed when too few pairs differ: the part is
// scrap. A part is enrolled once: helper data of two enrolments would tell more than those of one.
core::Result<Enrolment> enrol(const core::Crypto& crypto, core::ByteView start_up);

// kOpenFailed: too many cells started otherwise, or these are not the helper data of this
// part; the next power-on may succeed.
core::Result<core::Secret> regenerate(const core::Crypto& crypto, core::ByteView helper,
                                      core::ByteView start_up);

}  // namespace tallystick::device::puf
