// A part in the product and on its way back, as a machine: boots, keys, locks, debug tokens and
// power cycles in any order. What only rises never falls, no key comes out, and the debug port is
// open only where the owner's token was good and nothing is left to read.
//
// Input: until it is used up, u8 command and what that takes.
#include "tests/fuzz/support/product.h"

#include "devicesim/line/part_target.h"
#include "devicesim/line/vendor_properties.h"
#include "tests/fuzz/support/expect.h"
#include "tests/fuzz/support/input.h"

using namespace tallystick;

namespace {

bool contains(core::ByteView where, core::ByteView what) {
  return std::search(where.begin(), where.end(), what.begin(), what.end()) != where.end();
}

class Machine {
 public:
  explicit Machine(std::shared_ptr<core::Bytes> file) : file_(std::move(file)) { power_on(); }

  void step(fuzz::Input& in) {
    switch (in.u8() % 12U) {
      case 0:
        part_.reset();
        power_on();
        break;
      case 1:
        (void)part_->reset();
        break;
      case 2: {
        const auto report = part_->boot();
        fuzz::expect(report.ok(), "a boot says what it found");
        fuzz::expect(report->started == part_->application().has_value(), "what runs is known");
        break;
      }
      case 3:
        (void)part_->confirm_application();
        break;
      case 4:
        use_key(in);
        break;
      case 5:
        (void)part_->make_debug_challenge();
        break;
      case 6:
        (void)part_->open_debug(in.chunk());
        break;
      case 7:
        open_debug(in);
        break;
      case 8: {
        const auto rehearsal = part_->rehearse_lock();
        fuzz::expect(rehearsal.ok(), "a lock can be rehearsed");
        const auto locked = in.flag() ? part_->lock() : core::Status();
        fuzz::expect(locked.ok() || rehearsal->refused, "a lock does what its rehearsal said");
        break;
      }
      case 9:
        (void)part_->blow_fuse(in.u8(), in.u32());
        break;
      case 10: {
        core::Bytes out(in.u8());
        const auto read = part_->read_debug(in.number(), out);
        fuzz::expect(!read || (part_->returned() && core::all_zero(out)),
                     "the debug port gives nothing but what was erased");
        break;
      }
      default:
        line(in);
    }
    check();
  }

 private:
  void power_on() {
    auto opened = fuzz::part_on(file_);
    fuzz::expect(opened.ok(), "the part starts");
    part_ = *std::move(opened);
    check();
  }

  void check() {
    const auto info = part_->info();
    fuzz::expect(info.life_cycle >= life_cycle_, "the life cycle goes one way");
    fuzz::expect(info.boot.floor >= floor_, "the floor only rises");
    fuzz::expect(info.debug_tries_left <= tries_left_, "no try is given back");
    fuzz::expect(info.returned == returned_, "only the owner's token opens the debug port");
    fuzz::expect(info.package.has_value() != info.returned,
                 "the port is open or there is a package");
    life_cycle_ = info.life_cycle;
    floor_ = info.boot.floor;
    tries_left_ = info.debug_tries_left;
  }

  void use_key(fuzz::Input& in) {
    device::KeyRequest request;
    request.slot = in.u8() % 20U;
    request.operation = static_cast<device::KeyOperation>(in.u8() % 8U);
    request.path = static_cast<device::KeyPath>(in.u8() % 4U);
    request.input = in.chunk();
    request.aside = in.chunk();
    request.by = in.chunk();
    const auto used = part_->use_key(request);
    fuzz::expect(!used || !returned_, "a returned part has no key");
    fuzz::expect(!used || !contains(used->view(), fuzz::product_key()), "no key comes out");
  }

  void open_debug(fuzz::Input& in) {
    auto challenge = part_->debug_challenge();
    if (!challenge) return;
    const auto at = in.u16();
    const auto spoilt = in.u8();
    const auto opened = part_->open_debug(fuzz::debug_token(*challenge, at, spoilt));
    fuzz::expect(!opened || spoilt == 0, "one other bit and the token is none");
    if (!opened) return;
    returned_ = true;
    fuzz::expect(!contains(*file_, fuzz::product_key()), "nothing is left of the keys");
    fuzz::expect(!contains(*file_, fuzz::world().part_family.k_oem_share.view()),
                 "nor of the shares");
  }

  // The same part by the properties of its line.
  void line(fuzz::Input& in) {
    part_.reset();
    device::PartTarget target([this] { return fuzz::part_on(file_); });
    for (auto n = in.u8() % 8U; n > 0; --n) {
      const auto id = static_cast<std::uint32_t>(device::VendorProperty::kBoot) + in.u8() % 5U;
      const auto kind = in.u8();
      if (kind % 3U == 0) {
        (void)target.execute({mboot::Tag::kGetProperty, 0, {id, kind / 3U}});
      } else if (kind % 3U == 1) {
        (void)target.execute({mboot::Tag::kSetProperty, 0, {id, kind / 3U}});
      } else {
        request_in_ram(target, in);
      }
    }
    target.power_off();
    power_on();
  }

  static void request_in_ram(device::PartTarget& target, fuzz::Input& in) {
    constexpr std::uint32_t kSize = 4 * device::KeyUseWords::kCount;
    constexpr auto kRam = device::Ram::kStart;
    (void)target.execute({mboot::Tag::kWriteMemory, mboot::kDataPhaseFollows, {kRam, kSize}});
    core::Bytes words(kSize);
    const auto given = in.take(kSize);
    std::ranges::copy(given, words.begin());
    if (target.write(words) == mboot::StatusCode::kSuccess) (void)target.finish();
    const auto id = static_cast<std::uint32_t>(device::VendorProperty::kKeyUse);
    (void)target.execute({mboot::Tag::kSetProperty, 0, {id, kRam}});
  }

  std::shared_ptr<core::Bytes> file_;
  std::unique_ptr<device::Part> part_;
  device::LifeCycle life_cycle_ = device::LifeCycle::kBlank;
  std::uint32_t floor_ = 0;
  unsigned tries_left_ = device::kDebugTries;
  bool returned_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const core::Bytes product = fuzz::product_part();
  fuzz::Input in(data, size);
  Machine machine(std::make_shared<core::Bytes>(product));
  for (unsigned i = 0; i < 32 && !in.empty(); ++i) machine.step(in);
  return 0;
}
