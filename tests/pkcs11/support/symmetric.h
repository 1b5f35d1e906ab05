// Parameters of symmetric mechanisms, and what every cipher mechanism owes its caller.
#pragma once

#include <functional>
#include <memory>

#include "tallystick/pkcs11_v3.h"
#include "tests/pkcs11/support/bench.h"

namespace tallystick::test {

class Ccm : public Mechanism {
 public:
  // `size` is the plaintext's.
  Ccm(std::size_t size, core::Bytes nonce, core::Bytes aad = {}, CK_ULONG mac_size = 16);
  Ccm(const Ccm&) = delete;
  Ccm& operator=(const Ccm&) = delete;
  CK_CCM_PARAMS& params() { return params_; }

 private:
  core::Bytes nonce_;
  core::Bytes aad_;
  CK_CCM_PARAMS params_{};
};

// CKM_AES_CTR with a block of 16 bytes, of which the last `bits` bits are the counter.
Mechanism ctr(const core::Bytes& block, CK_ULONG bits);
// A mechanism whose parameter is one CK_ULONG, as those of the shortened MACs.
Mechanism with_number(CK_MECHANISM_TYPE type, CK_ULONG number);

// A mechanism for a message of `size` bytes, for tests that need many of them.
using CipherOf = std::function<std::unique_ptr<Mechanism>(std::size_t size)>;
// Expects, for messages of these sizes in both directions: parts of any size give what one call
// gives; asking for a length changes nothing and a short buffer ends nothing; input and output may
// overlap in any way; and nothing is written beyond what was announced.
void expect_cipher_manners(TestToken& token, CK_OBJECT_HANDLE key, const CipherOf& mechanism,
                           const std::vector<std::size_t>& sizes);

// Bytes that differ, the same at each call.
core::Bytes some_bytes(std::size_t size);

}  // namespace tallystick::test
