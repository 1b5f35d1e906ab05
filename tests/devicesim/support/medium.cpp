#include "tests/devicesim/support/medium.h"

#include <algorithm>
#include <random>

namespace tallystick::test {

using core::Error;
using core::ErrorCode;
using core::Status;

const core::Bytes* Medium::sector(std::uint64_t number) const {
  if (const auto found = pending_.find(number); found != pending_.end()) return &found->second;
  if (const auto found = durable_.find(number); found != durable_.end()) return &found->second;
  return nullptr;
}

void Medium::put(Sectors& sectors, std::uint64_t number, const core::Bytes& content) {
  if (core::all_zero(content)) {
    sectors.erase(number);
  } else {
    sectors[number] = content;
  }
}

void Medium::read(std::uint64_t offset, core::MutableByteView out) const {
  while (!out.empty()) {
    const auto within = static_cast<std::size_t>(offset % kSector);
    const auto count = std::min(out.size(), kSector - within);
    const auto* const from = sector(offset / kSector);
    for (std::size_t i = 0; i < count; ++i) out[i] = from == nullptr ? 0 : (*from)[within + i];
    out = out.subspan(count);
    offset += count;
  }
}

void Medium::write(std::uint64_t offset, core::ByteView data) {
  latest_.clear();
  while (!data.empty()) {
    const auto number = offset / kSector;
    latest_.insert(number);
    lost_.erase(number);
    const auto within = static_cast<std::size_t>(offset % kSector);
    const auto count = std::min(data.size(), kSector - within);
    if (pending_.find(number) == pending_.end()) {
      const auto* const old = sector(number);
      pending_[number] = old == nullptr ? core::Bytes(kSector) : *old;
    }
    std::copy_n(data.begin(), count,
                pending_[number].begin() + static_cast<std::ptrdiff_t>(within));
    data = data.subspan(count);
    offset += count;
  }
}

void Medium::sync() {
  for (const auto& [number, content] : pending_) put(durable_, number, content);
  pending_.clear();
  latest_.clear();
}

void Medium::power_cut(Cut cut, std::uint32_t seed) {
  std::minstd_rand random(seed + 1);
  for (const auto& [number, content] : pending_) {
    const bool keeps = cut == Cut::kKept || (cut == Cut::kTorn && ((random() >> 8U) & 1U) != 0) ||
                       (cut == Cut::kOvertaken && latest_.count(number) != 0);
    if (keeps) put(durable_, number, content);
  }
  pending_.clear();
  latest_.clear();
}

std::uint64_t Medium::next_data(std::uint64_t from, std::uint64_t end) const {
  std::uint64_t first = end;
  for (const auto* sectors : {&durable_, &pending_}) {
    const auto found = sectors->lower_bound(from / kSector);
    if (found != sectors->end()) first = std::min(first, found->first * kSector);
  }
  return std::max(first, from);
}

bool Medium::has_data(std::uint64_t from, std::uint64_t end) const {
  core::Bytes bytes(static_cast<std::size_t>(kSector));
  for (auto at = from; at < end; at += kSector) {
    const auto found = durable_.find(at / kSector);
    if (found != durable_.end() && !core::all_zero(found->second)) return true;
  }
  return false;
}

bool Medium::contains(core::ByteView bytes) const {
  // Sectors that follow one another are searched as one piece.
  core::Bytes run;
  std::uint64_t next = 0;
  const auto found_in = [&bytes](const core::Bytes& piece) {
    return std::search(piece.begin(), piece.end(), bytes.begin(), bytes.end()) != piece.end();
  };
  for (const auto& [number, content] : durable_) {
    if (number != next) {
      if (found_in(run)) return true;
      run.clear();
    }
    run.insert(run.end(), content.begin(), content.end());
    next = number + 1;
  }
  return found_in(run);
}

void Medium::flip(std::uint64_t offset, unsigned bit) {
  auto content = core::Bytes(kSector);
  if (const auto found = durable_.find(offset / kSector); found != durable_.end()) {
    content = found->second;
  }
  content[static_cast<std::size_t>(offset % kSector)] ^= static_cast<std::uint8_t>(1U << bit);
  put(durable_, offset / kSector, content);
}

bool Medium::readable(std::uint64_t offset, std::uint64_t length) const {
  const auto first = lost_.lower_bound(offset / kSector);
  return first == lost_.end() || *first * kSector >= offset + length;
}

Status MediumStorage::count_change() {
  const Error gone{ErrorCode::kStorage, "no power"};
  if (dead_) return gone;
  const auto number = changes_++;
  if (!failure_ || number != failure_->at) return {};
  dead_ = failure_->power_gone;
  if (dead_) return gone;
  return Error{ErrorCode::kStorage, "No space left on device"};
}

Status MediumStorage::read(std::uint64_t offset, core::MutableByteView out) {
  if (dead_) return Error{ErrorCode::kStorage, "no power"};
  if (offset > medium_->size() || out.size() > medium_->size() - offset) {
    return Error{ErrorCode::kStorage, "read past the end"};
  }
  if (!medium_->readable(offset, out.size())) {
    return Error{ErrorCode::kStorage, "Input/output error"};
  }
  medium_->read(offset, out);
  return {};
}

Status MediumStorage::write(std::uint64_t offset, core::ByteView data) {
  if (offset > medium_->size() || data.size() > medium_->size() - offset) {
    return Error{ErrorCode::kStorage, "write past the end"};
  }
  const bool was_dead = dead_;
  auto counted = count_change();
  if (!counted) {
    // The write at which it happens may have got anywhere, or half way.
    if (!was_dead) medium_->write(offset, dead_ ? data : data.first(data.size() / 2));
    return counted;
  }
  medium_->write(offset, data);
  return {};
}

Status MediumStorage::sync() {
  if (auto counted = count_change(); !counted) return counted;
  medium_->sync();
  return {};
}

core::Result<std::uint64_t> MediumStorage::next_data(std::uint64_t from, std::uint64_t end) {
  if (dead_) return Error{ErrorCode::kStorage, "no power"};
  return medium_->next_data(from, end);
}

}  // namespace tallystick::test
