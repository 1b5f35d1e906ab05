#include "tests/bench/cold_start.h"

#include <openssl/evp.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include <nlohmann/json.hpp>

#include "pkcs11/engine/pin.h"
#include "tests/bench/operations.h"

namespace tallystick::bench {
namespace {

constexpr std::string_view kSigningKey = "cold start key";

// Milliseconds of the steps, of one process or as medians of all rounds.
struct Steps {
  double load = 0;
  double login = 0;
  double find = 0;
  double sign = 0;
  double pin_hash = 0;
  [[nodiscard]] double all() const { return load + login + find + sign; }
};

nlohmann::json to_json(const Steps& steps) {
  return {{"load", steps.load},
          {"login", steps.login},
          {"find", steps.find},
          {"sign", steps.sign},
          {"pin_hash", steps.pin_hash}};
}

Steps from_json(const nlohmann::json& from) {
  return {from.at("load"), from.at("login"), from.at("find"), from.at("sign"), from.at("pin_hash")};
}

class Laps {
 public:
  double lap() {
    const auto now = Clock::now();
    const double took = std::chrono::duration<double, std::milli>(now - last_).count();
    last_ = now;
    return took;
  }

 private:
  Clock::time_point last_ = Clock::now();
};

// What our token spends on a PIN on purpose, alone.
double scrypt_milliseconds() {
  constexpr std::uint64_t kMemory = 128UL << 20;
  const auto cost = token::kPinCost;
  core::ByteArray<32> salt{};
  core::ByteArray<32> out{};
  Laps watch;
  if (EVP_PBE_scrypt(kPin.data(), kPin.size(), salt.data(), salt.size(), cost.n, cost.r, cost.p,
                     kMemory, out.data(), out.size()) != 1) {
    stop("scrypt failed in libcrypto");
  }
  return watch.lap();
}

Steps start_module(const std::string& path, bool ours) {
  Steps steps;
  Laps watch;
  auto* const functions = load_functions(path);
  if (functions == nullptr) stop("no module " + path);
  initialize_module(*functions);
  const auto slot = slot_of(*functions, kTokenLabel);
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  must(functions->C_OpenSession(slot, CKF_SERIAL_SESSION, nullptr, nullptr, &session),
       "C_OpenSession");
  steps.load = watch.lap();
  std::vector<CK_UTF8CHAR> pin(kPin.begin(), kPin.end());
  must(functions->C_Login(session, CKU_USER, pin.data(), pin.size()), "C_Login");
  steps.login = watch.lap();
  const auto key = find(*functions, session, kSigningKey);
  steps.find = watch.lap();
  core::ByteArray<32> hash{};
  core::ByteArray<64> signature{};
  CK_ULONG size = signature.size();
  CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
  must(functions->C_SignInit(session, &mechanism, key), "C_SignInit");
  must(functions->C_Sign(session, hash.data(), hash.size(), signature.data(), &size), "C_Sign");
  steps.sign = watch.lap();
  // SoftHSM2's hash of the PIN is nearly all of its C_Login.
  steps.pin_hash = ours ? scrypt_milliseconds() : steps.login;
  return steps;
}

Steps start_raw(const std::string& key_file) {
  Steps steps;
  Laps watch;
  const Raw raw;
  const auto key = raw.read_key(key_file);
  steps.load = watch.lap();
  const core::ByteArray<32> hash{};
  (void)raw.sign(key.get(), hash);
  steps.sign = watch.lap();
  return steps;
}

std::string read_all(int from) {
  std::string out;
  std::array<char, 512> part{};
  while (true) {
    const auto got = read(from, part.data(), part.size());
    if (got <= 0) return out;
    out.append(part.data(), static_cast<std::size_t>(got));
  }
}

Steps run_child(const std::string& module, const std::string& key) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) stop("no pipe");
  posix_spawn_file_actions_t actions;
  (void)posix_spawn_file_actions_init(&actions);
  (void)posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  (void)posix_spawn_file_actions_addclose(&actions, ends[0]);
  std::array<std::string, 4> words = {"tallystick_bench_token", std::string(kColdStartWord), module,
                                      key};
  std::array<char*, 5> arguments = {words[0].data(), words[1].data(), words[2].data(),
                                    words[3].data(), nullptr};
  pid_t child = 0;
  if (posix_spawn(&child, "/proc/self/exe", &actions, nullptr, arguments.data(), environ) != 0) {
    stop("no child process");
  }
  (void)posix_spawn_file_actions_destroy(&actions);
  (void)close(ends[1]);
  const auto said = read_all(ends[0]);
  (void)close(ends[0]);
  int status = 0;
  if (waitpid(child, &status, 0) != child || status != 0) stop("the child process failed");
  return from_json(nlohmann::json::parse(said));
}

using History = std::vector<Steps>;

std::string summary(const char* who, const History& history) {
  if (history.empty()) return std::string(who) + ": not measured";
  const auto of = [&history](double Steps::*step) {
    std::vector<double> all;
    for (const auto& steps : history) all.push_back(steps.*step);
    return median(std::move(all));
  };
  std::array<char, 160> out{};
  (void)std::snprintf(out.data(), out.size(),
                      "%s: load %.1f ms, login %.1f (PIN hash %.1f), find %.2f, sign %.2f", who,
                      of(&Steps::load), of(&Steps::login), of(&Steps::pin_hash), of(&Steps::find),
                      of(&Steps::sign));
  return out.data();
}

Sample child_sample(std::string module, std::string key, std::shared_ptr<History> history) {
  return [module = std::move(module), key = std::move(key),
          history = std::move(history)](std::size_t count) {
    double total = 0;
    for (std::size_t i = 0; i < count; ++i) {
      history->push_back(run_child(module, key));
      total += (history->back().all() - history->back().pin_hash) / 1000;
    }
    return Took{total, 0};
  };
}

}  // namespace

Case cold_start_case(World& world) {
  Case one;
  const auto key_file = world.folder + "/raw.pem";
  world.raw.write_key(world.raw.p256().get(), key_file);
  one.raw = child_sample("", key_file, std::make_shared<History>());
  world.many_for_other();
  const auto ours = std::make_shared<History>();
  const auto other = std::make_shared<History>();
  const auto lane = [&world](const std::shared_ptr<History>& history, const char* who) {
    return [&world, history, who](Module& module) -> Lane {
      module.fill(world.many_objects);
      const auto session = module.open_session();
      const auto key = module.p256_pair(session, true).private_key;
      Attributes name;
      name.text(CKA_LABEL, kSigningKey);
      must(module.call().C_SetAttributeValue(session, key, name.data(), name.size()),
           "C_SetAttributeValue");
      return child_sample(module.path(), who, history);
    };
  };
  one.ours = lane_of(world.ours, lane(ours, "ours"));
  one.other = lane_of(world.other, lane(other, "other"));
  one.count = 1;
  one.target = {.most_microseconds = 10'000};
  one.note = [ours, other] {
    return "cold start, of which the PIN hash is taken off: " + summary("ours", *ours) + "; " +
           summary("SoftHSM2", *other);
  };
  return one;
}

int cold_start_child(const std::string& module, const std::string& key) {
  const auto steps = module.empty() ? start_raw(key) : start_module(module, key == "ours");
  std::printf("%s\n", to_json(steps).dump().c_str());
  (void)std::fflush(stdout);
  // What a module does at exit is not asked here.
  std::_Exit(0);
}

}  // namespace tallystick::bench
