// Several threads, each with a session of its own, on the same keys.
#include <memory>
#include <thread>

#include "tests/bench/cases.h"
#include "tests/bench/operations.h"

namespace tallystick::bench {
namespace {

using Worker = std::function<void()>;

constexpr std::size_t kMessage = 500;
constexpr std::size_t kRecord = 64UL << 10;

// The threads share the repetitions; the time is that of all together.
Sample threaded(std::vector<Worker> workers) {
  return [workers = std::move(workers)](std::size_t count) {
    const auto each = count / workers.size() + 1;
    const Stopwatch watch;
    {
      std::vector<std::jthread> threads;
      for (const auto& worker : workers) {
        threads.emplace_back([each, &worker] {
          for (std::size_t i = 0; i < each; ++i) worker();
        });
      }
    }
    const auto done = static_cast<double>(each * workers.size());
    const auto took = watch.read();
    const double part = static_cast<double>(count) / done;
    return Took{took.wall * part, workers.size() == 1 ? took.processor * part : 0};
  };
}

template <typename Make>
Sample threaded(std::size_t threads, Make make) {
  std::vector<Worker> workers;
  for (std::size_t i = 0; i < threads; ++i) workers.push_back(make());
  return threaded(std::move(workers));
}

Case sign_on_threads(World& world, std::size_t threads) {
  Case one;
  const core::ByteArray<32> hash{1, 2, 3};
  const std::shared_ptr<EVP_PKEY> raw_key(world.raw.p256().release(), EVP_PKEY_free);
  one.raw = threaded(threads, [&] {
    return [&raw = world.raw, raw_key, hash] { (void)raw.sign(raw_key.get(), hash); };
  });
  both(one, world, [&](Module& module) -> Lane {
    if (!module.offers(CKM_ECDSA, CKF_SIGN)) return missing("not offered");
    const auto key = module.p256_pair(module.open_session(), true).private_key;
    return threaded(threads, [&] {
      return [&module, session = module.open_session(), key, hash] {
        core::ByteArray<64> signature{};
        sign(module, session, CKM_ECDSA, key, hash, signature);
      };
    });
  });
  one.target = {.to_raw = threads == 1 ? 0.92 : 0, .to_other = threads == 1 ? 2.9 : 1};
  return one;
}

struct IssueKeys {
  CK_OBJECT_HANDLE signing;
  CK_OBJECT_HANDLE sealing;
};

// Identity for one part: a key pair, its point read, a statement signed, a record sealed.
class Issue {
 public:
  Issue(const Module& module, IssueKeys keys)
      : module_(&module),
        session_(module.open_session()),
        keys_(keys),
        hashes_itself_(module.offers(CKM_ECDSA_SHA256, CKF_SIGN)) {}

  void operator()() {
    const auto pair = module_->p256_pair(session_, false);
    core::ByteArray<80> point{};
    CK_ATTRIBUTE wanted{CKA_EC_POINT, point.data(), point.size()};
    must(module_->call().C_GetAttributeValue(session_, pair.public_key, &wanted, 1),
         "C_GetAttributeValue");
    core::ByteArray<64> signature{};
    if (hashes_itself_) {
      sign(*module_, session_, CKM_ECDSA_SHA256, keys_.signing, message_, signature);
    } else {
      core::ByteArray<32> hash{};
      digest(*module_, session_, message_, hash);
      sign(*module_, session_, CKM_ECDSA, keys_.signing, hash, signature);
    }
    ++iv_[0];
    gcm_encrypt(*module_, session_, keys_.sealing, iv_, record_, sealed_);
    destroy(*module_, session_, pair.private_key);
    destroy(*module_, session_, pair.public_key);
  }

 private:
  const Module* module_;
  CK_SESSION_HANDLE session_;
  IssueKeys keys_;
  bool hashes_itself_;
  core::Bytes message_ = core::Bytes(kMessage, 3);
  core::Bytes record_ = core::Bytes(kRecord, 4);
  core::Bytes sealed_ = core::Bytes(kRecord + kTagSize);
  core::ByteArray<12> iv_{};
};

class RawIssue {
 public:
  RawIssue(const Raw& raw, std::shared_ptr<EVP_PKEY> key) : raw_(&raw), key_(std::move(key)) {}

  void operator()() {
    const auto pair = raw_->p256();
    raw_->encoded_point(pair.get());
    raw_->sign_message(key_.get(), message_);
    ++iv_[0];
    raw_->gcm(iv_, record_, sealed_);
  }

 private:
  const Raw* raw_;
  std::shared_ptr<EVP_PKEY> key_;
  core::Bytes message_ = core::Bytes(kMessage, 3);
  core::Bytes record_ = core::Bytes(kRecord, 4);
  core::Bytes sealed_ = core::Bytes(kRecord + kTagSize);
  core::ByteArray<12> iv_{};
};

Case issue_on_threads(World& world, std::size_t threads) {
  Case one;
  const std::shared_ptr<EVP_PKEY> raw_key(world.raw.p256().release(), EVP_PKEY_free);
  one.raw = threaded(threads, [&] { return RawIssue(world.raw, raw_key); });
  both(one, world, [&](Module& module) -> Lane {
    if (!module.offers(CKM_ECDSA, CKF_SIGN) || !module.offers(CKM_AES_GCM, CKF_ENCRYPT)) {
      return missing("not offered");
    }
    const auto session = module.open_session();
    const IssueKeys keys{module.p256_pair(session, true).private_key,
                         module.aes_key(session, CKA_ENCRYPT, CKA_DECRYPT)};
    return threaded(threads, [&] { return Issue(module, keys); });
  });
  one.target = {.to_raw = threads == 1 ? 0.90 : 0.85, .to_other = threads == 1 ? 4.1 : 1};
  return one;
}

Group on_threads(const std::string& name, Case (*make)(World&, std::size_t),
                 const std::vector<std::size_t>& counts) {
  Group group;
  for (const auto threads : counts) {
    group.push_back(
        {name + ", " + std::to_string(threads) + (threads == 1 ? " thread" : " threads"),
         [make, threads](World& world) { return make(world, threads); }});
  }
  return group;
}

}  // namespace

std::vector<Group> thread_groups() {
  return {on_threads("P-256 sign", sign_on_threads, {1, 2, 4}),
          on_threads("device issuance", issue_on_threads, {1, 2})};
}

}  // namespace tallystick::bench
