"""Finds the checks in C++ sources, and rewrites each so that it can be taken out at run time.

A check is one reason to refuse something:

  - an operand of a condition (between its ||) after which the function returns a refusal:
        if (size > kMost || !known) return fault(...);
  - an operand of a returned conjunction, where false is the refusal, or of what needs() is asked:
        return valid_name(name) && size <= kMost;

What a failing library gives (no memory, libcrypto, the disk) is not a check of this kind.
"""

import re

# What makes an answer that refuses, by name.
NAMES = (
    r"fault|Error|Fault|absent|already_\w+|bad_\w+|conflict|contradicts|damaged|(?:key_)?does_not_open"
    r"|fail|grant_refused|incomplete_template|inconsistent|invalid|length_differs|malformed|no_\w+"
    r"|not_\w+|one_piece|open_failed|prohibited|read_only|refused?|too_\w+|twice|wrong\w*"
)
REFUSAL = re.compile(rf"(?:return|allowed\s*=)\s+(?:core::)?(?:(?:{NAMES})\s*[({{;]|CKR_(?!OK\b)\w+\s*;)")
# Also what a library's failure gives: then a call of a library, or what it gave, is no check.
PLAIN_REFUSAL = re.compile(r"return\s+(?:false|std::nullopt|nullptr)\s*;")
LIBRARY = re.compile(
    r"CKR_HOST_MEMORY|CKR_FUNCTION_FAILED|CKR_GENERAL_ERROR|kCrypto\b|kStorage\b|kInternal\b|libcrypto"
)
# What only hands on that something before it has failed.
HANDED_ON = re.compile(r"\.error\(\)")
ABSENT = re.compile(r"!\*?\w+$|\w+ == nullptr$")
LIBRARY_CALL = re.compile(
    r"\b[A-Z][A-Z0-9]*_[A-Za-z0-9_]+\(|\bsqlite3_\w+\(|\.get\(\) == nullptr|\bMAP_FAILED\b|\(context\) == 1"
    r"|\bV_ASN1_\w+,|\bsk_\w+_push\("
)
# Of those, the ones that look at something and can say no.
LIBRARY_TEST = re.compile(
    r"\bS_IS[A-Z]+\(|\bBN_(?:cmp|is_\w+)\(|_(?:cmp|check|is_a)\(|^!?[a-z]\w+\(X509_|^\(?X509_\w*get_\w+\("
)
# What only puts something together.
MAKING = re.compile(r"\bBN_bin2bn\(|\b[A-Z]\w+_set0?\(|_push\w*\(|_add_entry\(|EC_POINT_mul\(")
WORD = re.compile(r"\w+$")
DECLARATION = re.compile(r"\s*(const\s+)?auto\b[^;=]*=")
IF = re.compile(r"\bif\s*\(")
RETURN = re.compile(r"\breturn\s+(?=[^;]*&&)")
NEEDS = re.compile(r"(?<![:\w])needs\((?!bool )")


class Check:
    def __init__(self, number, path, line, text):
        self.number, self.path, self.line, self.text = number, path, line, text

    @property
    def name(self):
        """What the list of equivalent ones calls it: it stays when lines move."""
        return f"{self.path}: {self.text}"


def skip(text, at):
    """The place after the string, character or comment that begins at `at`; `at` when none does."""
    for begin, end in (("//", "\n"), ("/*", "*/")):
        if text.startswith(begin, at):
            found = text.find(end, at + 2)
            return len(text) if found < 0 else found + len(end)
    if text.startswith('R"', at):
        mark = text[at + 2 : text.index("(", at)]
        return text.index(")" + mark + '"', at) + len(mark) + 2
    if text[at] == '"' or (text[at] == "'" and not (at and text[at - 1].isalnum())):
        quote, at = text[at], at + 1
        while text[at] != quote:
            at += 2 if text[at] == "\\" else 1
        return at + 1
    return at


def scan(text, start, stop_at):
    """From `start` on, outside brackets: the place of the first character of `stop_at`."""
    depth, at = 0, start
    while at < len(text):
        after = skip(text, at)
        if after != at:
            at = after
            continue
        if depth == 0 and text[at] in stop_at:
            return at
        depth += (text[at] in "([{") - (text[at] in ")]}")
        if depth < 0:
            return -1
        at += 1
    return -1


def split(text, operator):
    """The parts of an expression between an operator outside brackets, as (start, end)."""
    parts, depth, at, start = [], 0, 0, 0
    while at < len(text):
        after = skip(text, at)
        if after != at:
            at = after
            continue
        if depth == 0 and text.startswith(operator, at):
            parts.append((start, at))
            at += len(operator)
            start = at
            continue
        depth += (text[at] in "([{") - (text[at] in ")]}")
        at += 1
    parts.append((start, len(text)))
    return parts


def in_comment_or_text(text):
    """Which places are inside a comment or a string."""
    inside, at = bytearray(len(text) + 1), 0
    while at < len(text):
        after = skip(text, at)
        if after != at:
            inside[at:after] = b"\1" * (after - at)
            at = after
        else:
            at += 1
    return inside


def conditions(text, inside):
    """(start, end, whether it refuses plainly) of the condition of every if that refuses."""
    for match in IF.finditer(text):
        if inside[match.start()]:
            continue
        start = match.end()
        end = scan(text, start, ")")
        if end < 0:
            continue
        rest = re.match(r"\s*\{?\s*", text[end + 1 :])
        then = end + 1 + rest.end()
        plain = bool(PLAIN_REFUSAL.match(text, then))
        if not plain and not REFUSAL.match(text, then):
            continue
        statement = text[then : scan(text, then, ";") + 1]
        if LIBRARY.search(statement) or HANDED_ON.search(statement):
            continue
        semicolon = scan(text[:end], start, ";")
        if semicolon >= 0:
            start = semicolon + 1
        elif DECLARATION.match(text[start:end]):
            continue
        yield start, end, plain


def conjunctions(text, inside):
    """(start, end) of every returned conjunction."""
    for match in RETURN.finditer(text):
        if inside[match.start()]:
            continue
        end = scan(text, match.end(), ";")
        expression = text[match.end() : end]
        if end < 0 or len(split(expression, "&&")) < 2 or len(split(expression, "||")) > 1:
            continue
        if len(split(expression, "?")) > 1:
            continue
        yield match.end(), end


def demands(text, inside):
    """(start, end) of what needs() is asked."""
    for match in NEEDS.finditer(text):
        end = scan(text, match.end(), ",")
        if inside[match.start()] or end < 0 or len(split(text[match.end() : end], "?")) > 1:
            continue
        yield match.end(), end


def constant_parts(text):
    """The bodies of constexpr functions, where nothing can be asked."""
    for match in re.finditer(r"\bconstexpr\b[^;={]*\)[^;={]*\{", text):
        end = scan(text, match.end(), "}")
        yield match.start(), end


def rewrite(path, text, numbers):
    """The text with its checks made removable, and the checks; `numbers` gives a number each."""
    inside = in_comment_or_text(text)
    constant = list(constant_parts(text))
    edits, checks = [], []

    def operands(start, end, operator, form, plain):
        if any(a <= start <= b for a, b in constant):
            return
        expression = text[start:end]
        handles = plain and LIBRARY_CALL.search(expression)
        for first, last in split(expression, operator):
            operand = expression[first:last]
            stripped = operand.strip()
            if MAKING.search(stripped) and not LIBRARY_TEST.search(stripped):
                continue
            if plain and ABSENT.match(stripped) or handles and WORD.match(stripped):
                continue
            if plain and LIBRARY_CALL.search(stripped) and not LIBRARY_TEST.search(stripped):
                continue
            number = next(numbers)
            line = text.count("\n", 0, start + first + len(operand) - len(operand.lstrip())) + 1
            checks.append(Check(number, path, line, " ".join(stripped.split())))
            edits.append((start + first, start + last, form.format(stripped, number)))

    for start, end, plain in conditions(text, inside):
        operands(start, end, "||", "(({}) && ::tallystick_mutants::stands({}))", plain)
    for start, end in conjunctions(text, inside):
        operands(start, end, "&&", "(({}) || !::tallystick_mutants::stands({}))", True)
    for start, end in demands(text, inside):
        operands(start, end, "&&", "(({}) || !::tallystick_mutants::stands({}))", False)

    # One inside another, as in a lambda, keeps the inner one.
    edits.sort()
    out, at = [], 0
    for index, (start, end, new) in enumerate(edits):
        if start < at or (index + 1 < len(edits) and edits[index + 1][0] < end):
            number = int(re.search(r"stands\((\d+)\)\)$", new)[1])
            checks[:] = [check for check in checks if check.number != number]
            continue
        out += [text[at:start], new]
        at = end
    return "".join(out + [text[at:]]), checks
