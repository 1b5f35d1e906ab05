// Session: objects and searches.
#include <algorithm>

#include "pkcs11/engine/attribute_reading.h"
#include "pkcs11/engine/importer.h"
#include "pkcs11/engine/session.h"

namespace tallystick::token {

Outcome<CK_OBJECT_HANDLE> Session::keep(Request request, Produced produced) {
  request.caller = caller();
  request.made = &produced.object;
  auto attributes = token_->services().policy->decide(request);
  if (!attributes) return std::move(attributes).error();
  produced.object.attributes = *std::move(attributes);
  return store(std::move(produced.object), std::move(produced.also), produced.replaces);
}

Outcome<CK_OBJECT_HANDLE> Session::store(Draft draft, ChangeSet also, const ObjectPtr& replaces) {
  if (!draft.attributes.flag(CKA_TOKEN)) {
    if (!also.empty()) {
      if (auto done = token_->commit(std::move(also)); !done) return std::move(done).error();
    }
    auto kept = store_here(std::move(draft));
    if (!kept) return std::move(kept).error();
    return kept->handle;
  }
  if (replaces) {
    also.replace(replaces, std::move(draft));
    if (auto done = token_->commit(std::move(also)); !done) return std::move(done).error();
    return token_->handle_of(*replaces);
  }
  // The new object goes first, so that it is the first of what comes back.
  ChangeSet all;
  all.add(std::move(draft));
  for (auto& more : also.added()) all.add(std::move(more));
  for (auto& [old, next] : also.replaced()) all.replace(std::move(old), std::move(next));
  for (auto& old : also.removed()) all.remove(std::move(old));
  auto added = token_->commit(std::move(all));
  if (!added) return std::move(added).error();
  return token_->handle_of(*added->front());
}

Outcome<ObjectIndex::Found> Session::store_here(Draft draft) {
  ObjectId id{};
  if (auto filled = random(id); !filled) return std::move(filled).error();
  auto object = Object::make(id, 1, std::move(draft));
  owns_objects_ = true;
  auto kept = token_->keep(object, handle_);
  if (!kept) return std::move(kept).error();
  // A session that was closed meanwhile leaves nothing behind.
  const Lock lock(mutex_);
  if (auto open = open_check(); !open) {
    token_->objects().remove(id);
    return std::move(open).error();
  }
  return ObjectIndex::Found{*kept, std::move(object)};
}

namespace {

// Objects that a session keeps already; taken back unless all came to a good end.
class Kept {
 public:
  Kept(ObjectIndex& index, std::size_t most) : index_(index) { ids_.reserve(most); }
  Kept(const Kept&) = delete;
  Kept& operator=(const Kept&) = delete;
  ~Kept() {
    for (const auto& id : ids_) index_.remove(id);
  }
  void add(const ObjectId& id) { ids_.push_back(id); }
  void done() { ids_.clear(); }

 private:
  ObjectIndex& index_;
  std::vector<ObjectId> ids_;
};

}  // namespace

// What the session keeps can be taken back, so that it comes before what the token keeps.
Outcome<std::vector<CK_OBJECT_HANDLE>> Session::store_all(std::vector<Draft> drafts) {
  std::vector<CK_OBJECT_HANDLE> handles;
  handles.reserve(drafts.size());
  Kept here(token_->objects(), drafts.size());
  ChangeSet durable;
  for (auto& draft : drafts) {
    handles.push_back(CK_INVALID_HANDLE);
    if (draft.attributes.flag(CKA_TOKEN)) {
      durable.add(std::move(draft));
      continue;
    }
    auto kept = store_here(std::move(draft));
    if (!kept) return std::move(kept).error();
    handles.back() = kept->handle;
    here.add(kept->object->id());
  }
  if (durable.empty()) {
    here.done();
    return handles;
  }
  auto added = token_->commit(std::move(durable));
  if (!added) return std::move(added).error();
  here.done();
  auto next = handles.begin();
  for (const auto& object : *added) {
    next = std::find(next, handles.end(), CK_INVALID_HANDLE);
    *next = token_->handle_of(*object);
  }
  return handles;
}

Outcome<CK_OBJECT_HANDLE> Session::create(const Template& wanted) {
  if (auto seen = token_->refresh(); !seen) return std::move(seen).error();
  const CreateInput input{token_->context(), wanted};
  auto produced = import_object(*token_->services().mechanisms, input);
  if (!produced) return std::move(produced).error();
  Request request;
  request.action = Action::kCreate;
  request.wanted = &wanted;
  return keep(request, *std::move(produced));
}

Outcome<CK_OBJECT_HANDLE> Session::copy(CK_OBJECT_HANDLE handle, const Template& wanted) {
  auto source = object(handle);
  if (!source) return std::move(source).error();
  Request request;
  request.action = Action::kCopy;
  request.caller = caller();
  request.object = source->get();
  request.wanted = &wanted;
  auto attributes = token_->services().policy->decide(request);
  if (!attributes) return std::move(attributes).error();
  auto draft = (*source)->redraft();
  draft.attributes = *std::move(attributes);
  return store(std::move(draft), {}, nullptr);
}

Outcome<void> Session::destroy(CK_OBJECT_HANDLE handle) {
  auto target = object(handle);
  if (!target) return std::move(target).error();
  Request request;
  request.action = Action::kDestroy;
  request.caller = caller();
  request.object = target->get();
  if (auto allowed = token_->services().policy->decide(request); !allowed) {
    return std::move(allowed).error();
  }
  if (!(*target)->on_token()) {
    if (!token_->objects().remove((*target)->id())) {
      return fault(CKR_OBJECT_HANDLE_INVALID, "no such object any more");
    }
    return {};
  }
  ChangeSet changes;
  changes.remove(*std::move(target));
  if (auto done = token_->commit(std::move(changes)); !done) return std::move(done).error();
  return {};
}

Outcome<CK_ULONG> Session::object_size(CK_OBJECT_HANDLE handle) {
  auto target = object(handle);
  if (!target) return std::move(target).error();
  return static_cast<CK_ULONG>(encode((*target)->attributes()).size() + (*target)->value().size());
}

// Every attribute is looked at, whatever happened to those before it; then the worst is told.
Outcome<void> Session::get_attributes(CK_OBJECT_HANDLE handle, std::span<CK_ATTRIBUTE> attributes) {
  auto target = object(handle);
  if (!target) return std::move(target).error();
  Outcome<void> result;
  for (auto& attribute : attributes) {
    auto filled = fill_attribute(**target, attribute);
    if (!filled && (result || filled.error().rv == CKR_ATTRIBUTE_SENSITIVE)) {
      result = std::move(filled).error();
    }
  }
  return result;
}

Outcome<void> Session::set_attributes(CK_OBJECT_HANDLE handle, const Template& wanted) {
  auto target = object(handle);
  if (!target) return std::move(target).error();
  Request request;
  request.action = Action::kSet;
  request.caller = caller();
  request.object = target->get();
  request.wanted = &wanted;
  auto attributes = token_->services().policy->decide(request);
  if (!attributes) return std::move(attributes).error();
  auto draft = (*target)->redraft();
  draft.attributes = *std::move(attributes);
  if (!(*target)->on_token()) {
    auto next = Object::make((*target)->id(), (*target)->generation() + 1, std::move(draft));
    if (!token_->objects().exchange(**target, std::move(next))) {
      return fault(CKR_FUNCTION_FAILED, "the object was changed or destroyed by somebody else");
    }
    return {};
  }
  ChangeSet changes;
  changes.replace(*std::move(target), std::move(draft));
  if (auto done = token_->commit(std::move(changes)); !done) return std::move(done).error();
  return {};
}

Outcome<void> Session::find_start(const Template& pattern) {
  const Lock lock(mutex_);
  if (auto open = open_check(); !open) return open;
  if (finding_) return fault(CKR_OPERATION_ACTIVE, "a search is active");
  std::vector<ObjectIndex::Pattern> wanted;
  for (const auto& [type, value] : pattern.entries()) wanted.push_back({type, value});
  auto all = token_->search(wanted);
  if (!all) return std::move(all).error();
  found_.clear();
  found_next_ = 0;
  for (const auto& [handle, found] : *all) {
    if (token_->visible(*found)) found_.push_back(handle);
  }
  finding_ = true;
  return {};
}

Outcome<std::size_t> Session::find_next(std::span<CK_OBJECT_HANDLE> out) {
  const Lock lock(mutex_);
  if (auto open = open_check(); !open) return std::move(open).error();
  if (!finding_) return not_initialized();
  const auto count = std::min(out.size(), found_.size() - found_next_);
  std::copy_n(found_.begin() + static_cast<std::ptrdiff_t>(found_next_), count, out.begin());
  found_next_ += count;
  return count;
}

Outcome<void> Session::find_end() {
  const Lock lock(mutex_);
  if (auto open = open_check(); !open) return open;
  if (!finding_) return not_initialized();
  finding_ = false;
  found_.clear();
  return {};
}

}  // namespace tallystick::token
