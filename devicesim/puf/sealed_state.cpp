#include "devicesim/puf/sealed_state.h"

#include <algorithm>

#include "core/base/reader.h"
#include "core/certificate/device_certificate.h"
#include "core/ts1/seal.h"

namespace tallystick::device::puf {
namespace {

using core::ByteView;
using core::Error;
using core::ErrorCode;
using core::Result;

core::Bytes context_for(ByteView helper) {
  core::Writer context;
  context.text("TSPUF/STATE").u8(0).bytes(helper);
  return context.take();
}

Error damaged() { return {ErrorCode::kStorage, "the part's state is damaged: helper data"}; }

}  // namespace

Result<core::Secret> seal_state(const core::Crypto& crypto, const Identity* identity,
                                const PartState& state) {
  auto keyless = state;
  keyless.device_key = nullptr;
  auto encoded = encode_state(keyless);
  if (!encoded) return encoded;
  core::Bytes sealed;
  ByteView helper;
  ByteView body = encoded->view();
  if (identity != nullptr) {
    helper = identity->helper;
    auto done = core::seal(crypto, core::Suite::kGcm, identity->storage_key.view(),
                           context_for(helper), body);
    if (!done) return std::move(done).error();
    sealed = *std::move(done);
    body = sealed;
  }
  core::Writer prefix;
  prefix.lv(helper);
  core::Secret payload(prefix.size() + body.size());
  if (payload.size() > kMostState) {
    return Error{ErrorCode::kStorage, "the part's state memory is full"};
  }
  std::copy(body.begin(), body.end(),
            std::copy(prefix.view().begin(), prefix.view().end(), payload.span().begin()));
  return payload;
}

Result<ByteView> helper_data_in(ByteView payload) {
  core::Reader in(payload);
  const auto helper = in.lv();
  if (!in.ok()) return damaged();
  return helper;
}

Result<PartState> open_state(const core::Crypto& crypto, const Identity* identity,
                             ByteView payload) {
  core::Reader in(payload);
  const auto helper = in.lv();
  if (!in.ok() || helper.empty() != (identity == nullptr)) return damaged();
  if (identity == nullptr) {
    auto state = decode_state(crypto, in.rest());
    if (!state) return state;
    if (state->device_key || state->immutable.family() || state->installed ||
        !state->software.empty() || !state->certificate.empty()) {
      return Error{ErrorCode::kStorage, "the part's state is damaged: secrets without a key"};
    }
    return state;
  }
  auto opened = core::open(crypto, core::Suite::kGcm, identity->storage_key.view(),
                           context_for(helper), in.rest());
  if (!opened) {
    return Error{ErrorCode::kOpenFailed,
                 "the part's state was not sealed under the key of its PUF"};
  }
  auto state = decode_state(crypto, opened->view());
  if (!state) return state;
  auto id = core::key_id(crypto, identity->device_key->public_xy());
  if (!id) return std::move(id).error();
  state->device_key = identity->device_key;
  state->id = *id;
  return state;
}

}  // namespace tallystick::device::puf
