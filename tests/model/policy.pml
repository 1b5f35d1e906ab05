/* The policy for keys as a model for spin: docs/model.md.
 *
 * KEYS keys are made in the token, secret ones or pairs, with any uses. Then, in every order: a key is
 * wrapped under another (twice at most), a wrapping is unwrapped with any attributes (UNWRAPS times),
 * a key is derived. Each step may be taken through a
 * copy that gave up any of the uses. Beside the
 * keys are one that the attacker brought along and knows, and a managed one. Whoever calls reads what
 * comes out and reckons with it as far as that goes: what a key that decrypts has wrapped, what is
 * under a known key, what a MAC gives. What is hidden must never be learned.
 *
 * Each rule has a name; spin -DNO_<NAME> leaves it out, and then an attack is found. Runs with -E: what a
 * rule refuses ends there.
 */
#ifndef KEYS
#define KEYS 3
#endif
#ifndef UNWRAPS
#define UNWRAPS 1
#endif
#define WRAPS 2

#define WRAP 1
#define UNWRAP 2
#define DECRYPT 4 /* and encrypt */
#define SIGN 8
#define DERIVE 16
#ifdef DERIVATION
#define LAST_USE 31
#else
#define LAST_USE 7
#endif

/* Values: 0 to KEYS - 1 are the keys; then what the attacker knows, and the managed key. */
#define BROUGHT KEYS
#define MANAGED (KEYS + 1)
#define VALUES (KEYS + 2)
#define FIRST_UNWRAPPED (KEYS + 1) /* of objects: the keys, the one brought along, those unwrapped */
#define OBJECTS (KEYS + 1 + UNWRAPS)

typedef Object {
  byte value;
  byte uses;
  byte was;         /* uses that the first object of its kind had; copies take them along */
  bool there;
  bool pair;        /* a private half, whose public half wraps */
  bool extractable;
  bool from_here;
};
Object objects[OBJECTS];
byte under[VALUES];   /* bits: the values that are wrapped under this one */
byte known;           /* bits: the values that the attacker has */
byte derived;         /* bits: the values that something hidden was derived from */
byte wraps, unwraps;
byte one, other, kept; /* what is tried: objects or values, and the uses that a copy keeps */

/* ---- The rules ---- */

#ifdef NO_MEMORY /* A01: a copy that gave a use up counts as having it still */
#define HAD(o, use) false
#else
#define HAD(o, use) (objects[o].was & (use))
#endif
#ifdef NO_WRAPPING_KEYS_STAY /* A25: what wraps or unwraps is not wrapped */
#define STAYS(o) false
#else
#define STAYS(o) HAD(o, WRAP | UNWRAP)
#endif
#ifdef NO_CIPHER_CHECK /* A01: what decrypts does not wrap */
#define CIPHERS(o) false
#else
#define CIPHERS(o) HAD(o, DECRYPT)
#endif
#ifdef NO_FROM_HERE /* A02, A03: what wraps was made here */
#define FROM_HERE(o) true
#else
#define FROM_HERE(o) objects[o].from_here
#endif
#ifdef NO_PRIVATE_HALF_STAYS /* A02: where a public half wraps, the private half does not leave */
#define HALF_STAYS(o) true
#else
#define HALF_STAYS(o) (!objects[o].pair || (objects[o].was & UNWRAP) || !objects[o].extractable)
#endif
#ifdef NO_EXTRACTABLE /* what is not extractable is not wrapped */
#define LEAVES(o) true
#else
#define LEAVES(o) objects[o].extractable
#endif
#ifdef NO_MANAGED_STAYS /* a managed key leaves by its own mechanism only */
#define MANAGED_LEAVES true
#else
#define MANAGED_LEAVES false
#endif
#ifdef NO_UNWRAPPED_IS_SENSITIVE /* A04: what is unwrapped cannot be read */
#define UNWRAPPED_IS_READ true
#else
#define UNWRAPPED_IS_READ false
#endif
#ifdef NO_USES_ARE_NOT_ADDED /* A05: no copy gains a use */
#define MAY(o, use) true
#else
#define MAY(o, use) (objects[o].uses & use)
#endif
#ifdef NO_MAC_IS_DERIVATION /* A15: what signs does not derive, nor does a copy of it */
#define MACS(o) false
#else
#define MACS(o) (objects[o].uses & SIGN)
#endif

/* An object that wraps: a secret key by its use, a pair by its public half. */
#define WRAPS_WITH(o) (objects[o].pair || MAY(o, WRAP))
#define MAY_WRAP(o) (WRAPS_WITH(o) && !CIPHERS(o) && FROM_HERE(o) && HALF_STAYS(o))
#define IS_UNDER(outer, inner) ((under[outer] >> (inner)) & 1)

/* ---- The attacker ---- */

byte pass, at;

inline learn() {
  d_step {
    pass = 0;
    do
    :: pass < WRAPS ->
      at = 0;
      do
      :: at < OBJECTS ->
        if
        :: objects[at].there && MAY(at, DECRYPT) -> known = known | under[objects[at].value]
        :: else
        fi;
        at++
      :: else -> break
      od;
      at = 0;
      do
      :: at < VALUES ->
        if
        :: (known >> at) & 1 -> known = known | under[at]
        :: else
        fi;
        at++
      :: else -> break
      od;
      pass++
    :: else -> break
    od;
    /* No ordinary object has the value of a managed key. */
    at = FIRST_UNWRAPPED;
    do
    :: at < OBJECTS ->
      assert(objects[at].value != MANAGED);
      at++
    :: else -> break
    od;
    /* Of all that is hidden only what was brought along is known. */
    assert(known == 1 << BROUGHT);
    /* What is derived from a key that never leaves is a MAC under it. A key that is made to leave may
       come back as one that signs: whoever lets it leave lets go of what is derived from it. */
    at = 0;
    do
    :: at < KEYS ->
      assert(!(((derived >> at) & 1) && !objects[at].extractable && (objects[at].uses & SIGN)));
      at++
    :: else -> break
    od;
    pass = 0;
    at = 0;
    one = 0;
    other = 0;
    kept = 0
  }
}

/* ---- What may happen ---- */

inline wrap_one() {
  select(one : 0 .. OBJECTS - 1);
  (objects[one].there && MAY_WRAP(one));
  select(other : 0 .. OBJECTS - 1);
  (objects[other].there && other != BROUGHT && LEAVES(other) && !STAYS(other) &&
   !IS_UNDER(objects[one].value, objects[other].value));
  under[objects[one].value] = under[objects[one].value] | (1 << objects[other].value);
  wraps++
}

inline wrap_managed() {
  select(one : 0 .. OBJECTS - 1);
  (objects[one].there && MAY_WRAP(one) && !IS_UNDER(objects[one].value, MANAGED));
  under[objects[one].value] = under[objects[one].value] | (1 << MANAGED);
  wraps++
}

inline unwrap_one() {
  select(one : 0 .. OBJECTS - 1);
  (objects[one].there && MAY(one, UNWRAP));
  select(other : 0 .. VALUES - 1);
  (IS_UNDER(objects[one].value, other));
  select(kept : 0 .. LAST_USE);
  objects[FIRST_UNWRAPPED + unwraps].there = true;
  objects[FIRST_UNWRAPPED + unwraps].value = other;
  objects[FIRST_UNWRAPPED + unwraps].uses = kept;
  objects[FIRST_UNWRAPPED + unwraps].was = kept;
  objects[FIRST_UNWRAPPED + unwraps].extractable = true;
  if
  :: UNWRAPPED_IS_READ -> known = known | (1 << other)
  :: else
  fi;
  unwraps++
}

/* Something encrypted is a wrapping of something known. */
inline encrypt_one() {
  select(one : 0 .. OBJECTS - 1);
  (objects[one].there && MAY(one, DECRYPT) && !IS_UNDER(objects[one].value, BROUGHT));
  under[objects[one].value] = under[objects[one].value] | (1 << BROUGHT)
}

inline derive_one() {
  select(one : 0 .. KEYS - 1);
  ((objects[one].uses & DERIVE) && !MACS(one) && !(objects[one].was & DECRYPT) &&
   !((derived >> one) & 1));
  derived = derived | (1 << one)
}

init {
  atomic {
    /* The order in which the keys are made makes no difference: each has at least the uses of the one
       before. */
    byte key = 0, least = 0;
    do
    :: key < KEYS ->
      select(one : 0 .. LAST_USE);
      (one >= least);
      least = one;
      objects[key].there = true;
      objects[key].value = key;
      objects[key].uses = one;
      objects[key].was = one;
      objects[key].from_here = true;
      if
      :: objects[key].extractable = true
      :: objects[key].extractable = false
      fi;
      if
      :: objects[key].pair = false
      :: !(one & WRAP) -> objects[key].pair = true
      fi;
      key++
    :: else -> break
    od;
    key = 0;
    least = 0;
    one = 0;
    objects[BROUGHT].there = true;
    objects[BROUGHT].value = BROUGHT;
    objects[BROUGHT].uses = WRAP | UNWRAP;
    objects[BROUGHT].was = WRAP | UNWRAP;
    known = 1 << BROUGHT;
    under[BROUGHT] = 1 << BROUGHT
  }
  /* A step that a rule refuses goes no further. */
  do
  :: atomic { wraps < WRAPS -> wrap_one(); learn() }
  :: atomic { wraps < WRAPS && MANAGED_LEAVES -> wrap_managed(); learn() }
  :: atomic { unwraps < UNWRAPS && wraps > 0 -> unwrap_one(); learn() }
  :: atomic { unwraps < UNWRAPS -> encrypt_one(); learn() }
  :: atomic { LAST_USE & DERIVE -> derive_one(); learn() }
  od
}
