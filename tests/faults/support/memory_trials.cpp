#include "tests/faults/support/memory_trials.h"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <unistd.h>

#include <cstdio>
#include <exception>

#include "tests/faults/support/memory_tap.h"
#include "tests/faults/support/points.h"
#include "tests/pkcs11/support/bench.h"

namespace tallystick::test {
namespace {

constexpr std::uint64_t kSample = 15;  // points of a job where not all are tried
constexpr unsigned kLongest = 60;      // seconds

Went outcome_of(const std::function<Went()>& work) {
  // What an earlier failure has left in libcrypto's queue would be taken for this one's.
  ERR_clear_error();
  try {
    return work();
  } catch (const std::exception&) {
    return Went::kFailed;
  }
}

int trials(const Job& job, bool lasting, int out) {
  const auto work = job.ready();
  // What a process makes once and for all is made.
  if (const auto first = work(); first != Went::kWell) return 1;
  MemoryTap::arm(~std::uint64_t{0}, false);
  (void)outcome_of(work);
  const auto step = stride(MemoryTap::disarm(), kSample);
  bool sound = true;
  for (std::uint64_t at = 0;; at += step) {
    (void)alarm(kLongest);
    MemoryTap::arm(at, lasting);
    const auto went = outcome_of(work);
    (void)MemoryTap::disarm();
    write_byte(out, '.');
    if (!MemoryTap::struck()) return sound && went == Went::kWell ? 0 : 1;
    const auto where = " at request " + std::to_string(at);
    if (went == Went::kBadly) {
      complain("goes on wrongly" + where);
      sound = false;
    }
    int tries = 0;
    while (went != Went::kWell && tries < job.patience && outcome_of(work) != Went::kWell) ++tries;
    if (tries == job.patience) {
      complain("the next try fails after the failure" + where);
      sound = false;
    }
  }
}

}  // namespace

void complain(const std::string& what) { (void)std::fprintf(stderr, "child: %s\n", what.c_str()); }

bool is_clean(CK_RV rv) {
  switch (rv) {
    case CKR_HOST_MEMORY:
    case CKR_FUNCTION_FAILED:
    case CKR_DEVICE_ERROR:
    case CKR_KEY_TYPE_INCONSISTENT:
    case CKR_MECHANISM_PARAM_INVALID:
    case CKR_ATTRIBUTE_VALUE_INVALID:
    case CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT:
    case CKR_WRAPPED_KEY_INVALID:
      return true;
    default:
      return false;
  }
}

void expect_clean_without_memory(const char* figures_of, std::span<const Job> jobs) {
  for (const bool lasting : {false, true}) {
    Figures figures(std::string(figures_of) +
                    (lasting ? ", no memory from one request on" : ", no memory once"));
    for (const auto& job : jobs) {
      if (!wanted(job.name)) continue;
      SCOPED_TRACE(std::string(job.name) + (lasting ? ", lasting" : ", once"));
      figures.operation();
      Child child([&](int, int out) { return trials(job, lasting, out); });
      while (!child.receive().empty()) figures.point();
      EXPECT_EQ(child.wait(), 0);
    }
  }
}

}  // namespace tallystick::test
