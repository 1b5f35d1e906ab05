// RowSet: what a token's database holds as one. Each row is sealed by itself, so that none can be
// changed; the seal of the set makes sure that none is taken out or put back either (A72). Not
// noticed is a whole database as it once was: only a counter outside the files could tell.
//
//   mark of a row   AES-256-CBC-MAC of id(16) ‖ generation(8) ‖ zero(8) under the members' key
//   sum             the marks of all object rows, by exclusive or
//   seal            AES-256-GCM under the seal's key: sum(16) ‖ number of rows(8); associated data
//                   "TSRS" ‖ u16(1) ‖ the token's record ‖ its PIN rows with their tries
//
// Nobody without the keys learns a mark or the sum, so that no other set of rows with the same sum
// can be looked for; a change is taken in without a look at the rows that it leaves alone.
#pragma once

#include <memory>

#include "core/base/secret.h"
#include "core/crypto/crypto.h"
#include "pkcs11/engine/root_key.h"
#include "pkcs11/engine/row.h"
#include "pkcs11/engine/sqlite.h"

namespace tallystick::token {

class RowSet {
 public:
  struct Member {
    ObjectId id{};
    std::uint64_t generation = 0;
  };
  using Sum = core::ByteArray<16>;

  static Outcome<std::unique_ptr<const RowSet>> create(std::shared_ptr<const core::Crypto> crypto,
                                                       const RootKey& root,
                                                       const TokenId& token_id);

  // The set as it was sealed, and what becomes of it in one transaction.
  class State {
   public:
    Outcome<void> add(const Member& member);
    Outcome<void> remove(const Member& member);
    // Writes the seal of this state over the record and PIN rows that the database has by now.
    Outcome<void> seal() const;

   private:
    friend class RowSet;
    State(const RowSet& set, const Database& database) : set_(&set), database_(&database) {}
    Outcome<void> toggle(std::span<const Member> members);

    const RowSet* set_;
    const Database* database_;
    Sum sum_{};
    std::uint64_t count_ = 0;
  };

  // Inside a transaction of the caller's, before it changes anything. CKR_DEVICE_ERROR when the
  // record, a PIN row or a number of tries is not the one that was sealed.
  Outcome<State> open(const Database& database) const;
  // open(), and that the object rows are those that were sealed; reads the id and generation of
  // each.
  Outcome<void> check(const Database& database) const;
  // Seals the rows that are there, whatever was there before: a new database, or one of a schema
  // that had no set.
  Outcome<void> adopt(const Database& database) const;

 private:
  RowSet(std::shared_ptr<const core::Crypto> crypto, core::Secret seal_key,
         core::CipherCtxPtr marks)
      : crypto_(std::move(crypto)), seal_key_(std::move(seal_key)), marks_(std::move(marks)) {}

  // The set that the object rows make.
  Outcome<State> count(const Database& database) const;

  std::shared_ptr<const core::Crypto> crypto_;
  core::Secret seal_key_;
  core::CipherCtxPtr marks_;  // keyed; copied for each use
};

}  // namespace tallystick::token
