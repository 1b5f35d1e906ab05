#include "provider/intake.h"

namespace tallystick::provider {
namespace {

// More than a TLS handshake has, and the head of any package.
constexpr std::size_t kMostHeld = 256UL * 1024UL;

}  // namespace

void Intake::forget() {
  held_.clear();
  stream_.reset();
}

Done Intake::take(core::ByteView data, const Begin& begin) {
  if (!stream_ && data.size() <= kMostHeld - held_.size()) {
    held_.insert(held_.end(), data.begin(), data.end());
    return {};
  }
  if (!stream_) {
    auto begun = begin();
    if (!begun) return std::move(begun).error();
    stream_.emplace(*std::move(begun));
    if (auto done = stream_->take(held_); !done) return done;
    held_ = {};
  }
  return stream_->take(data);
}

Outcome<core::Bytes> Intake::finish(const Begin& begin) {
  if (stream_) {
    auto value = stream_->finish();
    forget();
    return value;
  }
  auto begun = begin();
  if (!begun) return std::move(begun).error();
  auto value = begun->whole(held_);
  forget();
  return value;
}

Outcome<std::unique_ptr<Intake>> Intake::duplicate(
    const std::function<Outcome<Session>()>& session) const {
  auto copy = std::make_unique<Intake>();
  copy->held_ = held_;
  if (stream_) {
    auto own = session();
    if (!own) return std::move(own).error();
    auto stream = stream_->duplicate(*own);
    if (!stream) return std::move(stream).error();
    copy->stream_.emplace(*std::move(stream));
  }
  return copy;
}

}  // namespace tallystick::provider
