// Session: message after message under one key (PKCS#11 3.0).
//
// A message ends with its last call or with one that fails, except when the caller only asked for a
// length or gave too small a buffer. The next message may then begin; only C_Message...Final, a
// logout or C_SessionCancel ends the whole.
#include "pkcs11/engine/session_step.h"

namespace tallystick::token {

// `body(T&)` as of run().
template <typename T, typename Body>
Outcome<void> Session::run_message(Slot<T> which, MessageStep step, Body body) {
  const Lock lock(mutex_);
  auto& slot = this->*which;
  auto operation = permitted(slot);
  if (!operation) return std::move(operation).error();
  const bool goes_on = step == MessageStep::kNext || step == MessageStep::kLast;
  if (goes_on && !slot.in_parts) return not_initialized();
  if (!goes_on && slot.in_parts) return fault(CKR_OPERATION_ACTIVE, "a message in parts is active");
  Outcome<bool> done = attempt([&]() -> Outcome<bool> { return body(**operation); });
  if (!done) {
    if (done.error().rv != CKR_BUFFER_TOO_SMALL) slot.in_parts = false;
    return std::move(done).error();
  }
  if (*done) slot.in_parts = step == MessageStep::kBegin || step == MessageStep::kNext;
  return {};
}

template <typename T>
Outcome<void> Session::finish_messages(Slot<T> which) {
  const Lock lock(mutex_);
  auto& slot = this->*which;
  if (auto open = open_check(); !open) return open;
  if (auto operation = active(slot); !operation) return std::move(operation).error();
  if (slot.in_parts) return fault(CKR_OPERATION_ACTIVE, "a message in parts is active");
  slot = {};
  return {};
}

// ---- Encryption and decryption ----

Outcome<void> Session::messages_start(Direction direction, const CK_MECHANISM* mechanism,
                                      CK_OBJECT_HANDLE key_handle) {
  return direction == Direction::kEncrypt
             ? start(&Session::encrypt_messages_, mechanism, key_handle, Use::kEncrypt,
                     &Mechanism::message_encrypt)
             : start(&Session::decrypt_messages_, mechanism, key_handle, Use::kDecrypt,
                     &Mechanism::message_decrypt);
}

Session::Slot<MessageOperation> Session::messages_of(Direction direction) {
  return direction == Direction::kEncrypt ? &Session::encrypt_messages_
                                          : &Session::decrypt_messages_;
}

Outcome<void> Session::message(Direction direction, const CallParameter& parameter,
                               core::ByteView aad, core::ByteView in, Output out) {
  return run_message(messages_of(direction), MessageStep::kOnce, [&](MessageOperation& operation) {
    return produce(operation.once_size(in.size()), true, out, [&](core::MutableByteView space) {
      core::Secret copy;
      const auto input = detached(in, space, operation.in_place(), copy);
      return operation.once(parameter, aad, input, space);
    });
  });
}

Outcome<void> Session::message_begin(Direction direction, const CallParameter& parameter,
                                     core::ByteView aad) {
  return run_message(messages_of(direction), MessageStep::kBegin, [&](MessageOperation& operation) {
    return worked(operation.begin(parameter, aad));
  });
}

Outcome<void> Session::message_next(Direction direction, const CallParameter& parameter,
                                    core::ByteView in, bool last, Output out) {
  return run_message(messages_of(direction), last ? MessageStep::kLast : MessageStep::kNext,
                     [&](MessageOperation& operation) {
                       return produce(operation.next_size(in.size(), last), last, out,
                                      [&](core::MutableByteView space) {
                                        core::Secret copy;
                                        const auto input =
                                            detached(in, space, operation.in_place(), copy);
                                        return operation.next(parameter, input, last, space);
                                      });
                     });
}

Outcome<void> Session::messages_finish(Direction direction) {
  return finish_messages(messages_of(direction));
}

// ---- Signatures and MACs ----

template <typename T>
Outcome<void> Session::Repeated<T>::renew() {
  auto made = factory({context, chosen.parameter, chosen.key});
  if (!made) return std::move(made).error();
  current = *std::move(made);
  return {};
}

template <typename T>
Outcome<void> Session::start_repeated(Slot<Repeated<T>> which, const CK_MECHANISM* mechanism,
                                      CK_OBJECT_HANDLE key_handle, Use use, Factory<T> factory) {
  return begin_keyed(
      which, mechanism, key_handle, use,
      [factory](const Mechanism& entry) {
        return entry.*factory != nullptr && entry.signs_messages();
      },
      [&](Chosen chosen) -> Outcome<std::unique_ptr<Repeated<T>>> {
        auto made = std::make_unique<Repeated<T>>(
            Repeated<T>{chosen.mechanism->*factory, token_->context(), std::move(chosen), nullptr});
        // What is wrong with the parameter is told now and not at the first message.
        if (auto renewed = made->renew(); !renewed) return std::move(renewed).error();
        return made;
      });
}

template <typename T>
Outcome<void> Session::begin_repeated(Slot<Repeated<T>> which, const CallParameter& parameter) {
  return run_message(which, MessageStep::kBegin, [&](Repeated<T>& messages) -> Outcome<bool> {
    if (auto none = parameter.none(); !none) return std::move(none).error();
    return worked(messages.renew());
  });
}

template <typename T>
Outcome<void> Session::feed_repeated(Slot<Repeated<T>> which, const CallParameter& parameter,
                                     core::ByteView in) {
  return run_message(which, MessageStep::kNext, [&](Repeated<T>& messages) -> Outcome<bool> {
    if (auto none = parameter.none(); !none) return std::move(none).error();
    return worked(messages.current->update(in));
  });
}

Outcome<void> Session::sign_messages_start(const CK_MECHANISM* mechanism,
                                           CK_OBJECT_HANDLE key_handle) {
  return start_repeated(&Session::sign_messages_, mechanism, key_handle, Use::kSign,
                        &Mechanism::sign);
}

Outcome<void> Session::sign_repeated(MessageStep step, const CallParameter& parameter,
                                     core::ByteView in, Output out) {
  return run_message(&Session::sign_messages_, step,
                     [&](Repeated<SignOperation>& messages) -> Outcome<bool> {
                       if (auto none = parameter.none(); !none) return std::move(none).error();
                       return produce(messages.current->size(), true, out,
                                      [&](core::MutableByteView space) -> Outcome<std::size_t> {
                                        if (step == MessageStep::kOnce) {
                                          if (auto renewed = messages.renew(); !renewed) {
                                            return std::move(renewed).error();
                                          }
                                        }
                                        core::Secret copy;
                                        const auto input = detached(in, space, false, copy);
                                        auto& operation = *messages.current;
                                        if (step == MessageStep::kOnce) {
                                          return all_of(operation.once(input, space), space);
                                        }
                                        if (auto fed = operation.update(input); !fed) {
                                          return std::move(fed).error();
                                        }
                                        return all_of(operation.finish(space), space);
                                      });
                     });
}

Outcome<void> Session::sign_message(const CallParameter& parameter, core::ByteView in, Output out) {
  return sign_repeated(MessageStep::kOnce, parameter, in, out);
}
Outcome<void> Session::sign_message_begin(const CallParameter& parameter) {
  return begin_repeated(&Session::sign_messages_, parameter);
}
Outcome<void> Session::sign_message_next(const CallParameter& parameter, core::ByteView in) {
  return feed_repeated(&Session::sign_messages_, parameter, in);
}
Outcome<void> Session::sign_message_last(const CallParameter& parameter, core::ByteView in,
                                         Output out) {
  return sign_repeated(MessageStep::kLast, parameter, in, out);
}
Outcome<void> Session::sign_messages_finish() { return finish_messages(&Session::sign_messages_); }

Outcome<void> Session::verify_messages_start(const CK_MECHANISM* mechanism,
                                             CK_OBJECT_HANDLE key_handle) {
  return start_repeated(&Session::verify_messages_, mechanism, key_handle, Use::kVerify,
                        &Mechanism::verify);
}

Outcome<void> Session::verify_repeated(MessageStep step, const CallParameter& parameter,
                                       core::ByteView in, core::ByteView signature) {
  return run_message(&Session::verify_messages_, step,
                     [&](Repeated<VerifyOperation>& messages) -> Outcome<bool> {
                       if (auto none = parameter.none(); !none) return std::move(none).error();
                       if (step == MessageStep::kOnce) {
                         if (auto renewed = messages.renew(); !renewed) {
                           return std::move(renewed).error();
                         }
                         return worked(messages.current->once(in, signature));
                       }
                       if (auto fed = messages.current->update(in); !fed) {
                         return std::move(fed).error();
                       }
                       return worked(messages.current->finish(signature));
                     });
}

Outcome<void> Session::verify_message(const CallParameter& parameter, core::ByteView in,
                                      core::ByteView signature) {
  return verify_repeated(MessageStep::kOnce, parameter, in, signature);
}
Outcome<void> Session::verify_message_begin(const CallParameter& parameter) {
  return begin_repeated(&Session::verify_messages_, parameter);
}
Outcome<void> Session::verify_message_next(const CallParameter& parameter, core::ByteView in) {
  return feed_repeated(&Session::verify_messages_, parameter, in);
}
Outcome<void> Session::verify_message_last(const CallParameter& parameter, core::ByteView in,
                                           core::ByteView signature) {
  return verify_repeated(MessageStep::kLast, parameter, in, signature);
}
Outcome<void> Session::verify_messages_finish() {
  return finish_messages(&Session::verify_messages_);
}

}  // namespace tallystick::token
