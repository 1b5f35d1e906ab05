// Many objects on a token, and many processes at it. tools/soak runs the same with larger numbers,
// which it gives in TALLYSTICK_LOAD_…; times are printed and nothing depends on them.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <set>

#include "core/base/reader.h"
#include "tests/pkcs11/support/bench.h"
#include "tests/pkcs11/support/keys.h"

namespace tallystick::test {
namespace {

int number_of(const char* variable, int otherwise) {
  const char* const given = std::getenv(variable);
  return given != nullptr ? std::stoi(given) : otherwise;
}

// Prints what took how long when it goes.
class Stopwatch {
 public:
  Stopwatch(const char* what, int count) : what_(what), count_(count) {}
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;
  ~Stopwatch() {
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start_;
    std::printf("%s: %d in %.3f s, %.0f a second\n", what_, count_, took.count(),
                count_ / took.count());
    (void)std::fflush(stdout);
  }

 private:
  const char* what_;
  int count_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

std::string label_of(int i) { return "object " + std::to_string(i); }
core::Bytes id_of(int i) {
  core::Writer out;
  return out.u32(static_cast<std::uint32_t>(i)).take();
}

Attributes key_number(int i) {
  core::Bytes value(32, 7);
  std::ranges::copy(id_of(i), value.begin());
  return secret_key(CKK_AES, value)
      .flag(CKA_TOKEN, true)
      .flag(CKA_PRIVATE, i % 2 == 0)
      .text(CKA_LABEL, label_of(i))
      .bytes(CKA_ID, id_of(i));
}

// How many of `tries` objects, spread over all, are found as exactly one by label and by id.
int found(const Session& session, int all, int tries) {
  int right = 0;
  for (int t = 0; t < tries; ++t) {
    const int i = static_cast<int>(static_cast<long>(all) * t / tries);
    const auto by_label = session.find(Attributes().text(CKA_LABEL, label_of(i)));
    const auto by_id = session.find(Attributes().bytes(CKA_ID, id_of(i)));
    if (by_label.size() == 1 && by_label == by_id) ++right;
  }
  return right;
}

std::set<CK_OBJECT_HANDLE> listed(const Session& session, CK_ULONG batch) {
  auto pattern = Attributes().number(CKA_CLASS, CKO_SECRET_KEY);
  must(session->C_FindObjectsInit(session.handle(), pattern.data(), pattern.size()));
  std::set<CK_OBJECT_HANDLE> all;
  std::vector<CK_OBJECT_HANDLE> some(batch);
  while (true) {
    CK_ULONG count = 0;
    must(session->C_FindObjects(session.handle(), some.data(), batch, &count));
    if (count == 0) break;
    all.insert(some.begin(), some.begin() + static_cast<std::ptrdiff_t>(count));
  }
  must(session->C_FindObjectsFinal(session.handle()));
  return all;
}

TEST(Load, ManyObjectsAreMadeFoundListedAndDestroyed) {
  const int objects = number_of("TALLYSTICK_LOAD_OBJECTS", 5'000);
  const int tries = std::min(objects, 1'000);
  TestToken token;
  {
    const Stopwatch watch("made", objects);
    for (int i = 0; i < objects; ++i) must(token.session().create(key_number(i)));
  }
  {
    const Stopwatch watch("found by label and by id", 2 * tries);
    EXPECT_EQ(found(token.session(), objects, tries), tries);
  }
  {
    const Stopwatch watch("listed", objects);
    EXPECT_EQ(listed(token.session(), 100).size(), static_cast<std::size_t>(objects));
  }
  // A new process reads no more than it needs until it lists all.
  token.close_session();
  token.finalize();
  EXPECT_EQ(in_child([&] {
              std::optional<Session> session;
              {
                const Stopwatch watch("new process: started, logged in, found one", 1);
                must(token->C_Initialize(nullptr));
                session.emplace(token.functions(), token.slot());
                must(session->login(CKU_USER, kUserPin));
                if (found(*session, objects, 1) != 1) return 1;
              }
              {
                const Stopwatch watch("new process: found by label and by id", 2 * tries);
                if (found(*session, objects, tries) != tries) return 2;
              }
              const Stopwatch watch("new process: listed", objects);
              return static_cast<int>(listed(*session, 1'000).size()) == objects ? 0 : 3;
            }),
            0);
  token.initialize();
  token.open_and_login();
  {
    const Stopwatch watch("listed and destroyed", objects);
    for (const auto object : listed(token.session(), 100)) must(token.session().destroy(object));
  }
  EXPECT_TRUE(listed(token.session(), 100).empty());
  token.restart_and_login();
  EXPECT_TRUE(listed(token.session(), 100).empty());
}

// What a call may answer that another process was faster than.
bool is_race(CK_RV rv) { return rv == CKR_OBJECT_HANDLE_INVALID || rv == CKR_FUNCTION_FAILED; }

constexpr int kShared = 20;
constexpr int kMadeInARound = 3;

// One process: makes objects and destroys some of them, signs with a key that all use, and tries to
// be the first at what all destroy. Gives the number of shared objects that it destroyed.
int worker(const Session& observer, Session& session, const std::string& name, int rounds) {
  const auto mine = Attributes().text(CKA_LABEL, name);
  const auto key = observer.find(
      Attributes().text(CKA_LABEL, "signs for all").number(CKA_CLASS, CKO_PRIVATE_KEY));
  const auto check = observer.find(
      Attributes().text(CKA_LABEL, "signs for all").number(CKA_CLASS, CKO_PUBLIC_KEY));
  const auto common = observer.find(Attributes().text(CKA_LABEL, "for all"));
  auto shared = observer.find(Attributes().text(CKA_LABEL, "destroyed by all"));
  std::size_t left = 0;
  int destroyed = 0;
  for (int round = 0; round < rounds; ++round) {
    for (int i = 0; i < kMadeInARound; ++i) (void)data_object(session, name, true, i % 2 == 0);
    (void)generate_aes(session, Attributes().flag(CKA_TOKEN, true).append(mine));
    left += kMadeInARound + 1;
    auto own = session.find(mine);
    if (own.size() != left) throw std::runtime_error(name + " misses objects");
    for (int i = 0; i < kMadeInARound; ++i) must(session.destroy(own[static_cast<std::size_t>(i)]));
    left -= kMadeInARound;

    const auto data = bytes(name + std::to_string(round));
    const auto signature = must(session.sign(CKM_ECDSA_SHA256, key.at(0), data));
    must(session.verify(CKM_ECDSA_SHA256, check.at(0), data, signature));
    const auto changed = session.set(common.at(0), Attributes().text(CKA_APPLICATION, name));
    if (changed != CKR_OK && !is_race(changed)) must(changed);
    for (int i = 0; i < 2 && !shared.empty(); ++i, shared.pop_back()) {
      const auto rv = session.destroy(shared.back());
      if (rv == CKR_OK) ++destroyed;
      if (rv != CKR_OK && !is_race(rv)) must(rv);
    }
  }
  return destroyed;
}

TEST(Load, A47_ManyProcessesLoseNothing) {
  const int processes = number_of("TALLYSTICK_LOAD_PROCESSES", 8);
  const int rounds = number_of("TALLYSTICK_LOAD_ROUNDS", 10);
  TestToken token;
  const auto label = Attributes().flag(CKA_TOKEN, true).text(CKA_LABEL, "signs for all");
  (void)generate_ec(token.session(), core::Curve::kP256, label, label);
  (void)data_object(token.session(), "for all", true, true);
  for (int i = 0; i < kShared; ++i)
    (void)data_object(token.session(), "destroyed by all", true, true);

  std::vector<std::unique_ptr<Child>> children;
  for (int p = 0; p < processes; ++p) {
    children.push_back(std::make_unique<Child>([&, p](int in, int out) {
      must(token->C_Initialize(nullptr));
      const Session observer(token.functions(), token.slot(), CKF_SERIAL_SESSION);
      Session session(token.functions(), token.slot());
      must(session.login(CKU_USER, kUserPin));
      char go = 0;
      write_byte(out, 'r');
      if (!read_byte(in, go)) return 1;
      write_byte(out, static_cast<char>(
                          worker(observer, session, "process " + std::to_string(p), rounds)));
      return token->C_Finalize(nullptr) == CKR_OK ? 0 : 2;
    }));
  }
  for (const auto& child : children) ASSERT_EQ(child->receive(), "r");
  int destroyed = 0;
  {
    const Stopwatch watch("rounds of all processes", processes * rounds);
    for (const auto& child : children) child->send('g');
    for (const auto& child : children) {
      const auto answer = child->receive();
      ASSERT_EQ(answer.size(), 1U);
      destroyed += answer[0];
      EXPECT_EQ(child->wait(), 0);
    }
  }
  EXPECT_EQ(destroyed, kShared);
  const auto check_all = [&] {
    for (int p = 0; p < processes; ++p) {
      const auto mine = Attributes().text(CKA_LABEL, "process " + std::to_string(p));
      EXPECT_EQ(token.session().find(mine).size(), static_cast<std::size_t>(rounds));
    }
    EXPECT_TRUE(token.session().find(Attributes().text(CKA_LABEL, "destroyed by all")).empty());
    EXPECT_EQ(token.session().find(Attributes().text(CKA_LABEL, "for all")).size(), 1U);
  };
  check_all();
  token.restart_and_login();
  check_all();
}

}  // namespace
}  // namespace tallystick::test
