// How fast a part takes a package, beside what no implementation can avoid: AES-256-GCM over the
// firmware and SHA-384 over the same bytes, in chunks as the profile has them. The benchmarks are
// interleaved, so that the ratio of their medians holds on a machine whose speed drifts; main()
// prints it as the last line.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>

#include "core/crypto/aead.h"
#include "core/crypto/hash.h"
#include "devicesim/part.h"
#include "tests/support/oem_desk.h"
#include "tests/support/scratch.h"
#include "tests/support/value.h"

namespace {

using namespace tallystick;

constexpr std::size_t kFirmware = 1024UL * 1024;

struct Line {
  test::Scratch folder;
  test::World world;
  test::OemDesk oem{world};
  core::Bytes firmware = test::pattern(kFirmware, 1);
  core::Bytes package;
  core::Bytes shares = oem.share_blob();

  Line() {
    test::PackagePlan plan;
    plan.assets.push_back(test::flash_asset(1, "firmware", 0, firmware));
    package = oem.package(plan);
  }

  std::unique_ptr<device::Part> blank_part(const std::string& name) {
    device::Manufacture made;
    made.icm_fingerprint = world.fingerprint();
    auto part = test::value(device::Part::create(world.crypto_ptr(), folder.file(name), made));
    test::done(part->fill_immutable_memory(
        world.family_blob(core::FamilyRole::kPart, part->public_key())));
    test::done(
        part->store_certificate(world.certificate(core::DeviceKind::kPart, part->public_key())));
    test::done(part->load_software(world.software()));
    test::done(part->reset());
    return part;
  }
};

Line& line() {
  static Line shared;
  return shared;
}

void raw_gcm_and_sha384(benchmark::State& state) {
  auto& it = line();
  const auto& crypto = it.world.crypto();
  const auto key = test::value(crypto.random_secret(32));
  auto aead = test::value(core::Aead::create(crypto, core::AeadAlgorithm::kGcm, key.view()));
  const core::ByteArray<12> nonce{};
  core::Bytes sealed(16384 + core::Aead::kTagSize);
  core::Bytes plain(16384);
  test::done(aead.seal(nonce, {}, core::ByteView(it.firmware).first(plain.size()), sealed));
  for (auto _ : state) {
    auto hasher = test::value(core::Hasher::create(crypto, core::Hash::kSha384));
    for (std::size_t at = 0; at < kFirmware; at += plain.size()) {
      test::done(hasher.update(sealed));
      test::done(aead.open(nonce, {}, sealed, plain));
    }
    core::ByteArray<48> digest{};
    test::done(hasher.finish(digest));
    benchmark::DoNotOptimize(digest);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(kFirmware) * state.iterations());
}

// From a blank, certified part in a file to one whose package is committed.
void program_part(benchmark::State& state) {
  auto& it = line();
  std::size_t made = 0;
  for (auto _ : state) {
    state.PauseTiming();
    const auto name = "part-" + std::to_string(made++);
    auto part = it.blank_part(name);
    state.ResumeTiming();
    test::done(part->load_share_blob(it.shares));
    auto installer = test::value(part->install_package(it.package.size()));
    test::done(installer->update(it.package));
    test::done(installer->finish());
    state.PauseTiming();
    installer.reset();
    part.reset();
    std::filesystem::remove(it.folder.file(name));
    state.ResumeTiming();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(kFirmware) * state.iterations());
}

BENCHMARK(raw_gcm_and_sha384)->Unit(benchmark::kMillisecond)->Repetitions(9)->UseRealTime();
BENCHMARK(program_part)->Unit(benchmark::kMillisecond)->Repetitions(9)->UseRealTime();

// Keeps the medians for the ratio.
class Medians : public benchmark::ConsoleReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const auto& run : runs) {
      if (run.run_type == Run::RT_Iteration) {
        times_[run.run_name.function_name].push_back(run.GetAdjustedRealTime());
      }
    }
    ConsoleReporter::ReportRuns(runs);
  }
  double median(const std::string& name) {
    auto& all = times_[name];
    if (all.empty()) return 0;
    std::sort(all.begin(), all.end());
    return all[all.size() / 2];
  }

 private:
  std::map<std::string, std::vector<double>> times_;
};

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  Medians reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  const auto raw = reporter.median("raw_gcm_and_sha384");
  const auto part = reporter.median("program_part");
  if (raw > 0 && part > 0) {
    std::printf("1 MiB firmware: %.1f parts/s, %.2f of raw AES-256-GCM + SHA-384\n", 1000 / part,
                raw / part);
  }
  return 0;
}
