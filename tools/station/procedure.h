// Procedure: what is done with one part, from its first answer to its place in the record. It asks
// for one thing after another, is told what came of it, and does no I/O:
//
//   reach the part, learn who it says it is; check its certificate with the ICM's key
//   load software where none, or an older one, runs; reset
//   have it prove its key over a fresh challenge: only then is anything spent on it (D06)
//   take a place in the count, durably
//   share blob, package; proof that it holds them
//   lock; a last proof, for the OEM where the job has a challenge of his
//   deliver: proof and record, durably; reset
//
// Nothing is assumed of a part. After trouble on the line it begins anew at the top, and what the
// part then proves says what is left to do: a part whose answer got lost is found done and is not
// done twice.
#pragma once

#include "devicesim/mboot/resource.h"
#include "tools/station/host_session.h"
#include "tools/station/job.h"

namespace tallystick::station {

enum class Step : std::uint8_t {
  kReach,
  kIdentify,
  kSoftware,
  kProve,
  kPlace,
  kShares,
  kPackage,
  kVerify,
  kLock,
  kFinal,
  kDeliver,
};
const char* step_name(Step step);

enum class Result : std::uint8_t {
  kProgrammed,  // by this procedure
  kFound,       // held the package already; now recorded
  kKnown,       // held it already and is in the record
  kSkipped,     // is not one that the job is for
  kRefused,     // the station or the part said no
  kFailed,      // line or part gave up
  kWaits,       // there is no place in the count now
};

// Whether a part that did not come to its end may hold the package.
enum class Made : std::uint8_t { kNo, kPerhaps, kYes };

struct Verdict {
  Result result = Result::kFailed;
  Step step = Step::kReach;
  std::string why;
  Made made = Made::kNo;
};

// What a part that is done leaves behind.
struct Delivery {
  core::DeviceId part_id{};
  Result result = Result::kProgrammed;
  std::uint8_t life_cycle = 0;
  std::uint32_t software_version = 0;
  std::uint64_t number = 0;  // of its blob; 0: the family is not counted
  core::Bytes proof;         // for the OEM's challenge; empty: the job has none
  core::Bytes certificate;
};

// What the procedure wants next.
struct WantPing {};
struct WantPause {
  std::chrono::milliseconds time;
};
struct WantPlace {
  core::DeviceId part_id{};
  bool holds = false;  // the package, by its proof
};
using Want = std::variant<WantPing, WantPause, Request, WantPlace, Delivery, Verdict>;

// What the count says to a part.
enum class Place : std::uint8_t {
  kTaken,      // go on
  kFull,       // none is free
  kElsewhere,  // this part is being worked on at another port
  kDone,       // this part is in the record
};

class Procedure {
 public:
  explicit Procedure(std::shared_ptr<const Job> job) : job_(std::move(job)) {}

  [[nodiscard]] Want begin();
  [[nodiscard]] Want replied(const Reply& reply);
  // `whole_said`: all data of the request had been said.
  [[nodiscard]] Want troubled(LineTrouble trouble, bool whole_said);
  // The pause is over.
  [[nodiscard]] Want paused();
  [[nodiscard]] Want placed(Place place);
  [[nodiscard]] Want delivered();

  [[nodiscard]] Step step() const { return step_; }
  // What was passed since it was asked last.
  std::vector<Step> take_passed() { return std::exchange(passed_, {}); }
  // All zero until the part's certificate was checked.
  [[nodiscard]] const core::DeviceId& part_id() const { return part_id_; }
  [[nodiscard]] bool has_place() const { return has_place_; }
  [[nodiscard]] Made made() const { return made_; }
  // Beginning anew after trouble, so far.
  [[nodiscard]] unsigned retries() const { return retries_; }

 private:
  // The exchange that is under way.
  enum class Op : std::uint8_t {
    kPing,
    kLargestPacket,
    kRam,
    kIdentity,
    kCertificate,
    kSoftware,
    kReset,
    kResync,  // a reset after trouble
    kChallenge,
    kProof,
    kPlace,
    kShares,
    kPackage,
    kLock,
    kDeliver,
    kPause,
  };

  Want ask(Op op, Step step, Request request);
  Want ping();
  Want property(Op op, std::uint32_t id);
  Want resource(Op op, Step step, mboot::Resource which, std::uint32_t address);
  Want send_file(Op op, Step step, core::Bytes bytes);
  Want send_package();
  Want reset(Op op, Step step);
  Want lock();
  Want challenge(Step step);
  Want over(Result result, std::string why);
  Want refused(const Reply& reply);

  Want identified(const Reply& reply);
  Want certified(const Reply& reply);
  Want after_identity();
  Want proved(const Reply& reply);
  Want decide();
  Want after_place();
  Want after_package();
  Want finish();
  [[nodiscard]] bool holds_package() const;
  [[nodiscard]] bool wants_lock() const;

  std::shared_ptr<const Job> job_;
  Op op_ = Op::kPing;
  Step step_ = Step::kReach;
  unsigned retries_ = 0;
  std::size_t largest_packet_ = 0;
  std::uint32_t ram_ = 0;
  std::optional<mboot::Identity> identity_;
  core::Bytes certificate_;
  std::optional<core::EcPublicKey> key_;
  core::DeviceId part_id_{};
  bool software_loaded_ = false;
  bool software_reset_ = false;
  Challenge challenge_{};
  core::Bytes proof_bytes_;
  std::optional<core::Proof> proof_;
  bool has_place_ = false;
  bool package_said_ = false;  // all of it, to a part that may have taken it
  bool programmed_ = false;
  Made made_ = Made::kNo;
  std::vector<Step> passed_;
};

}  // namespace tallystick::station
