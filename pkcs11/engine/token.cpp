#include "pkcs11/engine/token.h"

#include <algorithm>

#include "core/crypto/crypto.h"
#include "pkcs11/engine/device_key.h"
#include "pkcs11/engine/files.h"
#include "pkcs11/engine/log.h"
#include "pkcs11/engine/profile_objects.h"

namespace tallystick::token {
namespace {

std::string database_path(const std::string& directory) { return directory + "/token.db"; }
std::string root_key_path(const std::string& directory) { return directory + "/root.key"; }

// Points into the set.
std::vector<ObjectIndex::Pattern> patterns_of(const AttributeSet& set) {
  std::vector<ObjectIndex::Pattern> out;
  for (const auto& attribute : set.all()) out.push_back({attribute.type, attribute.value});
  return out;
}

}  // namespace

Token::Token(CK_SLOT_ID slot, std::string directory, Services services)
    : slot_(slot),
      directory_(std::move(directory)),
      services_(std::move(services)),
      objects_(services_.handles) {
  for (auto& profile : profile_objects()) {
    objects_.put(objects_.make_place(std::move(profile), ObjectIndex::kBuiltIn));
  }
}

Token::~Token() = default;

// Opens the files when they have appeared; nothing happens when they are open or not there.
Outcome<void> Token::probe() {
  if (opened() != nullptr) return {};
  const Lock reload_lock(reload_mutex_);
  if (opened() != nullptr) return {};
  auto files = open_files();
  if (!files) {
    auto why = std::move(files).error();
    // Tools that list all slots pass over this answer, and stop at others.
    if (why.rv == CKR_DEVICE_ERROR) why.rv = CKR_TOKEN_NOT_RECOGNIZED;
    return why;
  }
  if (!*files) return {};
  auto begun = (*files)->store->beginning(false);
  if (!begun) return std::move(begun).error();
  if (auto taken = take_rows(**files, begun->rows, nullptr); !taken) return taken;
  (*files)->sequence = begun->sequence;
  const Lock lock(mutex_);
  coverage_.begin(login_epoch());
  files_ = *std::move(files);
  opened_.store(files_.get(), std::memory_order_release);
  return {};
}

Outcome<std::unique_ptr<Token::Opened>> Token::open_files() {
  auto own = own_directory(directory_);
  if (!own) return std::move(own).error();
  if (!*own) return std::unique_ptr<Opened>();
  // Without links on the way: SQLite is told to follow none.
  const auto directory = **own;
  auto there = check_private_file(database_path(directory));
  if (!there) return std::move(there).error();
  if (!*there) return std::unique_ptr<Opened>();

  auto opened = std::make_unique<Opened>();
  auto root = open_key_file(services_.crypto, root_key_path(directory));
  if (!root) return std::move(root).error();
  opened->root = *std::move(root);
  auto store = Store::open(database_path(directory));
  if (!store) return std::move(store).error();
  opened->store = *std::move(store);
  auto record = opened->store->token();
  if (!record) return std::move(record).error();
  opened->record = *std::move(record);

  auto check = opened->root->derive(kRootCheck, opened->record.token_id);
  if (!check) return std::move(check).error();
  const auto is = [&](const core::Secret& expected) {
    return core::equal_in_constant_time(expected.view(), opened->record.root_check);
  };
  core::ByteView adopted;
  if (!is(*check)) {
    auto older = opened->root->derive(kUnsealedRootCheck, opened->record.token_id);
    if (!older) return std::move(older).error();
    if (!is(*older)) {
      return fault(CKR_TOKEN_NOT_RECOGNIZED,
                   directory_ + ": the database and the root key are not of one token");
    }
    adopted = check->view();
  }
  auto set = RowSet::create(services_.crypto, *opened->root, opened->record.token_id);
  if (!set) return std::move(set).error();
  if (auto whole = opened->store->guard(*std::move(set), adopted); !whole) {
    return std::move(whole).error();
  }
  auto rows = make_root_sealer(*opened->root, opened->record.token_id);
  if (!rows) return std::move(rows).error();
  opened->root_rows = *std::move(rows);
  return opened;
}

Outcome<std::unique_ptr<RowSealer>> Token::make_root_sealer(const RootKey& root,
                                                            const TokenId& token_id) const {
  auto rows = std::make_unique<RowSealer>(services_.crypto, token_id);
  auto public_key = root.derive("public rows", token_id);
  if (!public_key) return std::move(public_key).error();
  auto immutable_key = root.derive("immutable rows", token_id);
  if (!immutable_key) return std::move(immutable_key).error();
  if (auto kept = rows->key(Tier::kPublic, *std::move(public_key)); !kept) {
    return std::move(kept).error();
  }
  if (auto kept = rows->key(Tier::kImmutable, *std::move(immutable_key)); !kept) {
    return std::move(kept).error();
  }
  return rows;
}

// A row that is damaged is left out and named in the log; the others work (A70). One that could
// not be tried, for want of memory say, is no damaged one.
Outcome<ObjectPtr> Token::open_row(const Opened& opened, const ObjectRow& row,
                                   const RowSealer* private_rows) {
  const auto* const sealer = row.tier == Tier::kPrivate ? private_rows : opened.root_rows.get();
  if (sealer == nullptr) return ObjectPtr();
  const auto known = objects_.get(row.id);
  if (known.object && known.object->generation() >= row.generation) return ObjectPtr();
  auto object = sealer->open(row);
  if (object || object.error().rv != CKR_DEVICE_ERROR) return object;
  objects_.remove(row.id);
  services_.log->failure("object " + core::to_hex(row.id), object.error());
  return ObjectPtr();
}

Outcome<Token::Places> Token::open_rows(const Opened& opened, const std::vector<ObjectRow>& rows,
                                        const RowSealer* private_rows) {
  Places places;
  for (const auto& row : rows) {
    auto object = open_row(opened, row, private_rows);
    if (!object) return std::move(object).error();
    if (*object) places.push_back(objects_.make_place(*std::move(object)));
  }
  return places;
}

Outcome<void> Token::take_rows(const Opened& opened, const std::vector<ObjectRow>& rows,
                               const std::shared_ptr<const RowSealer>& private_rows) {
  auto places = open_rows(opened, rows, private_rows.get());
  if (!places) return std::move(places).error();
  show(*std::move(places), private_rows);
  return {};
}

void Token::show(Places places, const std::shared_ptr<const RowSealer>& private_rows) noexcept {
  const Lock lock(mutex_);
  for (auto& place : places) {
    if (place.object().tier() != Tier::kPrivate || private_rows == private_rows_) {
      objects_.put(std::move(place));
    }
  }
}

Outcome<void> Token::catch_up(Opened& opened) {
  auto& store = *opened.store;
  auto seen = store.look();
  if (!seen) return std::move(seen).error();
  if (store.differs(*seen)) {
    if (auto done = reload(opened); !done) return done;
  }
  store.accept(*seen);
  return {};
}

Outcome<void> Token::reload(Opened& opened) {
  std::shared_ptr<const RowSealer> private_rows;
  {
    const Lock lock(mutex_);
    private_rows = private_rows_;
  }
  auto delta = opened.store->changes_since(opened.sequence, private_rows != nullptr);
  if (!delta) return std::move(delta).error();
  {
    const Lock lock(mutex_);
    // The user's objects began a new life: what this process was logged in to is gone.
    if (private_rows_ != nullptr && delta->pin_epoch != pin_epoch_at_login_) end_login();
    if (private_rows != private_rows_) private_rows = nullptr;
  }
  if (delta->all) {
    std::set<ObjectId> there;
    for (const auto& row : delta->rows) there.insert(row.id);
    objects_.keep_token_objects(there);
  }
  for (const auto& id : delta->removed) objects_.remove(id);
  if (auto taken = take_rows(opened, delta->rows, private_rows); !taken) return taken;
  opened.sequence = delta->sequence;
  return {};
}

Outcome<void> Token::refresh() {
  // Every use of an object comes through here.
  auto* const files = opened();
  if (files == nullptr || files->store->unchanged()) return {};
  const Lock lock(reload_mutex_);
  return catch_up(*files);
}

Outcome<std::vector<ObjectIndex::Found>> Token::search(
    std::span<const ObjectIndex::Pattern> pattern) {
  if (auto seen = refresh(); !seen) return std::move(seen).error();
  if (auto* const files = opened(); files != nullptr && !coverage_.covers(pattern)) {
    if (auto read = read_for(*files, pattern); !read) return std::move(read).error();
  }
  return objects_.search(pattern);
}

Outcome<std::vector<ObjectPtr>> Token::find(const AttributeSet& pattern) {
  auto found = search(patterns_of(pattern));
  if (!found) return std::move(found).error();
  std::vector<ObjectPtr> out;
  for (auto& one : *found) out.push_back(std::move(one.object));
  return out;
}

Outcome<void> Token::read_for(Opened& opened, std::span<const ObjectIndex::Pattern> pattern) {
  const Lock reload_lock(reload_mutex_);
  // Another thread may have been here meanwhile.
  if (coverage_.covers(pattern)) return {};
  const auto query = coverage_.full() ? StoreQuery{} : StoreQuery::narrowest(pattern);
  std::shared_ptr<const RowSealer> private_rows;
  std::uint64_t epoch = 0;
  {
    const Lock lock(mutex_);
    private_rows = private_rows_;
    epoch = login_epoch();
  }
  auto rows = rows_for(opened, query, private_rows.get());
  if (!rows) return std::move(rows).error();
  if (auto taken = take_rows(opened, *rows, private_rows); !taken) return taken;
  coverage_.add(query, epoch);
  return {};
}

Outcome<std::vector<ObjectRow>> Token::rows_for(Opened& opened, const StoreQuery& query,
                                                const RowSealer* private_rows) {
  const bool with_private = private_rows != nullptr;
  if (query.by == StoreQuery::By::kAll) return opened.store->all_rows(with_private);
  if (query.by == StoreQuery::By::kClass) {
    return opened.store->rows_of(query.object_class, with_private);
  }
  std::array<std::uint64_t, 3> tags{};
  for (const auto tier : {Tier::kPublic, Tier::kPrivate, Tier::kImmutable}) {
    const auto* const sealer = tier == Tier::kPrivate ? private_rows : opened.root_rows.get();
    auto tag = sealer != nullptr ? sealer->tag(tier, query.tag, query.value) : kNoTag;
    if (!tag) return std::move(tag).error();
    tags[static_cast<std::size_t>(tier)] = *tag;
  }
  return opened.store->rows_tagged(query.tag, tags, with_private);
}

ObjectPtr Token::find_immutable(const AttributeSet& pattern) const {
  for (auto& found : objects_.search(patterns_of(pattern))) {
    if (found.object->immutable()) return std::move(found.object);
  }
  return nullptr;
}

ObjectPtr Token::find_family(core::ByteView family_id) {
  return find_immutable(AttributeSet()
                            .set_number(CKA_CLASS, CKO_SECRET_KEY)
                            .set_number(CKA_KEY_TYPE, CKK_TS_FAMILY)
                            .set(CKA_TS_FAMILY_ID, family_id));
}

ObjectPtr Token::find_software(core::ByteView family_id) {
  return find_immutable(
      AttributeSet().set_number(CKA_CLASS, CKO_TS_SOFTWARE).set(CKA_TS_FAMILY_ID, family_id));
}

// Callers cannot make objects with CKA_TS_DEVICE_ID, so the label is not what decides (A22).
ObjectPtr Token::find_device(CK_OBJECT_CLASS object_class) {
  auto object = find_immutable(
      AttributeSet().set_number(CKA_CLASS, object_class).set_text(CKA_LABEL, kDeviceLabel));
  return object && object->attributes().has(CKA_TS_NONCE) ? object : nullptr;
}

ObjectPtr Token::device_private_key() { return find_device(CKO_PRIVATE_KEY); }
ObjectPtr Token::device_public_key() { return find_device(CKO_PUBLIC_KEY); }

Outcome<void> Token::renew_device_nonce(ChangeSet& changes) {
  auto nonce = make_nonce(*services_.crypto);
  if (!nonce) return std::move(nonce).error();
  for (auto half : {device_private_key(), device_public_key()}) {
    if (!half) return fault(CKR_DEVICE_ERROR, "the token has no device key");
    auto next = half->redraft();
    next.attributes.set(CKA_TS_NONCE, *nonce);
    changes.replace(std::move(half), std::move(next));
  }
  return {};
}

Outcome<ObjectPtr> Token::new_object(Draft draft) const {
  ObjectId id{};
  if (auto filled = services_.crypto->random(id); !filled) {
    return from_core(filled.error(), CKR_FUNCTION_FAILED);
  }
  return Object::make(id, 1, std::move(draft));
}

Outcome<std::vector<ObjectPtr>> Token::commit(ChangeSet changes) {
  auto* const files = opened();
  if (files == nullptr) return fault(CKR_TOKEN_NOT_PRESENT, "the slot has no initialised token");
  auto& opened = *files;
  if (auto same = opened.store->check_file(); !same) return std::move(same).error();
  std::shared_ptr<const RowSealer> private_rows;
  Store::Change change;
  {
    const Lock lock(mutex_);
    private_rows = private_rows_;
    if (private_rows) change.pin_epoch = pin_epoch_at_login_;
  }
  const auto seal = [&](const Object& object) -> Outcome<ObjectRow> {
    if (object.tier() != Tier::kPrivate) return opened.root_rows->seal(object);
    if (!private_rows) return not_logged_in();
    return private_rows->seal(object);
  };

  std::vector<ObjectPtr> added;
  Places places;
  for (auto& draft : changes.added()) {
    auto object = new_object(std::move(draft));
    if (!object) return std::move(object).error();
    auto row = seal(**object);
    if (!row) return std::move(row).error();
    change.add.push_back(*std::move(row));
    places.push_back(objects_.make_place(*object));
    added.push_back(*std::move(object));
  }
  for (auto& [old, draft] : changes.replaced()) {
    auto object = Object::make(old->id(), old->generation() + 1, std::move(draft));
    if (object->tier() != old->tier()) {
      return fault(CKR_GENERAL_ERROR, "an object does not change how it is sealed");
    }
    auto row = seal(*object);
    if (!row) return std::move(row).error();
    change.replace.push_back(*std::move(row));
    places.push_back(objects_.make_place(std::move(object)));
  }
  for (const auto& old : changes.removed()) change.remove.push_back({old->id(), old->generation()});

  // Nobody reads rows between the commit and the index: an object that somebody else destroyed
  // right after does not come back.
  const Lock reload_lock(reload_mutex_);
  if (std::ranges::any_of(added, [](const ObjectPtr& object) { return object->immutable(); })) {
    if (auto seen = catch_up(opened); !seen) return std::move(seen).error();
    if (auto single = check_single(added); !single) return std::move(single).error();
    change.immutable_since = opened.sequence;
  }
  auto sequence = opened.store->apply(change);
  if (!sequence) return std::move(sequence).error();
  // From here on nothing fails. When nobody was in between, there is nothing to read afterwards.
  if (*sequence == opened.sequence + 1) opened.sequence = *sequence;
  for (const auto& old : changes.removed()) objects_.remove(old->id());
  show(std::move(places), private_rows);
  return added;
}

Outcome<void> Token::check_single(const std::vector<ObjectPtr>& added) {
  for (const auto& object : added) {
    if (!object->immutable()) continue;
    if (find_immutable(AttributeSet()
                           .set_number(CKA_CLASS, object->object_class())
                           .set(CKA_TS_FAMILY_ID, object->attributes().bytes(CKA_TS_FAMILY_ID)))) {
      return fault(CKR_FUNCTION_REJECTED, "the token has this of the family already");
    }
  }
  return {};
}

Outcome<CK_OBJECT_HANDLE> Token::keep(ObjectPtr object, CK_SESSION_HANDLE session) {
  auto place = objects_.make_place(std::move(object), session);
  const Lock lock(mutex_);
  if (!visible(place.object())) return not_logged_in();
  return objects_.put(std::move(place));
}

CK_OBJECT_HANDLE Token::handle_of(const Object& object) {
  const auto handle = objects_.get(object.id()).handle;
  return handle != CK_INVALID_HANDLE ? handle : services_.handles->next();
}

bool Token::visible(const Object& object) const {
  return !object.is_private() || login_state() == Login::kUser;
}

Outcome<void> Token::session_opened(bool read_write) {
  const Lock lock(mutex_);
  if (!read_write && login_state() == Login::kSo) {
    return fault(CKR_SESSION_READ_WRITE_SO_EXISTS, "the SO is logged in");
  }
  ++sessions_;
  if (read_write) ++rw_sessions_;
  told_empty_ = false;
  return {};
}

void Token::session_closed(bool read_write) {
  const Lock lock(mutex_);
  --sessions_;
  if (read_write) --rw_sessions_;
  if (sessions_ == 0) end_login();
}

}  // namespace tallystick::token
