#include "tools/station/procedure.h"

#include <algorithm>

#include "core/certificate/device_certificate.h"
#include "devicesim/mboot/little_endian.h"
#include "tools/cli/formats/names.h"
#include "tools/station/status_text.h"

namespace tallystick::station {

using mboot::Identity;
using mboot::Resource;
using mboot::StatusCode;
using mboot::Tag;

namespace {

constexpr std::uint32_t kLargestPacketProperty = 0x0B;
constexpr std::uint32_t kRamProperty = 0x0E;
// Where NXP's hosts keep theirs, too: a boot loader has the front for itself.
constexpr std::uint32_t kChallengeOffset = 0x8000;
constexpr std::uint8_t kLocked = 3;
constexpr unsigned kMostRetries = 8;
constexpr unsigned kResetsFrom = 2;
constexpr std::chrono::milliseconds kAfterReset{50};

// A little longer each time.
std::chrono::milliseconds pause_before(unsigned retry) {
  return std::chrono::milliseconds(100U << std::min(retry, 5U));
}

}  // namespace

const char* step_name(Step step) {
  switch (step) {
    case Step::kReach:
      return "reach";
    case Step::kIdentify:
      return "identify";
    case Step::kSoftware:
      return "software";
    case Step::kProve:
      return "prove";
    case Step::kPlace:
      return "place";
    case Step::kShares:
      return "shares";
    case Step::kPackage:
      return "package";
    case Step::kVerify:
      return "verify";
    case Step::kLock:
      return "lock";
    case Step::kFinal:
      return "final proof";
    case Step::kDeliver:
      return "deliver";
  }
  return "";
}

// --- what is asked

Want Procedure::ask(Op op, Step step, Request request) {
  op_ = op;
  step_ = step;
  request.largest_packet = std::max<std::size_t>(largest_packet_, 32);
  return request;
}

Want Procedure::ping() {
  op_ = Op::kPing;
  step_ = Step::kReach;
  return WantPing{};
}

Want Procedure::property(Op op, std::uint32_t id) {
  Request request;
  request.packet = {Tag::kGetProperty, 0, {id, 0}};
  request.response = Tag::kGetPropertyResponse;
  return ask(op, Step::kReach, std::move(request));
}

Want Procedure::resource(Op op, Step step, Resource which, std::uint32_t address) {
  Request request;
  request.packet = {Tag::kFlashReadResource,
                    0,
                    {address, mboot::kMostResource, static_cast<std::uint32_t>(which)}};
  request.response = Tag::kFlashReadResourceResponse;
  request.most_answer = mboot::kMostResource;
  return ask(op, step, std::move(request));
}

Want Procedure::send_file(Op op, Step step, core::Bytes bytes) {
  Request request;
  request.packet = {Tag::kReceiveSbFile, 0, {static_cast<std::uint32_t>(bytes.size())}};
  request.length = bytes.size();
  request.read = [bytes = std::move(bytes)](std::uint64_t offset, core::MutableByteView into) {
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), into.size(), into.begin());
    return true;
  };
  return ask(op, step, std::move(request));
}

Want Procedure::send_package() {
  Request request;
  request.length = job_->package->size();
  request.packet = {Tag::kReceiveSbFile, 0, {static_cast<std::uint32_t>(request.length)}};
  request.read = [package = job_->package](std::uint64_t offset, core::MutableByteView into) {
    return package->read_at(offset, into).ok();
  };
  return ask(Op::kPackage, Step::kPackage, std::move(request));
}

Want Procedure::reset(Op op, Step step) {
  Request request;
  request.packet = {Tag::kReset, 0, {}};
  return ask(op, step, std::move(request));
}

Want Procedure::lock() {
  Request request;
  request.packet = {Tag::kUpdateLifeCycle, 0, {kLocked}};
  return ask(Op::kLock, Step::kLock, std::move(request));
}

// What comes of it is proved() with that step. The OEM's challenge is for the last proof.
Want Procedure::challenge(Step step) {
  if (step == Step::kFinal && job_->file.challenge) {
    challenge_ = *job_->file.challenge;
  } else if (!job_->crypto->random(challenge_)) {
    return over(Result::kFailed, "there is no randomness for a challenge");
  }
  Request request;
  request.packet = {Tag::kWriteMemory, 0, {ram_, static_cast<std::uint32_t>(challenge_.size()), 0}};
  request.length = challenge_.size();
  request.read = [bytes = challenge_](std::uint64_t offset, core::MutableByteView into) {
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), into.size(), into.begin());
    return true;
  };
  return ask(Op::kChallenge, step, std::move(request));
}

Want Procedure::over(Result result, std::string why) {
  return Verdict{result, step_, std::move(why), made_};
}

// --- what came of it

Want Procedure::begin() { return ping(); }

Want Procedure::troubled(LineTrouble trouble, bool whole_said) {
  if (op_ == Op::kPackage && whole_said) {
    made_ = Made::kPerhaps;
    package_said_ = true;
  }
  if (trouble == LineTrouble::kUnreadable || ++retries_ > kMostRetries) {
    return over(Result::kFailed, trouble_text(trouble));
  }
  op_ = Op::kPause;
  return WantPause{pause_before(retries_)};
}

Want Procedure::paused() { return ping(); }

Want Procedure::replied(const Reply& reply) {
  if (reply.status == StatusCode::kAbortDataPhase) {
    return troubled(LineTrouble::kDamaged, false);
  }
  // What a part makes of a damaged line looks like a refusal: once more, and not for ever.
  if (reply.status != StatusCode::kSuccess && reply.noisy) {
    auto again = troubled(LineTrouble::kDamaged, false);
    if (!std::holds_alternative<Verdict>(again)) return again;
  }
  if (reply.status != StatusCode::kSuccess) return refused(reply);
  switch (op_) {
    case Op::kPing:
      // Twice in trouble: whatever the part is in the middle of, it ends.
      if (retries_ >= kResetsFrom) return reset(Op::kResync, Step::kReach);
      return property(Op::kLargestPacket, kLargestPacketProperty);
    case Op::kResync:
      return property(Op::kLargestPacket, kLargestPacketProperty);
    case Op::kLargestPacket:
      largest_packet_ = reply.values.empty() ? 0 : reply.values.front();
      return property(Op::kRam, kRamProperty);
    case Op::kRam:
      ram_ = (reply.values.empty() ? 0 : reply.values.front()) + kChallengeOffset;
      return resource(Op::kIdentity, Step::kIdentify, Resource::kIdentity, 0);
    case Op::kIdentity:
      return identified(reply);
    case Op::kCertificate:
      return certified(reply);
    case Op::kSoftware:
      software_loaded_ = true;
      return reset(Op::kReset, Step::kSoftware);
    case Op::kReset:
      software_reset_ = true;
      passed_.push_back(Step::kSoftware);
      // Its boot ROM has to come up again.
      op_ = Op::kPause;
      return WantPause{kAfterReset};
    case Op::kChallenge:
      return resource(Op::kProof, step_, Resource::kProof, ram_);
    case Op::kProof:
      return proved(reply);
    case Op::kShares:
      passed_.push_back(Step::kShares);
      return send_package();
    case Op::kPackage:
      passed_.push_back(Step::kPackage);
      programmed_ = true;
      made_ = Made::kYes;
      return after_package();
    case Op::kLock:
      passed_.push_back(Step::kLock);
      return challenge(Step::kFinal);
    case Op::kPlace:
    case Op::kDeliver:
    case Op::kPause:
      break;
  }
  return over(Result::kFailed, "the part answers what was not asked");
}

Want Procedure::refused(const Reply& reply) {
  const auto why = status_text(reply.status);
  if (op_ == Op::kIdentity && reply.status == StatusCode::kUnknownCommand) {
    return over(Result::kRefused, why + ": it cannot say who it is");
  }
  if (op_ == Op::kProof && reply.status == StatusCode::kSecurityViolation) {
    return over(Result::kRefused, why + ": no software that proves runs on it");
  }
  return over(Result::kRefused, why);
}

Want Procedure::identified(const Reply& reply) {
  identity_ = mboot::decode_identity(reply.data);
  if (!identity_) return over(Result::kRefused, "it does not say who it is in a known form");
  if (key_) {
    if (identity_->part_id != part_id_) return over(Result::kFailed, "another part answers now");
    return after_identity();
  }
  const auto& context = job_->head.header.context;
  if (identity_->life_cycle > kLocked) {
    return over(Result::kRefused, "its life cycle is damaged or not known");
  }
  if ((identity_->flags & Identity::kHasFamily) == 0 || identity_->family_id != context.family_id) {
    return over(Result::kRefused, "it is of another family");
  }
  if ((identity_->flags & Identity::kCertified) == 0) {
    return over(Result::kRefused, "it has no certificate");
  }
  return resource(Op::kCertificate, Step::kIdentify, Resource::kCertificate, 0);
}

Want Procedure::certified(const Reply& reply) {
  const auto device =
      core::verify_device_certificate(*job_->crypto, reply.data, job_->icm_public_key);
  if (!device) {
    return over(Result::kRefused, "its certificate is not the ICM's: " + device.error().message);
  }
  if (device->kind != core::DeviceKind::kPart) {
    return over(Result::kRefused, "its certificate is not that of a part");
  }
  if (device->id != identity_->part_id) {
    return over(Result::kRefused, "its certificate is another part's");
  }
  certificate_ = reply.data;
  key_ = device->key;
  part_id_ = device->id;
  passed_.push_back(Step::kIdentify);
  return after_identity();
}

Want Procedure::after_identity() {
  // A part without a product takes any package, where the job does not ask for more.
  const auto& product = identity_->product;
  if ((!product.empty() && product != job_->head.header.product) ||
      (!job_->file.product.empty() && product != job_->file.product)) {
    return over(Result::kRefused, product.empty() ? "it is of no product"
                                                  : "it is of the product \"" + product + "\"");
  }
  const bool installed = (identity_->flags & Identity::kInstalled) != 0;
  // What a proof tells in the end anyhow; without software there is none.
  const bool eligible = job_->file.life_cycles.contains(identity_->life_cycle);
  if (!installed && !eligible) {
    return over(Result::kSkipped, "it is " + cli::life_cycle_text(identity_->life_cycle));
  }
  const auto running = identity_->software_version;
  const bool wanted =
      job_->software_header && (running == 0 || running < job_->software_header->version);
  if (wanted && eligible) {
    // A reset that did not come through is no refusal.
    if (software_loaded_ && !software_reset_) return reset(Op::kReset, Step::kSoftware);
    if (software_loaded_) return over(Result::kRefused, "it does not run the software");
    return send_file(Op::kSoftware, Step::kSoftware, job_->software);
  }
  if (running == 0) return over(Result::kRefused, "no provisioning software runs on it");
  return challenge(Step::kProve);
}

Want Procedure::proved(const Reply& reply) {
  auto proof = core::parse_proof(reply.data);
  if (!proof || !core::check_proof_signature(*job_->crypto, challenge_, *key_, *proof) ||
      proof->part_id != part_id_) {
    return over(Result::kRefused, "its proof does not hold: it is not the part it claims to be");
  }
  proof_ = *std::move(proof);
  proof_bytes_ = reply.data;
  passed_.push_back(step_);
  switch (step_) {
    case Step::kProve:
      return decide();
    case Step::kVerify:
      if (!holds_package()) return over(Result::kFailed, "it does not hold the package");
      return wants_lock() ? lock() : challenge(Step::kFinal);
    default:
      if (!holds_package()) return over(Result::kFailed, "it does not hold the package");
      if (wants_lock()) return over(Result::kFailed, "it says that it is not locked");
      return finish();
  }
}

bool Procedure::holds_package() const {
  const auto& header = job_->head.header;
  if (proof_->context != header.context.encode() ||
      proof_->suite != static_cast<std::uint8_t>(header.suite) ||
      proof_->package_version != header.package_version ||
      proof_->slots.size() != job_->head.entries.size()) {
    return false;
  }
  std::vector<std::uint32_t> slots;
  for (const auto& entry : job_->head.entries) slots.push_back(entry.slot);
  std::ranges::sort(slots);
  return std::ranges::equal(slots, proof_->slots, {}, {}, &core::ProofSlot::slot);
}

bool Procedure::wants_lock() const { return job_->file.lock && proof_->life_cycle < kLocked; }

// The part has proved who it is and what it holds: is it one for this job?
Want Procedure::decide() {
  const bool holds = holds_package();
  if (!holds && !job_->file.life_cycles.contains(proof_->life_cycle)) {
    return over(Result::kSkipped, "it is " + cli::life_cycle_text(proof_->life_cycle) +
                                      (proof_->suite != 0 ? " and holds another package" : ""));
  }
  if (!holds && job_->counted() && !job_->device_blobs.contains(part_id_)) {
    return over(Result::kRefused, "there is no share blob for this part");
  }
  made_ = holds ? Made::kYes : Made::kNo;
  // The answer that got lost was a good one.
  if (holds && package_said_) programmed_ = true;
  if (has_place_) return after_place();
  op_ = Op::kPlace;
  step_ = Step::kPlace;
  return WantPlace{part_id_, holds};
}

Want Procedure::placed(Place place) {
  const bool holds = holds_package();
  switch (place) {
    case Place::kTaken:
      has_place_ = true;
      return after_place();
    case Place::kFull:
      return over(Result::kWaits, "the job has as many parts as it is for");
    case Place::kElsewhere:
      return over(Result::kSkipped, "the same part is at another port");
    case Place::kDone:
      break;
  }
  if (holds && !wants_lock()) return over(Result::kKnown, "it is done and recorded");
  return over(Result::kRefused, "the record says that it is done, and it is not (any more)");
}

Want Procedure::after_place() {
  if (holds_package()) {
    return wants_lock() ? lock() : challenge(Step::kFinal);
  }
  auto blob = share_blob_for(*job_, part_id_);
  step_ = Step::kShares;
  if (!blob) return over(Result::kRefused, blob.error().why);
  return send_file(Op::kShares, Step::kShares, *std::move(blob));
}

// A part that cannot prove what it holds is not locked.
Want Procedure::after_package() {
  return challenge(job_->file.lock ? Step::kVerify : Step::kFinal);
}

Want Procedure::finish() {
  op_ = Op::kDeliver;
  step_ = Step::kDeliver;
  Delivery delivery;
  delivery.part_id = part_id_;
  delivery.result = programmed_ ? Result::kProgrammed : Result::kFound;
  delivery.life_cycle = proof_->life_cycle;
  delivery.software_version = proof_->software_version;
  if (const auto blob = job_->device_blobs.find(part_id_); blob != job_->device_blobs.end()) {
    delivery.number = blob->second.number;
  }
  if (job_->file.challenge) {
    delivery.proof = proof_bytes_;
    delivery.certificate = certificate_;
  }
  return delivery;
}

Want Procedure::delivered() { return over(programmed_ ? Result::kProgrammed : Result::kFound, ""); }

}  // namespace tallystick::station
